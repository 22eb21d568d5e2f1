"""The calls that are watched: how many, under which names, and for how long they are known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from components.core.conversation import Connection
from components.core.places import NoPlaceError, Places
from components.direct import sideband
from components.direct.minting import Minting, MintingError
from components.direct.sideband import Sidebands
from components.operating.metrics import Metrics
from components.protocol.options import Refused
from components.replicas.replicas import Replicas
from components.replicas.store import MemoryStore
from components.settings import Settings
from tests.direct.upstreams import scripted
from tests.practice.call_client import Caller, LoudVad, http, tone
from tests.practice.socket_client import running

pytestmark = pytest.mark.integration

OFFER = "v=0\r\n"
VISITOR = "192.0.2.1"


@asynccontextmanager
async def calling(
    metrics: Metrics | None = None,
    places: Places | None = None,
    replicas: Replicas | None = None,
    **fields: Any,
) -> AsyncIterator[tuple[Caller, Sidebands, str]]:
    """A call that is watched, and its name."""
    async with running(key="right", open_vad=LoudVad) as practice:
        values = {"practice": False, "api_key": "right", "base_url": http(practice), **fields}
        settings = Settings(model="practice-engine", **values)
        places = places or Places(settings.max_calls, settings.max_calls)
        sidebands, caller = Sidebands(settings, places, metrics, replicas), Caller()
        sdp, name = await sidebands.answer(
            Minting(settings, Refused()), await caller.offer(), VISITOR
        )
        await caller.connect(sdp)
        try:
            await caller.until("session.created")
            yield caller, sidebands, name
        finally:
            await caller.leave()


async def test_a_call_is_followed_by_its_name_to_its_end() -> None:
    async with calling() as (caller, sidebands, name), asyncio.timeout(20):
        follow = sidebands.follow(name, 0)
        await caller.leave()
        states = [seen.conversation.connection async for seen in follow]

    assert states[-1] is Connection.ENDED


async def test_replicas_have_no_more_direct_calls_together_than_one_alone() -> None:
    store = MemoryStore(shared=True)
    await store.take("192.0.2.9 other", 1, 1, 60.0)
    places = Places(1, 1)
    sidebands = Sidebands(Settings(practice=True), places, None, Replicas(places, store))
    minting = Minting(Settings(practice=True), Refused())

    with pytest.raises(NoPlaceError):
        await sidebands.answer(minting, OFFER, VISITOR)
    assert places.followed == 0


async def test_what_a_direct_call_costs_is_its_visitors_and_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sideband, "COUNT_S", 0.01)
    places = Places(1, 1)
    replicas = Replicas(places, None, 1.0)
    async with calling(places=places, replicas=replicas) as (_, sidebands, name):
        watched = sidebands.get(name)
        assert watched is not None
        monkeypatch.setattr(watched, "uncounted", lambda: 0.25)
        async with asyncio.timeout(20):
            await watched.gone.wait()

        assert watched.reason == replicas.purse.empty
    assert await replicas.purse.left(VISITOR) <= 0


async def test_a_call_is_forgotten_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sideband, "REMEMBERED_S", 0.0)
    async with calling() as (caller, sidebands, name), asyncio.timeout(20):
        assert sidebands.get(name) is not None
        await caller.leave()
        await asyncio.gather(*sidebands._tasks)
        assert sidebands.get(name) is None


async def test_an_unknown_name_is_no_call() -> None:
    sidebands = Sidebands(Settings(practice=True), Places(1, 1))

    assert sidebands.get("") is None
    assert [seen async for seen in sidebands.follow("", 0)] == []


async def test_a_place_is_free_again_when_its_call_has_ended() -> None:
    async with calling(max_calls=1) as (caller, sidebands, name), asyncio.timeout(20):
        minting = Minting(Settings(practice=False, base_url="http://127.0.0.1:9/v1"), Refused())
        with pytest.raises(NoPlaceError):
            await sidebands.answer(minting, OFFER, VISITOR)
        await caller.leave()
        async for _ in sidebands.follow(name, 0):
            pass
        with pytest.raises(MintingError):
            await sidebands.answer(minting, OFFER, VISITOR)


async def test_callers_who_come_at_once_do_not_share_a_place() -> None:
    async with scripted((500, ""), (500, "")) as server:
        settings = Settings(practice=False, base_url=server.base_url)
        sidebands, minting = Sidebands(settings, Places(2, 2)), Minting(settings, Refused())
        answers = (sidebands.answer(minting, OFFER, VISITOR) for _ in range(3))
        refused = await asyncio.gather(*answers, return_exceptions=True)
        # Those that were not taken hold no place.
        server.answers.append((500, ""))
        with pytest.raises(MintingError):
            await sidebands.answer(minting, OFFER, VISITOR)

    assert [type(error) for error in refused] == [MintingError, MintingError, NoPlaceError]


async def test_the_end_of_the_app_ends_its_calls() -> None:
    async with calling() as (caller, sidebands, _), asyncio.timeout(20):
        await asyncio.to_thread(sidebands.say_goodbye, 10)
        await caller.ended()


async def test_an_app_without_calls_ends_at_once() -> None:
    await asyncio.to_thread(Sidebands(Settings(practice=True), Places(1, 1)).say_goodbye, 10)


def counted(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, {"route": "direct", **labels})


async def test_a_call_and_its_answers_are_counted() -> None:
    metrics = Metrics()
    async with calling(metrics) as (caller, sidebands, name), asyncio.timeout(20):
        assert counted(metrics, "voice_calls_running") == 1
        caller.microphone.say(tone(0.8))
        async for seen in sidebands.follow(name, 0):
            if seen.answer_s is not None and seen.conversation.usage.output_audio:
                break
        await caller.leave()
        async for _ in sidebands.follow(name, 0):
            pass

    answers_s = counted(metrics, "voice_answer_seconds_sum", kind="spoken")
    assert answers_s == seen.answer_s
    assert counted(metrics, "voice_answer_seconds_count", kind="spoken") == 1
    spoken = counted(metrics, "voice_tokens_total", kind="output_audio", payer="app")
    assert spoken == seen.conversation.usage.output_audio
    assert counted(metrics, "voice_calls_running") == 0
    assert counted(metrics, "voice_calls_ended_total", ending="hung_up") == 1


async def test_who_calls_again_after_a_drop_is_counted_as_back() -> None:
    metrics, again = Metrics(), Caller()
    async with calling(metrics) as (_, sidebands, name), asyncio.timeout(20):
        minting = Minting(sidebands._settings, Refused())
        before = sidebands.get(name)
        await sidebands.answer(minting, await again.offer(), VISITOR, before)
        await asyncio.to_thread(sidebands.say_goodbye, 10)
        await again.leave()

    assert counted(metrics, "voice_calls_started_total") == 2
    assert counted(metrics, "voice_rejoins_total") == 1
