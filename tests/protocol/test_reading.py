"""What is read of a frame: its event's type, and the value of each event."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audio import encode
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    AudioDone,
    BufferCleared,
    BufferCommitted,
    ErrorEvent,
    Item,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemTruncated,
    Other,
    OutputBufferStarted,
    OutputBufferStopped,
    OutputItemAdded,
    OutputItemDone,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    TextDone,
    TranscriptDelta,
    TranscriptDone,
    TranscriptionDelta,
    TranscriptionDone,
    TranscriptionFailed,
)
from components.protocol.reading import parse, server_event
from components.protocol.usage import Usage

# Frames.


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


# Events as the API sends them.

SPOKEN = {
    "id": "a1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_audio", "transcript": "Hi."}],
}
CALL = {
    "id": "f1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "clock",
    "arguments": '{"place":"here"}',
}
READ_CALL = Item("f1", "tool", (), "call_1", "clock", '{"place":"here"}')
READ_SPOKEN = Item("a1", "assistant", ("Hi.",))
OF_ITEM = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 1}
TRANSCRIPTION = "conversation.item.input_audio_transcription"


@pytest.mark.parametrize(
    ("type_", "fields", "expected"),
    [
        ("session.created", {"session": {}}, SessionCreated(None, "")),
        (
            "session.created",
            {"session": {"expires_at": 1_800_000_000, "practice": {"notes": ["One.", "Two."]}}},
            SessionCreated(1_800_000_000.0, "One. Two."),
        ),
        ("session.updated", {"session": {}}, SessionUpdated(None, False)),
        (
            "session.updated",
            {
                "session": {
                    "expires_at": 1_800_000_000,
                    "audio": {"input": {"turn_detection": {"interrupt_response": True}}},
                }
            },
            SessionUpdated(1_800_000_000.0, True),
        ),
        *(
            (
                type_,
                {"session": {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}},
                expected,
            )
            for type_, expected in (
                ("session.created", SessionCreated(None, "", "whisper-1")),
                ("session.updated", SessionUpdated(None, False, "whisper-1")),
            )
        ),
        (
            "error",
            {"error": {"type": "t", "code": "c", "message": "m", "param": "p", "event_id": "e"}},
            ErrorEvent(ServerError("c", "t", "m", "p", "e")),
        ),
        (
            "rate_limits.updated",
            {"rate_limits": [{"name": "tokens", "remaining": 0, "reset_seconds": 20}]},
            RateLimitsUpdated(20.0),
        ),
        ("input_audio_buffer.speech_started", {"item_id": "u1"}, SpeechStarted("u1")),
        ("input_audio_buffer.speech_stopped", {"item_id": "u1"}, SpeechStopped("u1")),
        (
            "input_audio_buffer.committed",
            {"item_id": "u1", "previous_item_id": "a0"},
            BufferCommitted("u1", "a0"),
        ),
        ("input_audio_buffer.cleared", {}, BufferCleared()),
        (
            "conversation.item.added",
            {"item": SPOKEN, "previous_item_id": "u1"},
            ItemAdded(READ_SPOKEN, "u1"),
        ),
        ("conversation.item.done", {"item": CALL}, ItemDone(READ_CALL, None)),
        ("conversation.item.deleted", {"item_id": "u1"}, ItemDeleted("u1")),
        (
            "conversation.item.truncated",
            {"item_id": "a1", "content_index": 0, "audio_end_ms": 5},
            ItemTruncated("a1"),
        ),
        (
            f"{TRANSCRIPTION}.delta",
            {"item_id": "u1", "content_index": 1, "delta": "Hel"},
            TranscriptionDelta("u1", 1, "Hel"),
        ),
        (
            f"{TRANSCRIPTION}.completed",
            {
                "item_id": "u1",
                "content_index": 1,
                "transcript": "Hello.",
                "usage": {"type": "duration", "seconds": 1.5},
            },
            TranscriptionDone("u1", 1, "Hello.", Usage(transcription_s=1.5)),
        ),
        (f"{TRANSCRIPTION}.failed", {"item_id": "u1"}, TranscriptionFailed("u1")),
        ("response.created", {"response": {"id": "r1"}}, ResponseCreated("r1")),
        (
            "response.output_item.added",
            {"response_id": "r1", "item": SPOKEN},
            OutputItemAdded("r1", READ_SPOKEN),
        ),
        (
            "response.output_item.done",
            {"response_id": "r1", "item": CALL},
            OutputItemDone("r1", READ_CALL),
        ),
        (
            "response.output_text.delta",
            {**OF_ITEM, "delta": "Hi"},
            TextDelta("r1", "a1", 1, "Hi"),
        ),
        ("response.output_text.done", {**OF_ITEM, "text": "Hi."}, TextDone("r1", "a1", 1, "Hi.")),
        (
            "response.output_audio_transcript.delta",
            {**OF_ITEM, "delta": "Hi"},
            TranscriptDelta("r1", "a1", 1, "Hi"),
        ),
        (
            "response.output_audio_transcript.done",
            {**OF_ITEM, "transcript": "Hi."},
            TranscriptDone("r1", "a1", 1, "Hi."),
        ),
        (
            "response.output_audio.delta",
            {**OF_ITEM, "delta": encode(b"\1\0\2\0")},
            AudioDelta("r1", "a1", 1, b"\1\0\2\0"),
        ),
        ("response.output_audio.done", OF_ITEM, AudioDone("r1", "a1")),
        (
            "response.done",
            {
                "response": {
                    "id": "r1",
                    "status": "failed",
                    "status_details": {"type": "failed", "error": {"code": "server_error"}},
                    "output": [SPOKEN, CALL],
                    "usage": {"output_tokens": 7},
                }
            },
            ResponseDone(
                "r1",
                "failed",
                (READ_SPOKEN, READ_CALL),
                ServerError("server_error"),
                Usage(output_text=7),
            ),
        ),
        ("output_audio_buffer.started", {"response_id": "r1"}, OutputBufferStarted()),
        ("output_audio_buffer.stopped", {"response_id": "r1"}, OutputBufferStopped()),
        ("output_audio_buffer.cleared", {"response_id": "r1"}, OutputBufferStopped()),
        ("brand.new", {"item_id": "u1"}, Other("brand.new")),
        ("response.content_part.added", OF_ITEM, Other("response.content_part.added")),
    ],
)
def test_each_event_becomes_its_value(type_, fields, expected):
    frame = orjson.dumps({"type": type_, "event_id": "event_1", **fields})

    assert server_event(parse(frame)) == expected
