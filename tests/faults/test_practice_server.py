"""The app's own practice server is killed, or stands still, in the middle of a call."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.core.liveness import NO_REACTION
from components.practice.server.process import LEAST_LIFE_S
from tests.peer import caller
from tests.running import App, forked_app

pytestmark = pytest.mark.integration

STILL_S = 5.0
"""Longer than the three seconds after which the app says something."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with forked_app(tmp_path_factory.mktemp("app")) as app:
        yield app


def practice_of(app: App) -> int:
    """The process of the app's practice server."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            is_practice = b"components.practice" in (entry / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if parent == app.pid and is_practice:
            return int(entry.name)
    raise AssertionError("there is no practice server")


@contextmanager
def standing_still(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def test_practice_server_that_stands_still_is_noticed_and_the_call_goes_on(app):
    async with caller(app.url) as peer:
        await peer.sees(type="state", connection="connected")
        peer.forget()
        with standing_still(practice_of(app)):
            peer.send(type="say", text="what is 3 plus 4?")
            await peer.sees(type="state", connection="connected", notice=NO_REACTION)
            await asyncio.sleep(STILL_S - 3)
        await peer.hears(300)

        assert await peer.is_now("connected") == "connected"


@pytest.mark.timeout(90)  # a server takes seconds to start
async def test_killed_practice_server_is_started_again_and_the_call_goes_on(app):
    async with caller(app.url) as peer:
        await peer.sees(type="state", connection="connected")
        peer.send(type="say", text="count to thirty")
        await peer.hears(round(LEAST_LIFE_S * 1000))  # one that ends sooner is not started again
        peer.forget()
        os.kill(practice_of(app), signal.SIGKILL)
        await peer.sees(type="state", connection="reconnecting")
        assert await peer.is_now("connected", "failed") == "connected"

        peer.send(type="say", text="what is 3 plus 4?")
        await peer.hears(300)
        assert "Traceback" not in app.log.read_text(errors="replace")
