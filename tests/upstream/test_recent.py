"""Which events of a call can still be looked at, and in what form."""

import tracemalloc
from typing import Any

import orjson

from components.upstream import recent as module
from components.upstream.recent import APPEND, REPORT_BYTES, REPORT_ROWS, RecentEvents
from components.upstream.wire import Direction, WireEvent


def pass_by(events: RecentEvents, event: dict[str, Any], way: Direction = "received") -> None:
    events.write(WireEvent(way, event, 100, 1_700_000_000.1234))


def delta(item_id: Any, text: Any = "Hi", kind: str = "response.output_text") -> dict[str, Any]:
    return {"type": f"{kind}.delta", "item_id": item_id, "delta": text}


def rows_of(events: RecentEvents) -> list[tuple[str, int]]:
    return [(row.type, row.count) for row in events.since(0)]


def test_an_event_is_a_row_with_its_time_way_type_and_size() -> None:
    events = RecentEvents()
    pass_by(events, {"type": "response.create"}, "sent")
    (row,) = events.since(0)
    assert row.shown() == {
        "number": 1,
        "at": 1_700_000_000.123,
        "direction": "sent",
        "type": "response.create",
        "count": 1,
        "bytes": 100,
        "event": {"type": "response.create"},
    }


def test_the_deltas_of_an_item_share_a_row_that_counts_them_whatever_comes_between() -> None:
    events = RecentEvents()
    for _ in range(3):
        pass_by(events, delta("item_1"))
        pass_by(events, delta("item_1", "AAAA", "response.output_audio"))
        pass_by(events, {"type": "rate_limits.updated"})
    pass_by(events, delta("item_2"))
    assert rows_of(events) == [
        ("response.output_text.delta", 3),
        ("response.output_audio.delta", 3),
        *[("rate_limits.updated", 1)] * 3,
        ("response.output_text.delta", 1),
    ]
    assert [row.size for row in events.since(0)][:2] == [300, 300]


def test_an_image_is_not_kept_and_takes_no_room() -> None:
    events = RecentEvents()
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{'a' * 200_000}"}
    words = {"type": "input_text", "text": "So?"}
    event = {"type": "conversation.item.create", "item": {"content": [words, image]}}
    for _ in range(50):
        events.write(WireEvent("sent", event, 200_200, 0.0))

    rows = events.since(0)
    assert len(rows) == 50
    assert rows[0].size == 200_200
    shown = {**image, "image_url": "(200022 characters of an image)"}
    kept = {**event, "item": {"content": [words, shown]}}
    assert [row.first for row in rows] == [orjson.dumps(kept)] * 50
    assert rows[0].shown()["event"]["item"]["content"] == [words, shown]
    assert event["item"]["content"][1] is image  # type: ignore[index]


def test_what_a_delta_carries_is_not_kept() -> None:
    events = RecentEvents()
    pass_by(events, delta("item_1", "QUJDRA==", "response.output_audio"))
    pass_by(events, delta("item_2", None))
    assert [orjson.loads(row.first)["delta"] for row in events.since(0)] == [
        "(8 characters)",
        "(0 characters)",
    ]


def test_the_frames_of_the_microphone_share_a_row_until_something_else_happens() -> None:
    events = RecentEvents()
    for _ in range(5):
        events.appended(960, 1.0)
    pass_by(events, delta("item_1"))
    events.appended(960, 1.1)
    pass_by(events, {"type": "input_audio_buffer.speech_started"})
    events.appended(960, 1.2)
    assert rows_of(events) == [
        (APPEND, 6),
        ("response.output_text.delta", 1),
        ("input_audio_buffer.speech_started", 1),
        (APPEND, 1),
    ]
    assert events.since(0)[0].size == 6 * 960


def test_only_what_has_changed_is_given_again() -> None:
    events = RecentEvents()
    pass_by(events, delta("item_1"))
    pass_by(events, {"type": "response.done"})
    seen = events.revision
    assert events.since(seen) == []
    pass_by(events, delta("item_1"))
    assert [row.number for row in events.since(seen)] == [1]


def test_the_newest_rows_are_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    events = RecentEvents()
    pass_by(events, delta("item_0"))
    for number in range(10):
        pass_by(events, {"type": f"event {number}"})
    pass_by(events, delta("item_0"))
    assert [row.type for row in events.since(0)] == [
        *(f"event {number}" for number in range(1, 10)),
        "response.output_text.delta",
    ]


def test_large_events_are_kept_for_less_long() -> None:
    events = RecentEvents()
    for number in range(20):
        large = {"type": "x", "text": "a" * 1_000_000, "n": number}
        events.write(WireEvent("received", large, 1_000_000, 0.0))
    assert 3 <= len(events.since(0)) <= 5
    huge = {"type": "x", "text": "a" * 16_000_000}
    events.write(WireEvent("received", huge, 16_000_000, 0.0))
    (row,) = events.since(0)
    assert len(str(row.shown())) < 11_000


def test_a_hostile_server_takes_no_more_room_than_others() -> None:
    events = RecentEvents()
    for number in range(3 * module.MOST_ROWS):
        pass_by(events, {**delta([number] * 10), "type": "x.delta"})
    assert len(events.since(0)) == len(events._open) == module.MOST_ROWS
    for _ in range(module.MOST_ROWS):
        pass_by(events, {"type": "y" * 10_000})
    assert sum(len(row.first) for row in events.since(0)) <= module.MOST_BYTES
    assert not events._open
    assert len(events.since(0)[-1].shown()["type"]) == 100


def test_an_event_of_nothing_but_brackets_takes_no_more_room_than_its_text() -> None:
    events, brackets = RecentEvents(), b"[" + b"[]," * 10_000 + b"0]"
    tracemalloc.start()
    for _ in range(20):
        event = {"type": "x", "brackets": orjson.loads(brackets)}
        events.write(WireEvent("received", event, len(brackets), 0.0))
    del event
    held, _most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


def test_an_event_too_deep_to_be_written_is_kept_as_it_is_shown() -> None:
    events = RecentEvents()
    pass_by(events, {"type": "x", "deep": orjson.loads(b"[" * 1000 + b"]" * 1000)})
    (row,) = events.since(0)
    assert len(row.first) < 200
    assert "(more)" in str(row.shown())


def test_keys_are_not_shown() -> None:
    events = RecentEvents()
    pass_by(events, {"type": "sk-proj-1234", "message": "bad key sk-proj-1234"})
    assert "1234" not in str(events.since(0)[0].shown())


def test_a_report_has_bounded_work_and_goes_on_where_the_last_one_ended() -> None:
    events = RecentEvents()
    for number in range(2 * REPORT_ROWS):
        pass_by(events, {"type": "x", "n": number})
    first = events.news(0)
    assert len(first) == REPORT_ROWS
    second = events.news(first[-1].revision)
    assert [row.number for row in second] == list(range(REPORT_ROWS + 1, 2 * REPORT_ROWS + 1))
    assert events.news(second[-1].revision) == []


def test_large_events_have_a_report_of_their_own() -> None:
    events = RecentEvents()
    for size in (100, REPORT_BYTES, 100, REPORT_BYTES - 100, 20):
        pass_by(events, {"type": "x", "y": "z" * (size - len('{"type":"x","y":""}'))})
    seen, told = 0, []
    while news := events.news(seen):
        told.append([row.number for row in news])
        seen = news[-1].revision
    assert told == [[1], [2], [3, 4], [5]]


def test_a_row_that_changes_between_two_reports_is_told_again_and_none_is_missed() -> None:
    events = RecentEvents()
    pass_by(events, delta("item_1"))
    for number in range(REPORT_ROWS + 5):
        pass_by(events, {"type": "x", "n": number})
    first = events.news(0)
    pass_by(events, delta("item_1"))
    second = events.news(first[-1].revision)
    assert {row.number for row in first + second} == set(range(1, REPORT_ROWS + 7))
    assert second[-1].number == 1
