"""Calls as our server sees them from beside, with the practice server as the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from components.conversation import Assistant, Connection, Conversation
from components.direct import sideband
from components.direct.minting import Minting
from components.direct.sideband import TIME_UP, Sidebands, Watched
from components.settings import Settings
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


async def test_a_call_that_nobody_knows_is_over() -> None:
    async with running() as practice:
        settings = Settings(practice=True, base_url=http(practice), model="practice-engine")
        sidebands = Sidebands(settings)
        watched = sidebands.get(sidebands.watch(Minting(settings), "rtc_unknown"))
        assert watched is not None
        await becomes(watched, lambda c: c.connection is Connection.ENDED)


def test_an_unknown_name_is_no_call() -> None:
    assert Sidebands(Settings(practice=True)).get("") is None
