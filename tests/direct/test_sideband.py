"""Calls as our server sees them from beside, with the practice server as the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from components.conversation import Assistant, Connection, Conversation
from components.direct import sideband
from components.direct.minting import Minting
from components.direct.sideband import TIME_UP, Sidebands, Watched
from components.settings import Settings
from components.upstream import Upstream, open_upstream
from tests.practice.call_client import Caller, LoudVad, http
from tests.practice.socket_client import running

pytestmark = pytest.mark.integration


@asynccontextmanager
async def watching(**fields: object) -> AsyncIterator[tuple[Caller, Sidebands, Watched]]:
    """A call that is watched."""
    async with running(key="right", open_vad=LoudVad) as practice:
        values = {"practice": False, "api_key": "right", "base_url": http(practice), **fields}
        settings = Settings(model="practice-engine", **values)  # type: ignore[arg-type]
        sidebands, minting, caller = Sidebands(settings), Minting(settings), Caller()
        answer = await minting.answer(await caller.offer())
        watched = sidebands.get(sidebands.watch(minting, answer.call_id))
        assert watched is not None
        await caller.connect(answer.sdp)
        try:
            yield caller, sidebands, watched
        finally:
            await caller.leave()


async def becomes(watched: Watched, so: Callable[[Conversation], bool]) -> Conversation:
    async with asyncio.timeout(20):
        async for conversation in watched.snapshots(0):
            if so(conversation):
                return conversation
    raise AssertionError


async def test_what_is_said_in_the_call_is_known_here() -> None:
    async with watching() as (caller, sidebands, watched):
        await caller.until("session.created")
        caller.say("what is two plus two")
        await becomes(watched, lambda c: c.assistant is Assistant.SPEAKING)
        known = await becomes(watched, lambda c: len(c.messages) == 2 and "4" in c.messages[1].text)
        assert not sidebands.full

    assert known.messages[0].text == "what is two plus two"


async def test_the_end_of_the_call_is_noticed_and_then_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sideband, "REMEMBERED_S", 0.0)
    async with watching(max_calls=1) as (caller, sidebands, watched):
        await caller.until("session.created")
        assert sidebands.full
        await caller.leave()
        await becomes(watched, lambda c: c.connection is Connection.ENDED)
        assert not sidebands.full


async def test_a_call_that_is_too_long_is_hung_up() -> None:
    async with watching(max_call_seconds=1) as (caller, _, watched):
        await caller.ended()
        over = await becomes(watched, lambda c: c.connection is Connection.ENDED)

    assert over.notice == TIME_UP
    assert watched.time_up


async def test_a_sideband_that_drops_is_attached_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Upstream] = []

    async def open_and_keep(*args: Any) -> Upstream:
        opened.append(await open_upstream(*args))
        return opened[-1]

    monkeypatch.setattr(sideband, "open_upstream", open_and_keep)
    async with watching() as (caller, _, watched):
        await caller.until("session.created")
        await becomes(watched, lambda c: c.connection is Connection.CONNECTED)
        await opened[0].close()
        caller.say("what is two plus two")
        await becomes(watched, lambda c: any("4" in m.text for m in c.messages))

    assert len(opened) == 2


@pytest.mark.parametrize("seconds", [0, 1])
async def test_a_call_that_cannot_be_watched_is_over_or_hung_up_in_time(
    seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sideband, "PAUSES_S", (0.0, 0.0))
    async with running() as practice:
        settings = Settings(
            practice=True,
            base_url=http(practice),
            model="practice-engine",
            max_call_seconds=seconds,
        )
        sidebands = Sidebands(settings)
        watched = sidebands.get(sidebands.watch(Minting(settings), "rtc_unknown"))
        assert watched is not None
        await becomes(watched, lambda c: c.connection is Connection.ENDED)

    assert watched.time_up is bool(seconds)


def test_an_unknown_name_is_no_call() -> None:
    assert Sidebands(Settings(practice=True)).get("") is None
