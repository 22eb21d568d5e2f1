"""The engine as a client meets it; every event is judged by the official SDK's types."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.practice.engine.engine import MAX_ITEMS, Engine
from components.practice.engine.outputs import Close, Forget, Speak, Think
from components.practice.engine.outputs import Transcribe as TranscribeRequest
from components.practice.engine.validate import MAX_APPEND_BYTES
from tests.practice.drive import Drive, Outputs, audio

VAD = {"type": "server_vad", "silence_duration_ms": 500}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "event_id", "session", "item", "audio", "response", "item_id"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "session.update",
        "input_audio_buffer.append",
        "conversation.item.create",
        "conversation.item.truncate",
        "response.create",
        "response.cancel",
    ]
)


def test_a_spoken_turn_has_the_order_of_the_api() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    asked = drive.spoken_turn("what time is it")
    answered = drive.say(drive.think(asked), "It is noon.")

    assert [t for t in asked.types if t != "Recognise"] == [
        "Detect",
        "input_audio_buffer.speech_started",
        "Detect",
        "Pause",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "Transcribe",
        "response.created",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "Think",
    ]
    assert answered.types == [
        "Speak",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        *["response.output_audio_transcript.delta", "response.output_audio.delta"] * 3,
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]


def test_bad_audio_is_refused() -> None:
    drive = Drive()

    broken = drive.send("input_audio_buffer.append", audio="*not base64*", event_id="a1")
    large = drive.send("input_audio_buffer.append", audio=audio(0) + "A" * 4 * 5242881)

    assert (broken.error["code"], broken.error["param"]) == ("invalid_value", "audio")
    assert broken.error["event_id"] == "a1"
    assert MAX_APPEND_BYTES < 5242881 * 3
    assert "15 MiB" in large.error["message"]


def idle_drive(timeout_ms: int | None = 5000) -> Drive:
    drive = Drive()
    drive.turn_detection({**VAD, "idle_timeout_ms": timeout_ms})
    return drive


def test_idle_time_counts_from_the_end_of_playback() -> None:
    drive = idle_drive()
    drive.now = 10.0
    drive.answered_turn("Five words make one second.")
    drive.user_sounds(4000, 0.0)

    assert drive.engine.deadline == 16.0
    assert drive.tick(15.9) == []
    fired = drive.tick(16.0)
    silence = fired.event("input_audio_buffer.timeout_triggered")
    assert fired.types == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "Speak",
    ]
    assert (silence["audio_start_ms"], silence["audio_end_ms"]) == (1500, 5500)
    assert fired.one(Speak).text == "Are you still there?"
    assert drive.engine.deadline == 3600


def test_speech_ends_the_idle_time() -> None:
    drive = idle_drive()
    drive.answered_turn()
    drive.user_sounds(500, 0.9)

    assert drive.tick(100.0) == []


@pytest.mark.parametrize("detection", [None, VAD, {"type": "semantic_vad"}])
def test_no_idle_timeout_no_question(detection: Any) -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.answered_turn()
    drive.turn_detection(detection)

    assert drive.tick(1000.0) == []


def test_a_session_expires() -> None:
    drive = Drive(session_seconds=3600)

    expired = drive.tick(3600.0)

    assert expired.error["code"] == "session_expired"
    assert expired.error["message"] == "Your session hit the maximum duration of 60 minutes."
    assert expired.one(Close) == Close(1001, "invalid_request_error.session_expired")
    assert drive.engine.deadline is None
    assert drive.tick(3601.0) == []


def test_a_session_not_yet_open_has_no_deadline() -> None:
    engine = Engine("practice-engine")

    assert engine.deadline is None
    assert engine.tick(9999) == []


def test_a_typed_turn() -> None:
    drive = Drive()

    typed = drive.type("what time is it", id="mine")
    created = drive.send("response.create")
    answered = drive.say(drive.think(created), "Noon.")

    assert typed.types == ["conversation.item.added", "conversation.item.done"]
    assert typed.events[0]["item"]["id"] == "mine"
    assert created.one(Think).words == "what time is it"
    assert answered.event("response.done")["response"]["status"] == "completed"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "conversation.item.delete", "item_id": "x"}, "item_delete_invalid_item_id"),
        ({"type": "conversation.item.retrieve", "item_id": "x"}, "item_retrieve_invalid_item_id"),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "x",
                "content_index": 0,
                "audio_end_ms": 0,
            },
            "item_truncate_invalid_item_id",
        ),
        ({"type": "response.cancel"}, "response_cancel_not_active"),
        ({"type": "response.cancel", "response_id": "x"}, "response_cancel_not_active"),
        (
            {
                "type": "response.create",
                "response": {"input": [{"type": "item_reference", "id": "x"}]},
            },
            "item_reference_invalid_item_id",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "x", "output": ""},
            },
            "invalid_tool_call_id",
        ),
        ({"type": "output_audio_buffer.clear"}, "invalid_value"),
        ({"type": "nonsense"}, "invalid_value"),
    ],
)
def test_what_is_not_there_is_an_error_with_the_clients_id(event: Any, code: str) -> None:
    refused = Drive().receive({**event, "event_id": "mine"})

    assert refused.types == ["error"]
    assert refused.error["code"] == code
    assert refused.error["event_id"] == "mine"
    assert refused.error["type"] == "invalid_request_error"


def test_a_conversation_has_an_end() -> None:
    drive = Drive()
    for _ in range(MAX_ITEMS):
        drive.engine.receive(
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call", "name": "f", "arguments": "{}"},
            },
            0,
        )

    assert "full" in drive.type("one more").error["message"]


def test_what_is_not_json_is_an_error() -> None:
    outputs = Outputs(Drive().engine.refuse("invalid_json", "This is not JSON."))

    assert outputs.error["code"] == "invalid_json"


def test_deleting_a_turn_frees_the_answer_that_waits_for_its_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    outputs = Outputs([*drive.user_sounds(1000, 0.9), *drive.user_sounds(500, 0.0)])
    item_id = outputs.one(TranscribeRequest).item_id

    deleted = drive.send("conversation.item.delete", item_id=item_id)

    assert deleted.types == ["conversation.item.deleted", "Forget", "Think"]
    assert deleted.one(Forget).item_id == item_id
    assert drive.engine.transcript(item_id, "late", 0) == []


def test_audio_given_as_an_item_is_transcribed() -> None:
    drive = Drive()
    content = [{"type": "input_audio", "audio": audio(500)}]

    created = drive.send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )
    item_id = created.events[0]["item"]["id"]
    drive.send("response.create")
    transcribed = Outputs(drive.engine.transcript(item_id, "from a file", 0))

    assert created.types[-2:] == ["Recognise", "Transcribe"]
    assert transcribed.types == ["Think"]
    assert transcribed.one(Think).words == "from a file"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        JSON
        | st.builds(
            lambda type_, rest: {**rest, "type": type_},
            TYPES,
            st.dictionaries(st.text(max_size=6), JSON, max_size=3),
        ),
        max_size=6,
    )
)
def test_garbage_is_answered_by_errors_and_nothing_else(messages: list[Any]) -> None:
    drive = Drive()

    for message in messages:
        outputs = drive.receive(message)
        assert set(outputs.types) <= {
            "error",
            "response.created",
            "Think",
            "response.done",
            "Cancel",
            "rate_limits.updated",
            "Detect",
        }
    assert drive.update().types == ["session.updated"]


def test_every_client_event_is_answered() -> None:
    """One session that uses each event of the API once, as it should be used."""
    drive = Drive()
    drive.turn_detection(VAD)
    drive.user_sounds(500, 0.0)
    answers = [drive.send("input_audio_buffer.clear")]
    drive.user_sounds(500, 0.0)
    answers.append(drive.send("input_audio_buffer.commit"))
    drive.engine.transcript(answers[-1].one(TranscribeRequest).item_id, "", 0)
    item_id, _ = drive.answered_turn("One two.")
    address = {"item_id": item_id, "content_index": 0, "audio_end_ms": 100}
    answers.append(drive.send("conversation.item.truncate", **address))
    answers.append(drive.send("conversation.item.retrieve", item_id=item_id))
    answers.append(drive.send("conversation.item.delete", item_id=item_id))
    response_id = drive.think(drive.spoken_turn())
    answers.append(drive.send("response.cancel", response_id=response_id))

    assert [outputs.types[0] for outputs in answers] == [
        "input_audio_buffer.cleared",
        "Recognise",
        "conversation.item.truncated",
        "conversation.item.retrieved",
        "conversation.item.deleted",
        "Cancel",
    ]


def test_a_call_is_answered_by_its_output() -> None:
    drive = Drive()
    response_id = drive.think(drive.send("response.create"))
    called = Outputs(drive.engine.call(response_id, "look", "{}", 0))
    drive.engine.thought(response_id, 0)
    output = {"type": "function_call_output", "output": "seen"}

    def give(call_id: str) -> Outputs:
        return drive.send("conversation.item.create", item={**output, "call_id": call_id})

    known = called.event("response.function_call_arguments.done")["call_id"]
    assert give("no_such_call").error["code"] == "invalid_tool_call_id"
    assert give(known).types == ["conversation.item.added", "conversation.item.done"]


def test_an_answer_can_fail() -> None:
    drive = Drive()
    response_id = drive.think(drive.send("response.create"))

    failed = Outputs(drive.engine.fail(response_id, "server_error", "Broken.", 0))

    assert failed.event("response.done")["response"]["status"] == "failed"


@pytest.mark.parametrize(("interrupts", "cancelled"), [(True, 1), (False, 0)])
def test_speech_interrupts_only_if_it_may(interrupts: bool, cancelled: int) -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "interrupt_response": interrupts})
    drive.spoken_turn()

    second = drive.spoken_turn()

    done = [event for event in second.events if event["type"] == "response.done"]
    refused = [event for event in second.events if event["type"] == "error"]
    assert (len(done), len(refused)) == (cancelled, 1 - cancelled)


def test_the_client_may_keep_responses_to_itself() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "create_response": False})

    outputs = Outputs([*drive.user_sounds(500, 0.9), *drive.user_sounds(500, 0.0)])

    assert "input_audio_buffer.committed" in outputs.types
    assert "response.created" not in outputs.types


def test_a_session_may_begin_as_its_client_secret_wants_it() -> None:
    drive = Drive(wanted={"type": "realtime", "instructions": "Be brief."})

    created = drive.opened.event("session.created")
    assert created["session"]["instructions"] == "Be brief."


def test_an_mcp_server_cannot_be_asked_for_its_tools_and_the_server_says_so_once() -> None:
    drive = Drive()
    server = {
        "type": "mcp",
        "server_label": "docs",
        "server_url": "https://example.com/mcp",
        "require_approval": "always",
    }

    told = drive.update(tools=[server])
    assert told.types == [
        "session.updated",
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.failed",
    ]
    added = told.event("conversation.item.added")
    assert added["item"]["server_label"] == "docs"
    assert added["previous_item_id"] is None
    assert told.event("mcp_list_tools.failed")["item_id"] == added["item"]["id"]
    assert drive.update(tools=[server]).types == ["session.updated"]

    drive.type("hello")
    again = drive.update(tools=[{**server, "server_label": "more"}, FUNCTION])
    assert again.event("conversation.item.added")["previous_item_id"] is not None


FUNCTION = {"type": "function", "name": "clock"}
