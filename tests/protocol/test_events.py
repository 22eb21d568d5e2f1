"""What is read of a frame."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.protocol.events import parse


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("response.text.delta", "response.output_text.delta"),
        ("response.text.done", "response.output_text.done"),
        ("response.audio.delta", "response.output_audio.delta"),
        ("response.audio.done", "response.output_audio.done"),
        ("response.audio_transcript.delta", "response.output_audio_transcript.delta"),
        ("response.audio_transcript.done", "response.output_audio_transcript.done"),
        ("conversation.item.created", "conversation.item.added"),
        ("response.output_audio.delta", "response.output_audio.delta"),
        ("response.done", "response.done"),
        ("ping", "ping"),
        ("", ""),
    ],
)
def test_old_names_become_new_ones_and_the_rest_stays(old, new):
    frame = orjson.dumps({"type": old, "delta": "x", "type_": old})

    for form in (frame, frame.decode()):
        assert parse(form) == {"type": new, "delta": "x", "type_": old}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "null",
        "7",
        "[]",
        '["type"]',
        '"type"',
        "{}",
        '{"type":null}',
        '{"type":7}',
        '{"type":["session.created"]}',
        '{"type":"error"',
        '{"type":"error"}{"type":"error"}',
        '{"type":"error","x":NaN}',
        '{"type":"\\ud800"}',
        "\ud800",
        b"\x00\x01\x02",
        b"\xff\xfe{}",
        b"",
        '{"type":"a","x":' + "[" * 100_000 + "]" * 100_000 + "}",
        "<html><body>Welcome</body></html>",
    ],
    ids=lambda frame: repr(frame[:20]),
)
def test_what_is_no_event_is_refused(frame):
    with pytest.raises(ValueError, match=r"\w"):
        parse(frame)


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none(), st.lists).map(orjson.dumps)))
def test_no_frame_breaks_the_reader(frame):
    try:
        event = parse(frame)
    except ValueError:
        return
    assert isinstance(event["type"], str)
