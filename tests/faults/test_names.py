"""Names are not found: the name server refuses, or does not answer at all."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from components.core import retries
from tests.caller import calling
from tests.faulty import answer, close, faulty_server, greet
from tests.peer import caller
from tests.running import practice_server, started_app

pytestmark = pytest.mark.integration

PROGRAM = Path(__file__).with_name("faulted_app.py")
NAMED = "ws://realtime.example/v1"
STOP_S = 3.0
"""The app promises to stop within it."""


async def test_name_that_is_not_found_is_said(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    async with calling(NAMED) as caller:
        state = await caller.state(connection="failed")

    assert state["notice"].startswith("realtime.example cannot be reached. Check the network")


async def test_call_heals_when_names_are_found_again(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.05)
    find, refused = socket.getaddrinfo, 0

    def refuse_twice(*rest: object, **options: object) -> object:
        nonlocal refused
        if rest[0] == "localhost" and refused < 2:
            refused += 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return find(*rest, **options)  # type: ignore[arg-type]

    async def lose_names(_client: object) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", refuse_twice)

    async with (
        faulty_server([greet, answer, lose_names, close(1006)]) as server,
        calling(server.url.replace("127.0.0.1", "localhost")) as caller,
    ):
        await caller.state(connection="connected")
        caller.say("Remember me")
        successor = await server.client(2)
        await successor.expect("conversation.item.create", 2)
        await caller.state(connection="connected")

    assert refused == 2


@pytest.mark.timeout(90)
async def test_name_server_without_an_answer_is_said_holds_up_no_call_and_not_the_end(tmp_path):
    with practice_server() as server:
        named = server.replace("127.0.0.1", "localhost")
        with started_app(tmp_path, program=PROGRAM, REALTIME_BASE_URL=named) as app:
            async with caller(app.url) as peer:
                await peer.sees(type="state", connection="connected")
                os.kill(app.pid, signal.SIGUSR2)

                async def fails() -> str:
                    async with caller(app.url) as other:
                        failed = await other.sees(type="state", connection="failed")
                        return str(failed["notice"])

                # More than threads that look names up.
                notices = await asyncio.gather(*(fails() for _ in range(8)))
                assert {notice.split(". ")[0] for notice in notices} == {
                    "localhost does not answer"
                }
                peer.send(type="say", text="what is 3 plus 4?")
                await peer.hears(300)

                begun = time.monotonic()
                app.process.terminate()
                assert (await peer.sees(type="state", connection="ended"))["notice"]
                await asyncio.to_thread(app.process.wait, 10)
                assert time.monotonic() - begun < STOP_S
