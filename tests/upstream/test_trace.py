"""What is written down of a call, and what never is."""

from contextlib import closing
from pathlib import Path

import orjson
import pytest

from components.upstream import trace as module
from components.upstream.trace import DEEPEST, LONGEST, MOST_VALUES, Trace


def lines_of(path):
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.jsonl"


def written(path, event):
    with closing(Trace(path)) as trace:
        trace.write("received", event, 0.0)
    return lines_of(path)[-1]["received"]


def test_each_event_is_a_line_with_its_time_call_and_direction(path):
    with closing(Trace(path)) as trace:
        trace.write("sent", {"type": "response.cancel"}, 1_700_000_000.12345)
        trace.write("received", {"type": "response.done", "n": 1}, 1_700_000_001.0)

    sent, received = lines_of(path)
    assert sent == {
        "t": 1_700_000_000.123,
        "call": sent["call"],
        "sent": {"type": "response.cancel"},
    }
    assert received["received"] == {"type": "response.done", "n": 1}
    assert received["call"] == sent["call"]


def test_calls_share_a_file_and_can_be_told_apart(path):
    path.write_bytes(b'{"from":"another run"}\n')
    with closing(Trace(path)) as one, closing(Trace(path)) as other:
        for n in range(3):
            one.write("sent", {"type": "one", "n": n}, n)
            other.write("sent", {"type": "other", "n": n}, n)

    first, *lines = lines_of(path)
    assert first == {"from": "another run"}
    assert [line["sent"]["type"] for line in lines] == ["one", "other"] * 3
    assert len({line["call"] for line in lines}) == 2


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"type": "input_audio_buffer.append", "audio": "AAAA"},
            {"type": "input_audio_buffer.append", "audio": "(4 characters of audio)"},
        ),
        (
            {"type": "response.output_audio.delta", "delta": "AAAAAAAA"},
            {"type": "response.output_audio.delta", "delta": "(8 characters of audio)"},
        ),
        (
            {"type": "response.audio.delta", "delta": "AAAA"},
            {"type": "response.audio.delta", "delta": "(4 characters of audio)"},
        ),
        (
            {"type": "x", "item": {"content": [{"type": "input_audio", "audio": "AAAA"}]}},
            {
                "type": "x",
                "item": {"content": [{"type": "input_audio", "audio": "(4 characters of audio)"}]},
            },
        ),
        (
            {"type": "x", "audio": ["AAAA", {"type": "y", "audio": "AA"}]},
            {
                "type": "x",
                "audio": [
                    "(4 characters of audio)",
                    {"type": "y", "audio": "(2 characters of audio)"},
                ],
            },
        ),
    ],
)
def test_audio_is_replaced_by_its_length(path, event, expected):
    assert written(path, event) == expected


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_audio_transcript.delta", "delta": "Hello"},
        {"type": "response.output_text.delta", "delta": "Hello"},
        {"type": "session.update", "session": {"audio": {"output": {"voice": "marin"}}}},
        {"type": "x", "audio": None, "delta": 3, "y": [1, 2.5, True, None]},
        {"delta": "no type"},
        {"type": "x", "text": "the task-force\n  keeps its   spaces " + "x" * 400},
    ],
)
def test_everything_else_is_kept(path, event):
    assert written(path, event) == event


def test_keys_are_taken_out_wherever_they_are(path):
    event = {"type": "error", "error": {"message": "bad key sk-proj-1_2", "list": ["ek_12"]}}

    assert written(path, event) == {
        "type": "error",
        "error": {"message": "bad key (key)", "list": ["(key)"]},
    }


def test_keys_are_taken_out_of_names_and_types_too(path):
    event = {"type": "sk-1234", "sk-proj-1": {"delta": "ek_1"}}

    assert written(path, event) == {"type": "(key)", "(key)": {"delta": "(key)"}}


def test_long_text_is_cut(path):
    assert written(path, {"type": "x", "text": "a" * LONGEST})["text"] == "a" * LONGEST
    assert written(path, {"type": "x", "text": "a" * 16_000_000, "a" * 10_005: 1}) == {
        "type": "x",
        "text": "a" * LONGEST + f" (and {16_000_000 - LONGEST} characters)",
        "a" * LONGEST + " (and 5 characters)": 1,
    }


@pytest.mark.parametrize(
    "many",
    [
        [1] * 1_000_000,
        [[[[1] * 100] * 100] * 100],
        {str(number): number for number in range(1_000_000)},
    ],
    ids=["list", "lists", "object"],
)
def test_event_of_many_values_is_cut(path, many):
    with closing(Trace(path)) as trace:
        trace.write("received", {"type": "x", "many": many, "last": 1}, 0.0)

    assert path.stat().st_size < 20 * MOST_VALUES


def test_server_that_never_stops_talking_does_not_fill_the_disk(path, caplog, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    with closing(Trace(path)) as trace:
        for number in range(1000):
            trace.write("received", {"type": "x", "text": "a" * 1000, "n": number}, 0.0)

    assert 90_000 < path.stat().st_size <= 100_000
    assert [record.message for record in caplog.records] == [
        "! the trace ends here: this call has filled 0 MB"
    ]


def test_an_event_of_any_depth_can_be_written(path):
    """The parser takes 1024 levels, which is more than Python's own limit or the writer's."""
    event = {"type": "x", "deep": orjson.loads("[" * 1000 + "]" * 1000)}

    found = written(path, event)["deep"]

    for _ in range(DEEPEST):
        (found,) = found
    assert found == "(more)"


def test_what_json_cannot_hold_is_written_as_text(path):
    assert written(path, {"type": "x", "path": Path("a/b")}) == {"type": "x", "path": "a/b"}


def test_a_trace_that_cannot_be_opened_is_given_up_with_a_word(tmp_path, caplog):
    with closing(Trace(tmp_path)) as trace:
        trace.write("sent", {"type": "x"}, 0.0)

    assert [record.message for record in caplog.records] == [
        f"! no trace: [Errno 21] Is a directory: '{tmp_path}'"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_trace_that_cannot_go_on_is_given_up_with_a_word(caplog):
    with closing(Trace(Path("/dev/full"))) as trace:
        trace.write("sent", {"type": "x"}, 0.0)
        trace.write("sent", {"type": "x"}, 0.0)

    assert [record.message for record in caplog.records] == [
        "! the trace ends here: [Errno 28] No space left on device"
    ]


def test_after_the_end_of_the_call_nothing_is_written(path):
    with closing(Trace(path)) as trace:
        trace.write("sent", {"type": "x"}, 0.0)
    trace.write("sent", {"type": "too late"}, 0.0)

    assert len(lines_of(path)) == 1
