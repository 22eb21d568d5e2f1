"""What is written down of a call, and what never is."""

from contextlib import closing
from pathlib import Path

import orjson
import pytest

from components.upstream import trace as module
from components.upstream.trace import Trace
from components.upstream.wire import WireEvent


def lines_of(path):
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.jsonl"


def written(path, event):
    with closing(Trace(path)) as trace:
        trace.write(WireEvent("received", event, 0, 0.0))
    return lines_of(path)[-1]["received"]


def test_each_event_is_a_line_with_its_time_call_and_direction(path):
    with closing(Trace(path)) as trace:
        trace.write(WireEvent("sent", {"type": "response.cancel"}, 0, 1_700_000_000.12345))
        trace.write(WireEvent("received", {"type": "response.done", "n": 1}, 0, 1_700_000_001.0))

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
            one.write(WireEvent("sent", {"type": "one", "n": n}, 0, n))
            other.write(WireEvent("sent", {"type": "other", "n": n}, 0, n))

    first, *lines = lines_of(path)
    assert first == {"from": "another run"}
    assert [line["sent"]["type"] for line in lines] == ["one", "other"] * 3
    assert len({line["call"] for line in lines}) == 2


def test_an_event_is_shortened(path):
    event = {"type": "x", "audio": "AAAA", "message": "bad key sk-proj-1_2"}

    assert written(path, event) == {
        "type": "x",
        "audio": "(4 characters of audio)",
        "message": "bad key (key)",
    }


def test_server_that_never_stops_talking_does_not_fill_the_disk(path, caplog, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    with closing(Trace(path)) as trace:
        for number in range(1000):
            trace.write(
                WireEvent("received", {"type": "x", "text": "a" * 1000, "n": number}, 0, 0.0)
            )

    assert 90_000 < path.stat().st_size <= 100_000
    assert [record.message for record in caplog.records] == [
        "! the trace ends here: this call has filled 0 MB"
    ]


def test_what_json_cannot_hold_is_written_as_text(path):
    assert written(path, {"type": "x", "path": Path("a/b")}) == {"type": "x", "path": "a/b"}


def test_a_trace_that_cannot_be_opened_is_given_up_with_a_word(tmp_path, caplog):
    with closing(Trace(tmp_path)) as trace:
        trace.write(WireEvent("sent", {"type": "x"}, 0, 0.0))

    assert [record.message for record in caplog.records] == [
        f"! no trace: [Errno 21] Is a directory: '{tmp_path}'"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_trace_that_cannot_go_on_is_given_up_with_a_word(caplog):
    with closing(Trace(Path("/dev/full"))) as trace:
        trace.write(WireEvent("sent", {"type": "x"}, 0, 0.0))
        trace.write(WireEvent("sent", {"type": "x"}, 0, 0.0))

    assert [record.message for record in caplog.records] == [
        "! the trace ends here: [Errno 28] No space left on device"
    ]


def test_after_the_end_of_the_call_nothing_is_written(path):
    with closing(Trace(path)) as trace:
        trace.write(WireEvent("sent", {"type": "x"}, 0, 0.0))
    trace.write(WireEvent("sent", {"type": "too late"}, 0, 0.0))

    assert len(lines_of(path)) == 1
