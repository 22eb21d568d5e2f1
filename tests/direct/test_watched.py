"""One watched call, with the practice server as the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from components import tools
from components.core import attachment, dialogue
from components.core.conversation import (
    Assistant,
    Connection,
    Conversation,
    Message,
    Status,
    User,
)
from components.core.observer import SPENT, Observer, Seen
from components.direct import watched as module
from components.direct.minting import Minting
from components.direct.watched import UNSEEN, Watched
from components.protocol.failures import OUR_FAULT
from components.protocol.options import Refused
from components.protocol.prices import Cost
from components.protocol.usage import Usage
from components.settings import Settings
from components.upstream.client import Upstream, open_upstream
from tests.practice.call_client import Caller, LoudVad, http, tone
from tests.practice.socket_client import running
from tests.scripted import scripted_server

pytestmark = pytest.mark.integration

TOKYO = "what time is it now in tokyo"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers here know of no hanging up: one try is enough."""
    monkeypatch.setattr(module, "HANG_UP_PAUSES_S", (0.0,))
    monkeypatch.setattr(module, "LONGEST_CALL_S", 0.0)


@asynccontextmanager
async def watching(
    past: Conversation | None = None, **fields: Any
) -> AsyncIterator[tuple[Caller, Watched]]:
    """A call that is watched."""
    async with running(key="right", open_vad=LoudVad) as practice:
        values = {"practice": False, "api_key": "right", "base_url": http(practice), **fields}
        settings = Settings(model="practice-engine", **values)
        minting, caller = Minting(settings, Refused()), Caller()
        answer = await minting.answer(await caller.offer(), "192.0.2.1")
        watched = Watched(settings, minting, answer.call_id, past=past)
        watch = asyncio.create_task(watched.run())
        await caller.connect(answer.sdp)
        try:
            await caller.until("session.created")
            yield caller, watched
        finally:
            await caller.leave()
            await watch


async def becomes(watched: Watched, so: Callable[[Seen], bool]) -> Seen:
    async with asyncio.timeout(20):
        async for seen in watched.snapshots(0):
            if so(seen):
                return seen
    raise AssertionError


def texts(seen: Seen) -> list[str]:
    return [message.text for message in seen.conversation.messages]


def connected(seen: Seen) -> bool:
    return seen.conversation.connection is Connection.CONNECTED


def ended(seen: Seen) -> bool:
    return seen.conversation.connection is Connection.ENDED


async def test_the_session_is_told_what_was_said_before_the_call() -> None:
    said = Message("m1", "user", Status.DONE, ("My name is Ada.",))
    async with watching(Conversation(messages=(said,))) as (caller, watched):
        seen = await becomes(watched, connected)
        item_id = seen.conversation.messages[0].item_id
        caller.send("conversation.item.retrieve", item_id=item_id)
        item = (await caller.until("conversation.item.retrieved"))["item"]
        assert item["content"][0]["text"] == "My name is Ada."
        assert texts(seen) == ["My name is Ada.", "continued"]


async def test_what_is_said_in_the_call_is_known_here() -> None:
    async with watching() as (caller, watched):
        caller.say("what is two plus two")
        await becomes(watched, lambda s: s.conversation.assistant is Assistant.SPEAKING)
        known = await becomes(watched, lambda s: len(texts(s)) == 2 and "4" in texts(s)[1])
        used = await becomes(watched, lambda s: s.conversation.usage.output_audio > 0)

    assert texts(known)[0] == "what is two plus two"
    assert used.cost is None  # the practice server has no price
    assert used.answer_s is None  # nobody spoke


async def test_the_answer_to_spoken_words_is_timed() -> None:
    async with watching() as (caller, watched):
        caller.microphone.say(tone(0.8))
        answered = await becomes(watched, lambda s: s.answer_s is not None)

    assert 0 < (answered.answer_s or 0) < 20


async def test_a_function_runs_here_and_its_result_is_spoken() -> None:
    async with watching() as (caller, watched):
        await becomes(watched, connected)
        caller.say(TOKYO)
        known = await becomes(watched, lambda s: "offset is +09:00" in "".join(texts(s)))
        await caller.until("response.done")
        done = await caller.until("response.done")

    assert done["response"]["status"] == "completed"
    roles = [message.role for message in known.conversation.messages]
    assert roles == ["user", "tool", "tool", "assistant"]
    assert texts(known)[1] == 'world_clock {"place": "tokyo"}'
    assert "Asia/Tokyo" in texts(known)[2]
    assert caller.types.count("response.created") == 2


async def test_what_could_not_be_sent_while_nobody_listened_is_sent_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[Upstream] = []
    called, away = asyncio.Event(), asyncio.Event()

    async def open_and_keep(*args: Any) -> Upstream:
        if opened:
            away.set()
        opened.append(await open_upstream(*args))
        return opened[-1]

    async def slow(*_: Any) -> str:
        called.set()
        await away.wait()
        return '"It is late."'

    monkeypatch.setattr(module, "open_upstream", open_and_keep)
    monkeypatch.setattr(tools, "run", slow)
    async with watching() as (caller, watched):
        await becomes(watched, connected)
        caller.say(TOKYO)
        await called.wait()
        await opened[0].close()
        await becomes(watched, lambda s: "It is late" in "".join(texts(s)))

    assert len(opened) == 2


async def test_the_end_of_the_call_is_noticed() -> None:
    async with watching() as (caller, watched):
        await becomes(watched, connected)
        await caller.leave()
        await becomes(watched, ended)

    assert watched.over
    assert watched.reason == ""


async def test_a_function_that_still_runs_ends_with_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = asyncio.Event()
    stopped = asyncio.Event()

    async def endless(*_: Any) -> str:
        try:
            running.set()
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    monkeypatch.setattr(tools, "run", endless)
    async with watching() as (caller, watched):
        await becomes(watched, connected)
        caller.say(TOKYO)
        await running.wait()
        await caller.leave()
        await asyncio.wait_for(stopped.wait(), 20)


async def test_a_call_that_is_too_long_is_hung_up() -> None:
    async with watching(max_call_seconds=2) as (caller, watched):
        await becomes(watched, lambda s: s.conversation.notice == "This call ends in 1 second.")
        await caller.ended()
        over = await becomes(watched, ended)

    assert "The time for this call is up" in watched.reason
    assert over.conversation.notice == watched.reason


async def test_a_call_in_which_nobody_speaks_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_S", 0.05)
    async with watching(max_idle_seconds=1) as (caller, watched):
        await caller.ended()
        await becomes(watched, ended)

    assert "nobody spoke" in watched.reason


def by_sound(usage: Usage, *_: object) -> Cost:
    """A dollar for a token of the assistant's sound."""
    return Cost(float(usage.output_audio))


async def test_a_call_that_is_too_expensive_ends_after_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialogue, "cost", by_sound)
    async with watching(max_call_cost=1.0) as (caller, watched):
        await becomes(watched, connected)
        caller.say("what is two plus two")
        await becomes(watched, lambda s: "ends after this answer" in s.conversation.notice)
        await caller.until("output_audio_buffer.stopped")
        await caller.ended()
        await becomes(watched, ended)

    assert "reached its limit of $1.00" in watched.reason


async def test_another_question_does_not_put_the_end_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "cost", by_sound)
    monkeypatch.setattr(module, "TICK_S", 60.0)
    async with watching(max_call_cost=1.0) as (caller, watched):
        await becomes(watched, connected)
        caller.say("what is two plus two")
        await becomes(watched, lambda s: s.cost is not None and s.cost.dollars > 0)
        caller.say("what is two plus three")
        await caller.ended()
        await becomes(watched, ended)

    assert watched.reason == SPENT


async def test_a_call_below_its_limit_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "cost", by_sound)
    async with watching(max_call_cost=1_000_000.0) as (caller, watched):
        await becomes(watched, connected)
        caller.say("what is two plus two")
        await becomes(watched, lambda s: s.cost is not None and s.cost.dollars > 0)
        caller.say("what is two plus three")
        await becomes(watched, lambda s: "5" in "".join(texts(s)))

    assert watched.reason == ""


async def test_a_sideband_that_drops_is_attached_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Upstream] = []

    async def open_and_keep(*args: Any) -> Upstream:
        opened.append(await open_upstream(*args))
        return opened[-1]

    monkeypatch.setattr(attachment, "SHORT_S", 0.0)
    monkeypatch.setattr(module, "open_upstream", open_and_keep)
    async with watching() as (caller, watched):
        await becomes(watched, connected)
        await opened[0].close()
        caller.say("what is two plus two")
        await becomes(watched, lambda s: "4" in "".join(texts(s)))

    assert len(opened) == 2


async def watched_unknown(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Watched:
    """A call that the server lets nobody watch, at its end."""
    monkeypatch.setattr(attachment, "PAUSES_S", (0.0, 0.0))
    async with running() as practice:
        values = {"practice": True, "base_url": http(practice), **fields}
        settings = Settings(model="practice-engine", **values)
        watched = Watched(settings, Minting(settings, Refused()), "rtc_unknown")
        async with asyncio.timeout(20):
            await watched.run()
    assert watched.over
    return watched


async def test_a_call_that_cannot_be_watched_is_taken_for_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await watched_unknown(monkeypatch)).reason == ""


async def test_a_call_that_cannot_be_watched_is_hung_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = await watched_unknown(monkeypatch, max_call_seconds=1)

    assert "The time for this call is up" in watched.reason


async def test_a_call_whose_cost_cannot_be_watched_does_not_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = await watched_unknown(monkeypatch, max_call_seconds=600, max_call_cost=1.0)

    assert watched.reason == UNSEEN
    assert watched.seen.conversation.notice == UNSEEN


async def test_a_fault_of_ours_lifts_no_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Observer, "receive", broken)
    async with watching(max_call_cost=1.0) as (caller, watched):
        await caller.ended()

    assert watched.reason == UNSEEN
    assert "watching a call failed" in caplog.text


@asynccontextmanager
async def beside(**fields: Any) -> AsyncIterator[tuple[Any, Watched]]:
    """The server's end of a sideband that a test plays by hand, and the watched call."""
    async with scripted_server() as server:
        settings = Settings(practice=False, api_key="right", base_url=server.url, **fields)
        watched = Watched(settings, Minting(settings, Refused()), "rtc_1")
        watch = asyncio.create_task(watched.run())
        sideband = await server.connection()
        await sideband.send("session.created", session={})
        try:
            yield sideband, watched
        finally:
            watched.end("")
            await watch


async def test_an_error_of_the_server_is_told() -> None:
    async with beside() as (sideband, watched):
        await sideband.send("error", error={"code": "odd", "message": "Something odd."})
        seen = await becomes(watched, lambda s: bool(s.conversation.notice))

    assert seen.conversation.notice == "The server reports: Something odd."
    assert watched.reason == ""


async def test_a_call_without_credit_ends_and_says_so() -> None:
    async with beside() as (sideband, watched):
        await sideband.send("error", error={"code": "insufficient_quota", "message": "No."})
        over = await becomes(watched, ended)

    assert "no credit left" in watched.reason
    assert over.conversation.notice == watched.reason


async def test_the_events_of_a_watched_call_are_traced(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with beside(trace=path) as (sideband, watched):
        await sideband.send("input_audio_buffer.speech_started", item_id="u1")
        await becomes(watched, lambda s: s.conversation.user is User.SPEAKING)

    received = [orjson.loads(line)["received"]["type"] for line in path.read_bytes().splitlines()]
    assert received == ["session.created", "input_audio_buffer.speech_started"]


async def test_limits_that_cannot_be_held_end_the_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "TICK_S", 0.05)
    monkeypatch.setattr(Observer, "tick", broken)
    async with beside() as (_, watched):
        await becomes(watched, ended)

    assert watched.reason == OUR_FAULT.sentence
    assert "the limits of a call cannot be held" in caplog.text
