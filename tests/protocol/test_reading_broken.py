"""What is left of events that a server has sent wrong."""

from typing import Any

import pytest
from hypothesis import given

from components.audio import encode
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    AudioDone,
    BufferCommitted,
    ErrorEvent,
    Item,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemTruncated,
    Other,
    OutputItemAdded,
    OutputItemDone,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TranscriptionDone,
    TranscriptionFailed,
)
from components.protocol.fields import MAX_PARTS, MOST_ID_CHARACTERS
from components.protocol.rate_limits import PAUSE_S
from components.protocol.reading import MOST_NOTE_CHARACTERS, MOST_OUTPUT, server_event
from components.protocol.usage import Usage
from tests.hostile_events import events

CALL = {
    "id": "f1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "clock",
    "arguments": '{"place":"here"}',
}
TRANSCRIPTION = "conversation.item.input_audio_transcription"


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
        (f"{TRANSCRIPTION}.completed", TranscriptionDone("", 0, "", Usage(unreported=1))),
        (f"{TRANSCRIPTION}.failed", TranscriptionFailed("")),
        ("response.created", ResponseCreated("")),
        ("response.output_item.added", OutputItemAdded("", Item("", "tool"))),
        ("response.output_item.done", OutputItemDone("", Item("", "tool"))),
        ("response.output_audio.done", AudioDone("", "")),
        ("response.done", ResponseDone("", "", (), ServerError(), Usage(unreported=1))),
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

    assert item == Item("o1", "tool", output="12:00", result_of="call_1")


def test_the_items_of_a_response_are_read_up_to_a_number():
    entry = {"id": "a1", "type": "message", "role": "assistant"}
    output = ["nonsense", *[entry] * (MOST_OUTPUT - 2), None, CALL]
    done = read({"type": "response.done", "response": {"output": output}})

    assert done.output == (Item("a1", "assistant"),) * (MOST_OUTPUT - 2)
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
