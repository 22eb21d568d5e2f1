"""What is read of a frame: its event's type, and the value of each event."""

from typing import Any

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
from components.protocol.fields import MAX_PARTS, MOST_ID_CHARACTERS
from components.protocol.rate_limits import PAUSE_S
from components.protocol.reading import MOST_NOTE_CHARACTERS, MOST_OUTPUT, parse, server_event
from components.protocol.usage import Usage
from tests.hostile import events

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


# Events that are broken.


def read(event: dict[str, Any]) -> Any:
    """What an event says, of whichever type that is."""
    return server_event(event)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("session.created", SessionCreated(None, "")),
        ("session.updated", SessionUpdated(None, False)),
        ("error", ErrorEvent(ServerError())),
        ("rate_limits.updated", RateLimitsUpdated(PAUSE_S)),
        ("input_audio_buffer.speech_started", SpeechStarted("")),
        ("input_audio_buffer.speech_stopped", SpeechStopped("")),
        ("input_audio_buffer.committed", BufferCommitted("", None)),
        ("conversation.item.added", ItemAdded(Item("", "tool"), None)),
        ("conversation.item.done", ItemDone(Item("", "tool"), None)),
        ("conversation.item.deleted", ItemDeleted("")),
        ("conversation.item.truncated", ItemTruncated("")),
        (f"{TRANSCRIPTION}.completed", TranscriptionDone("", 0, "", Usage())),
        (f"{TRANSCRIPTION}.failed", TranscriptionFailed("")),
        ("response.created", ResponseCreated("")),
        ("response.output_item.added", OutputItemAdded("", Item("", "tool"))),
        ("response.output_item.done", OutputItemDone("", Item("", "tool"))),
        ("response.output_audio.done", AudioDone("", "")),
        ("response.done", ResponseDone("", "", (), ServerError(), Usage())),
        *(
            (type_, Other(type_))
            for type_ in (
                f"{TRANSCRIPTION}.delta",
                "response.output_text.delta",
                "response.output_text.done",
                "response.output_audio_transcript.delta",
                "response.output_audio_transcript.done",
                "response.output_audio.delta",
            )
        ),
    ],
)
@pytest.mark.parametrize("odd", ["missing", 7, ["x"], True])
def test_fields_that_cannot_be_used_are_as_good_as_missing(type_, expected, odd):
    names = [
        *("session", "error", "rate_limits", "item_id", "previous_item_id", "item", "delta"),
        *("response_id", "response", "usage", "transcript", "text"),
    ]
    fields = {} if odd == "missing" else dict.fromkeys(names, odd)

    assert read({"type": type_, **fields}) == expected


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        (1, 1.0),
        (1_800_000_000.5, 1_800_000_000.5),
        (253_402_300_799, 253_402_300_799.0),
        (253_402_300_800, None),
        (10**400, None),
        (0, None),
        (-1, None),
        (float("inf"), None),
        (float("-inf"), None),
        (float("nan"), None),
        (True, None),
        ("1800000000", None),
        (None, None),
        ([1_800_000_000], None),
    ],
)
@pytest.mark.parametrize("type_", ["session.created", "session.updated"])
def test_the_end_of_a_session_is_a_moment_before_the_year_10000_or_unknown(
    type_, expires_at, expected
):
    event = read({"type": type_, "session": {"expires_at": expires_at}})

    assert event.expires_at == expected


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        (["One.", 7, None, "Two."], "One. Two."),
        ("One.", ""),
        (None, ""),
        ([], ""),
        (["x" * (MOST_NOTE_CHARACTERS + 1)], "x" * MOST_NOTE_CHARACTERS),
        (["a\ud83db"], "a?b"),
    ],
)
def test_notes_of_a_practice_server_are_read_as_far_as_they_are_text(notes, expected):
    event = {"type": "session.created", "session": {"practice": {"notes": notes}}}

    assert read(event).notes == expected


@pytest.mark.parametrize("value", [1, "true", None, {"x": 1}, [True], False])
def test_only_a_server_that_says_so_interrupts_by_itself(value):
    audio = {"input": {"turn_detection": {"interrupt_response": value}}}

    assert not read({"type": "session.updated", "session": {"audio": audio}}).interrupts


@pytest.mark.parametrize(
    ("fields", "previous"),
    [
        ({"previous_item_id": "u1"}, "u1"),
        ({"previous_item_id": None}, ""),
        ({}, None),
        ({"previous_item_id": ""}, None),
        ({"previous_item_id": 7}, None),
        ({"previous_item_id": "x" * (MOST_ID_CHARACTERS + 1)}, None),
    ],
)
@pytest.mark.parametrize(
    "type_", ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
)
def test_no_predecessor_and_an_unknown_one_are_told_apart(type_, fields, previous):
    assert read({"type": type_, **fields}).previous_item_id == previous


@pytest.mark.parametrize("item_id", ["x" * (MOST_ID_CHARACTERS + 1), "\ud83d", 7, None, ["u1"]])
def test_an_id_that_cannot_be_named_again_is_empty(item_id):
    started = {"type": "input_audio_buffer.speech_started", "item_id": item_id}

    assert read(started) == SpeechStarted("")


def read_item(**fields):
    return read({"type": "conversation.item.added", "item": fields}).item


@pytest.mark.parametrize(
    ("type_", "role", "expected"),
    [
        ("message", "user", "user"),
        ("message", "assistant", "assistant"),
        ("message", "system", None),
        ("message", None, None),
        ("message", ["user"], None),
        ("function_call", "user", "tool"),
        ("function_call_output", None, "tool"),
        ("mcp_list_tools", None, "tool"),
        (None, "user", "tool"),
        (["message"], "user", "tool"),
    ],
)
def test_an_item_is_of_a_speaker_or_of_a_tool_or_of_neither(type_, role, expected):
    assert read_item(id="i1", type=type_, role=role).role == expected


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ([{"type": "input_text", "text": "One"}, {"transcript": "Two"}], ("One", "Two")),
        ([{"text": "", "transcript": "Two"}], ("Two",)),
        ([{"text": "One", "transcript": "Two"}], ("One",)),
        ([{"type": "input_audio", "transcript": None}, {"text": "Two"}], ("", "Two")),
        ([{"text": "One"}, {"type": "output_audio"}, {"text": ""}], ("One",)),
        (["nonsense", {"text": 5}, None, []], ()),
        ([{}] * MAX_PARTS + [{"text": "beyond"}], ()),
        ("nonsense", ()),
        ({"text": "One"}, ()),
        (None, ()),
    ],
)
def test_the_parts_of_an_item_are_read_up_to_the_last_that_has_words(content, parts):
    assert read_item(id="i1", type="message", role="user", content=content).parts == parts


@pytest.mark.parametrize(
    ("changes", "call_id"),
    [
        ({}, "call_1"),
        ({"status": None}, "call_1"),
        ({"status": "incomplete"}, ""),
        ({"status": "in_progress"}, ""),
        ({"type": "mcp_call"}, ""),
        ({"type": "function_call_output", "output": "12:00"}, ""),
        ({"call_id": 7}, ""),
    ],
)
def test_only_a_function_call_that_is_whole_can_be_run(changes, call_id):
    assert read_item(**{**CALL, **changes}).call_id == call_id


def test_a_result_brings_its_output():
    item = read_item(id="o1", type="function_call_output", call_id="call_1", output="12:00")

    assert item == Item("o1", "tool", output="12:00")


def test_the_items_of_a_response_are_read_up_to_a_number():
    output = ["nonsense", *[SPOKEN] * (MOST_OUTPUT - 2), None, CALL]
    done = read({"type": "response.done", "response": {"output": output}})

    assert done.output == (READ_SPOKEN,) * (MOST_OUTPUT - 2)
    nothing = read({"type": "response.done", "response": {"output": "nonsense"}})
    assert nothing.output == ()


ABSURD = [-1, MAX_PARTS, 10**9, "0", None, 0.0]


@pytest.mark.parametrize("index", ABSURD)
@pytest.mark.parametrize(
    "type_",
    [
        f"{TRANSCRIPTION}.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
    ],
)
def test_words_of_an_absurd_part_are_no_words(type_, index):
    event = {"type": type_, "item_id": "a1", "content_index": index, "delta": "x", "text": "x"}

    assert read(event) == Other(type_)


@pytest.mark.parametrize("index", ABSURD)
def test_sound_of_an_absurd_part_is_sound_of_the_first(index):
    event = {"type": "response.output_audio.delta", "delta": encode(b"\1\0"), "item_id": "a1"}

    assert read({**event, "content_index": index}) == AudioDelta("", "a1", 0, b"\1\0")


@pytest.mark.parametrize("index", ABSURD)
def test_a_transcription_of_an_absurd_part_has_been_billed_all_the_same(index):
    event = {
        "type": f"{TRANSCRIPTION}.completed",
        "item_id": "u1",
        "content_index": index,
        "transcript": "Hello.",
        "usage": {"seconds": 2},
    }

    done = read(event)

    assert done.item_id == ""
    assert done.usage == Usage(transcription_s=2.0)


@pytest.mark.parametrize("delta", ["no base64", "A", "", None, 7, ["AAAA"]])
def test_sound_that_cannot_be_decoded_is_a_sign_of_life_only(delta):
    event = read({"type": "response.output_audio.delta", "item_id": "a", "delta": delta})

    assert event == (AudioDelta("", "a", 0, b"") if delta == "" else Other(event.type))


@pytest.mark.parametrize(
    "type_", ["response.output_text.done", "response.output_audio_transcript.done"]
)
def test_final_words_are_found_under_either_name(type_):
    event = {"type": type_, "item_id": "a1"}

    assert read({**event, "text": "Hi."}).words == "Hi."
    assert read({**event, "transcript": "Hi."}).words == "Hi."
    assert read({**event, "transcript": "", "text": "Hi."}).words == "Hi."
    assert read(event).words == ""


def test_a_transcription_is_found_under_either_name():
    event = {"type": f"{TRANSCRIPTION}.completed", "item_id": "u1"}

    assert read({**event, "text": "Hi."}).words == "Hi."


@given(events())
def test_no_event_breaks_the_reader(event):
    said = server_event(event)

    hash(said)  # whatever a server has sent, only plain values are left
    assert said == server_event(event)
