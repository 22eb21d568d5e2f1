"""What can be looked into of a call, and what it costs nobody who does not look."""

import asyncio
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Any

import pytest

from components.bridge import inspection as module
from components.bridge.delays import UNMEASURED_S
from components.bridge.inspection import Inspection
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    ResponseCreated,
    ResponseDone,
    SessionUpdated,
    SpeechStopped,
)
from components.protocol.usage import Usage
from components.upstream.recent import REPORT_ROWS
from components.upstream.wire import WireEvent
from tests.bridge.test_call import LOUD


def pass_by(inspection: Inspection, type_: str) -> None:
    inspection.events.write(WireEvent("received", {"type": type_}, 10, 0.0))


async def next_of(reports: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    async with asyncio.timeout(5):
        return await anext(reports)


def types_in(report: dict[str, Any]) -> list[str]:
    return [row["type"] for row in report["events"]]


async def test_who_comes_late_gets_all_that_is_kept_and_then_what_is_new() -> None:
    inspection = Inspection()
    pass_by(inspection, "one")
    pass_by(inspection, "two")
    reports = inspection.reports()
    first = await next_of(reports)
    assert types_in(first) == ["one", "two"]
    pass_by(inspection, "three")
    second = await next_of(reports)
    assert types_in(second) == ["three"]
    assert not second["over"]


async def test_who_comes_back_gets_what_has_not_been_seen() -> None:
    inspection = Inspection()
    pass_by(inspection, "one")
    seen = (await next_of(inspection.reports()))["seen"]
    pass_by(inspection, "two")
    assert types_in(await next_of(inspection.reports(seen))) == ["two"]


async def test_turns_come_whole_at_first_and_then_only_those_that_changed() -> None:
    inspection = Inspection()
    for start in (1.0, 11.0):
        inspection.timing.typed(start)
        inspection.timing.receive(ResponseCreated("r"), start + 0.1)
        inspection.timing.receive(AudioDelta("r", "i", 0, b""), start + 0.5)
    inspection.timing.sent(-30.0, 11.5, 11.5)
    reports = inspection.reports()
    first = await next_of(reports)
    assert [turn["number"] for turn in first["turns"]] == [1, 2]
    assert first["turns"][1] == {
        "number": 2,
        "kind": "typed",
        "felt_s": 0.5,
        "reason": "0.50 s, of which 0.40 s: the model thought.",
        "steps": {"created": 0.1, "token": 0.5, "audio": 0.5, "sent": 0.5, "heard": 0.5},
        "functions_s": 0.0,
    }
    assert (first["p50_s"], first["p95_s"]) == (0.5, 0.5)
    inspection.timing.ran(0.3)
    second = await next_of(reports)
    assert [(turn["number"], turn["functions_s"]) for turn in second["turns"]] == [(2, 0.3)]


async def test_a_turn_lasts_from_the_last_sound_that_was_said_to_the_first_that_is_heard() -> None:
    inspection = Inspection()
    inspection.obey({"type": "playout", "delay_ms": 80, "rtt_ms": 40}, 0.0)
    inspection.microphone(bytes(960), -62.0, 0.5)
    inspection.microphone(LOUD, -20.0, 1.0)
    inspection.receive(SpeechStopped("i"), 1.5)
    inspection.receive(AudioDelta("r", "j", 0, b""), 2.0)
    inspection.sent(bytes(960), 2.0)
    inspection.sent(LOUD, 2.02)

    [turn] = inspection.timing.turns
    assert turn.felt_s == pytest.approx(2.12 - 0.98 + 2 * UNMEASURED_S)


async def test_reports_end_with_the_call_after_all_has_been_told() -> None:
    inspection = Inspection()
    reports = inspection.reports()
    await next_of(reports)
    pass_by(inspection, "last")
    inspection.over = True
    last = await next_of(reports)
    assert (types_in(last), last["over"]) == (["last"], True)
    assert [report async for report in reports] == []


async def test_who_asks_again_takes_the_place_of_who_asked_before() -> None:
    inspection = Inspection()
    former = inspection.reports()
    await next_of(former)
    await next_of(inspection.reports())
    async with asyncio.timeout(5):
        assert [report async for report in former] == []


async def test_a_quiet_call_shows_a_sign_of_life(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "SIGN_OF_LIFE_S", 0.0)
    reports = Inspection().reports()
    await next_of(reports)
    assert await next_of(reports) == {"over": False}


async def test_what_each_turn_has_used_is_told_when_it_changes() -> None:
    inspection = Inspection("gpt-realtime-2.1")
    reports = inspection.reports()
    empty = await next_of(reports)
    assert (empty["cost"]["model"], empty["cost"]["spent"]) == ("gpt-realtime-2.1", [])

    inspection.timing.typed(1.0)
    inspection.receive(SessionUpdated(None, True, "whisper-1"), 1.0)
    usage = Usage(input_text=30, cached_text=20, output_audio=7)
    inspection.receive(
        ResponseDone("r", "completed", (), ServerError(), usage), inspection._began + 2.5
    )
    told = await next_of(reports)
    assert told["cost"]["spent"] == [
        {
            "turn": 1,
            "at_s": 2.5,
            "transcription_model": "whisper-1",
            "usage": {"input_text": 30, "cached_text": 20, "output_audio": 7},
        }
    ]
    pass_by(inspection, "more")
    assert "cost" not in await next_of(reports)


async def test_the_page_hears_what_became_of_what_it_asked_for() -> None:
    inspection = Inspection()
    inspection.tell(cap=0.5, cap_problem="")
    reports = inspection.reports()
    assert (await next_of(reports))["told"] == {"cap": 0.5, "cap_problem": ""}
    inspection.tell(cap_problem="Choose less.")
    assert (await next_of(reports))["told"] == {"cap": 0.5, "cap_problem": "Choose less."}


async def test_the_newest_two_thousand_events_are_told_when_it_opens_and_hold_nobody_up() -> None:
    inspection = Inspection()
    session = {"instructions": "Be kind. " * 20, "tools": [{"name": "f"}] * 10}
    for number in range(2_500):
        event = {"type": f"event {number}", "session": session}
        inspection.events.write(WireEvent("received", event, 500, 0.0))
    inspection.over = True
    rows, took_s = [], []
    reports = inspection.reports()
    while True:
        began = time.thread_time()
        report = await anext(reports)
        took_s.append(time.thread_time() - began)
        assert len(report["events"]) <= REPORT_ROWS
        rows += report["events"]
        if report["over"]:
            break
    assert [row["number"] for row in rows] == list(range(501, 2_501))
    assert median(took_s) < 0.02  # a frame of sound
