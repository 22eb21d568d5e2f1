"""The engine as a client meets it; every event is judged by the official SDK's types."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audio import decode
from components.practice.engine import MAX_ITEMS, Engine
from components.practice.outputs import Cancel, Close, Forget, Hear, Listen, Speak, Think
from components.practice.outputs import Transcribe as TranscribeRequest
from components.practice.sessions import DEFAULT_INSTRUCTIONS
from components.practice.validate import MAX_APPEND_BYTES
from tests.practice.drive import Drive, Outputs, audio

NO_VAD = None
VAD = {"type": "server_vad", "silence_duration_ms": 500}
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}


def test_a_session_begins_with_all_its_values() -> None:
    drive = Drive(unix_time=1000, notes=["No ears."], session_seconds=60)

    session = drive.opened.events[0]["session"]

    assert drive.opened.types == ["session.created", "conversation.created"]
    assert session["expires_at"] == 1060
    assert session["instructions"] == DEFAULT_INSTRUCTIONS
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200
    assert session["practice"]["notes"] == ["No ears."]
    assert "ignores the instructions" in session["practice"]["remarks"][0]


def test_a_chat_model_does_not_ignore_instructions() -> None:
    session = Drive(rules=False).opened.events[0]["session"]

    assert not any("instructions" in remark for remark in session["practice"]["remarks"])


def test_a_spoken_turn_has_the_order_of_the_api() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    asked = drive.spoken_turn("what time is it")
    answered = drive.say(drive.think(asked), "It is noon.")

    assert [t for t in asked.types if t != "Hear"] == [
        "Listen",
        "input_audio_buffer.speech_started",
        "Listen",
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


def test_a_turn_is_one_item_from_the_announcement_on() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    asked = drive.spoken_turn()
    started = asked.event("input_audio_buffer.speech_started")
    stopped = asked.event("input_audio_buffer.speech_stopped")
    added = asked.event("conversation.item.added")

    assert started["audio_start_ms"] == 0
    assert stopped["audio_end_ms"] == 1500
    assert started["item_id"] == stopped["item_id"] == added["item"]["id"]
    assert added["previous_item_id"] is None
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]


def test_the_start_includes_the_prefix_padding_and_so_does_the_audio() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "prefix_padding_ms": 300})
    drive.hear(1000, 0.0)

    asked = drive.spoken_turn()
    started = asked.event("input_audio_buffer.speech_started")
    fed = b"".join(output.pcm for output in asked if isinstance(output, Hear))
    retrieved = drive.send("conversation.item.retrieve", item_id=started["item_id"])
    content = retrieved.event("conversation.item.retrieved")["item"]["content"][0]

    assert started["audio_start_ms"] == 700
    assert len(fed) == len(decode(content["audio"])) == (300 + 1000 + 500) * 48
    assert content["transcript"] == "hello there"


def test_positions_go_on_across_turns() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "create_response": False})
    drive.spoken_turn()

    second = drive.spoken_turn()

    assert second.event("input_audio_buffer.speech_started")["audio_start_ms"] == 1500
    assert second.event("input_audio_buffer.speech_stopped")["audio_end_ms"] == 3000
    assert "response.created" not in second.types


def test_the_answer_waits_for_the_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    outputs = Outputs([*drive.hear(1000, 0.9), *drive.hear(500, 0.0)])

    assert "response.created" in outputs.types
    assert "Think" not in outputs.types


@pytest.mark.parametrize(
    ("heard", "code"), [("", "audio_unintelligible"), (None, "transcription_unavailable")]
)
def test_no_words_are_a_failed_transcription(heard: str | None, code: str) -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    asked = drive.spoken_turn(heard)
    failed = asked.event("conversation.item.input_audio_transcription.failed")

    assert failed["error"]["code"] == code
    think: Think = asked.one(Think)
    assert (think.heard, think.seconds) == (heard, 1.5)


def test_without_transcription_only_the_brain_learns_the_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD, transcribe=False)

    asked = drive.spoken_turn("secret words")

    assert not any("transcription" in type_ for type_ in asked.types)
    think: Think = asked.one(Think)
    assert think.heard == "secret words"
    assert think.items[0]["content"][0]["transcript"] == "secret words"


def test_semantic_turns_end_after_a_pause() -> None:
    drive = Drive()
    drive.turn_detection({"type": "semantic_vad", "eagerness": "high"})
    drive.hear(1000, 0.9)

    assert "input_audio_buffer.speech_stopped" not in drive.hear(380, 0.0).types
    assert "input_audio_buffer.speech_stopped" in drive.hear(20, 0.0).types


def test_speech_interrupts_the_answer() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    drive.engine.say(response_id, "One two three.", 0)
    drive.sound(response_id, "One two ")

    barge_in = drive.hear(200, 0.9)
    response = barge_in.event("response.done")["response"]

    assert [t for t in barge_in.types if t not in ("Listen", "Hear")] == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "Cancel",
        "response.done",
        "rate_limits.updated",
    ]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["usage"] is None
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["transcript"] == "One two "


def test_late_results_of_an_interrupted_answer_are_ignored() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    drive.hear(200, 0.9)

    assert drive.say(response_id, "Too late.") == []
    assert drive.sound(response_id, "Too late.") == []
    assert drive.engine.call(response_id, "look", "{}", 0) == []
    assert drive.engine.said(response_id, 0) == []
    assert drive.engine.fail(response_id, "x", "x", 0) == []


def test_an_answer_that_may_not_be_interrupted_goes_on() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "interrupt_response": False})
    response_id = drive.think(drive.spoken_turn())

    second = drive.spoken_turn()

    assert "response.done" not in second.types
    assert second.error["code"] == "conversation_already_has_active_response"
    assert response_id in second.error["message"]
    assert second.error["event_id"] is None


def test_nothing_is_detected_without_turn_detection() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)

    outputs = drive.hear(1000, 0.9)

    assert outputs.types == ["Hear"]
    assert drive.engine.heard([0.9] * 100, 0) == []


def test_push_to_talk() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    first = drive.hear(300, 0.9).one(Hear)
    second = drive.hear(200, 0.9).one(Hear)

    committed = drive.send("input_audio_buffer.commit")
    item_id = committed.event("input_audio_buffer.committed")["item_id"]
    created = drive.send("response.create")
    heard = Outputs(drive.engine.transcript(item_id, "hello", 0))

    assert first.item_id == second.item_id == item_id
    assert (len(first.pcm), len(second.pcm)) == (300 * 48, 200 * 48)
    assert committed.types == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "Transcribe",
    ]
    assert created.types == ["response.created"]
    assert heard.types[-1] == "Think"


@pytest.mark.parametrize("length_ms", [0, 99])
def test_a_commit_needs_100_ms(length_ms: int) -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    drive.hear(length_ms, 0.9)

    refused = drive.send("input_audio_buffer.commit", event_id="c1")

    assert refused.error["code"] == "input_audio_buffer_commit_empty"
    assert refused.error["event_id"] == "c1"
    assert f"only has {length_ms}.00ms" in refused.error["message"]


def test_clearing_forgets_the_audio_but_not_the_position() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    drive.hear(500, 0.9)

    cleared = drive.send("input_audio_buffer.clear")
    drive.hear(200, 0.9)
    committed = drive.send("input_audio_buffer.commit")
    item_id = committed.event("input_audio_buffer.committed")["item_id"]
    item = drive.send("conversation.item.retrieve", item_id=item_id).events[0]["item"]

    assert cleared.types == ["Forget", "input_audio_buffer.cleared"]
    assert len(decode(item["content"][0]["audio"])) == 200 * 48


def test_clearing_ends_the_speech_under_way() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.hear(500, 0.9)

    cleared = drive.send("input_audio_buffer.clear")
    again = drive.hear(500, 0.9)

    assert cleared.types == ["Forget", "input_audio_buffer.cleared"]
    assert again.event("input_audio_buffer.speech_started")["audio_start_ms"] == 500


def test_a_commit_under_turn_detection_ends_the_turn() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.hear(1000, 0.0)
    started = drive.hear(500, 0.9).event("input_audio_buffer.speech_started")

    committed = drive.send("input_audio_buffer.commit")
    quiet = drive.hear(1000, 0.0)

    assert committed.event("input_audio_buffer.committed")["item_id"] == started["item_id"]
    assert "response.created" not in committed.types
    assert quiet.types == ["Listen"]


def test_a_commit_of_quiet_audio_is_heard_whole() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.hear(500, 0.0)

    committed = drive.send("input_audio_buffer.commit")

    assert len(committed.one(Hear).pcm) == 500 * 48


def test_a_quiet_buffer_keeps_its_last_minute() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    for _ in range(70):
        drive.hear(1000, 0.0)

    assert len(drive.send("input_audio_buffer.commit").one(Hear).pcm) == 60_000 * 48


def test_a_turn_without_end_is_ended() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    outputs = Outputs([output for _ in range(31) for output in drive.hear(10_000, 0.9)])

    assert outputs.event("input_audio_buffer.speech_stopped")["audio_end_ms"] == 300_020


def test_a_full_buffer_refuses_more() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    for _ in range(72):
        drive.hear(10_000, 0.9)

    refused = drive.send("input_audio_buffer.append", audio=audio(1000))

    assert refused.error["code"] == "input_audio_buffer_full"


def test_bad_audio_is_refused() -> None:
    drive = Drive()

    broken = drive.send("input_audio_buffer.append", audio="*not base64*", event_id="a1")
    large = drive.send("input_audio_buffer.append", audio=audio(0) + "A" * 4 * 5242881)

    assert (broken.error["code"], broken.error["param"]) == ("invalid_value", "audio")
    assert broken.error["event_id"] == "a1"
    assert MAX_APPEND_BYTES < 5242881 * 3
    assert "15 MiB" in large.error["message"]


def test_turn_detection_switched_on_starts_with_the_next_audio() -> None:
    drive = Drive()
    drive.turn_detection(NO_VAD)
    drive.hear(1000, 0.9)

    switched = drive.turn_detection(VAD)
    listening = drive.hear(200, 0.9)

    assert switched.types == ["Forget", "session.updated"]
    assert listening.one(Listen).reset
    assert listening.event("input_audio_buffer.speech_started")["audio_start_ms"] == 700


def test_turn_detection_changed_during_speech_keeps_the_turn() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.hear(500, 0.9)

    assert drive.turn_detection({**VAD, "silence_duration_ms": 100}).types == ["session.updated"]
    assert "input_audio_buffer.speech_stopped" in drive.hear(100, 0.0).types


def test_turn_detection_switched_off_during_speech_leaves_the_audio() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.hear(500, 0.9)

    assert drive.turn_detection(NO_VAD).types == ["Forget", "session.updated"]
    assert len(drive.hear(100, 0.9).one(Hear).pcm) == 600 * 48


def idle_drive(timeout_ms: int | None = 5000) -> Drive:
    drive = Drive()
    drive.turn_detection({**VAD, "idle_timeout_ms": timeout_ms})
    return drive


def test_idle_time_counts_from_the_end_of_playback() -> None:
    drive = idle_drive()
    drive.now = 10.0
    drive.answered_turn("Five words make one second.")
    drive.hear(4000, 0.0)

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


def test_the_silence_goes_back_no_further_than_the_timeout() -> None:
    drive = idle_drive()
    drive.answered_turn()
    drive.hear(9000, 0.0)

    silence = drive.tick(30.0).event("input_audio_buffer.timeout_triggered")

    assert (silence["audio_start_ms"], silence["audio_end_ms"]) == (5500, 10_500)


def test_speech_ends_the_idle_time() -> None:
    drive = idle_drive()
    drive.answered_turn()
    drive.hear(500, 0.9)

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


def test_an_update_changes_what_it_names() -> None:
    drive = Drive()

    updated = drive.update(instructions="", audio={"output": {"voice": "cedar"}})
    session = updated.event("session.updated")["session"]

    assert session["instructions"] == ""
    assert session["audio"]["output"]["voice"] == "cedar"
    assert session["audio"]["output"]["speed"] == 1.0
    assert session["audio"]["input"] == drive.opened.events[0]["session"]["audio"]["input"]


def test_one_bad_field_rejects_the_whole_update() -> None:
    drive = Drive()

    refused = drive.update(instructions="New.", reasoning={"effort": "low"})
    session = drive.update().event("session.updated")["session"]

    assert refused.error["param"] == "session.reasoning"
    assert session["instructions"] == DEFAULT_INSTRUCTIONS


def test_a_voice_is_fixed_by_the_first_sound() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.answered_turn()

    refused = drive.update(audio={"output": {"voice": "cedar"}})
    same = drive.update(audio={"output": {"voice": "marin", "speed": 0.5}})
    one_answer = drive.send("response.create", response={"audio": {"output": {"voice": "ash"}}})

    assert refused.error["code"] == "cannot_update_voice"
    assert same.types == ["session.updated"]
    assert one_answer.error["param"] == "response.audio.output.voice"


def test_a_typed_turn() -> None:
    drive = Drive()

    typed = drive.type("what time is it", id="mine")
    created = drive.send("response.create")
    answered = drive.say(drive.think(created), "Noon.")

    assert typed.types == ["conversation.item.added", "conversation.item.done"]
    assert typed.events[0]["item"]["id"] == "mine"
    assert created.one(Think).heard == "what time is it"
    assert answered.event("response.done")["response"]["status"] == "completed"


def test_items_go_where_they_are_told() -> None:
    drive = Drive()
    drive.type("a", id="a")

    root = drive.send(
        "conversation.item.create",
        previous_item_id="root",
        item={
            "id": "r",
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "Be kind."}],
        },
    )
    between = drive.send(
        "conversation.item.create",
        previous_item_id="r",
        item={
            "id": "b",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "b"}],
        },
    )
    think: Think = drive.send("response.create").one(Think)

    assert root.events[0]["previous_item_id"] is None
    assert between.events[0]["previous_item_id"] == "r"
    assert [item["id"] for item in think.items] == ["r", "b", "a"]


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


def test_an_id_is_used_once_and_a_predecessor_must_exist() -> None:
    drive = Drive()
    drive.type("a", id="a")
    content = [{"type": "input_text", "text": "b"}]
    item = {"type": "message", "role": "user", "content": content}

    reused = drive.type("again", id="a")
    lost = drive.send("conversation.item.create", previous_item_id="no", item=item)

    assert reused.error["param"] == "item.id"
    assert lost.error["param"] == "previous_item_id"


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


def test_deleted_items_are_gone() -> None:
    drive = Drive()
    drive.type("a", id="a")

    assert drive.send("conversation.item.delete", item_id="a").types == [
        "conversation.item.deleted"
    ]
    assert drive.send("response.create").one(Think).items == ()


def test_deleting_a_turn_frees_the_answer_that_waits_for_its_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    outputs = Outputs([*drive.hear(1000, 0.9), *drive.hear(500, 0.0)])
    item_id = outputs.one(TranscribeRequest).item_id

    deleted = drive.send("conversation.item.delete", item_id=item_id)

    assert deleted.types == ["conversation.item.deleted", "Forget", "Think"]
    assert deleted.one(Forget).item_id == item_id
    assert drive.engine.transcript(item_id, "late", 0) == []


def test_truncating_cuts_sound_and_words() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    item_id, _ = drive.answered_turn("One two three four.")

    cut = drive.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=400
    )
    item = drive.send("conversation.item.retrieve", item_id=item_id).events[0]["item"]

    assert cut.event("conversation.item.truncated")["audio_end_ms"] == 400
    assert item["content"][0]["transcript"] == "One two "
    assert len(decode(item["content"][0]["audio"])) == 400 * 48


def test_truncating_refuses_what_it_cannot_cut() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    item_id, _ = drive.answered_turn("One two three four.")
    drive.type("a", id="typed")

    def cut(item_id: str, index: int, end_ms: int) -> dict[str, Any]:
        return drive.send(
            "conversation.item.truncate",
            item_id=item_id,
            content_index=index,
            audio_end_ms=end_ms,
        ).error

    assert cut(item_id, 0, 801)["message"] == "Audio content of 800ms is already shorter than 801ms"
    assert cut(item_id, 0, 801)["code"] is None
    assert cut(item_id, 1, 0)["param"] == "content_index"
    assert cut("typed", 0, 0)["message"] == "Only model output audio messages can be truncated"


def test_an_answer_truncated_under_way_stays_cut() -> None:
    drive = Drive()
    drive.turn_detection({**VAD, "interrupt_response": False})
    response_id = drive.think(drive.spoken_turn())
    drive.engine.say(response_id, "One two three.", 0)
    item_id = drive.sound(response_id, "One two ").event("response.output_item.added")["item"]["id"]
    drive.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=200)

    drive.sound(response_id, "three.")
    item = drive.send("conversation.item.retrieve", item_id=item_id).events[0]["item"]

    assert item["content"][0]["transcript"] == "One "


def test_cancelling_by_hand() -> None:
    drive = Drive()
    drive.type("a")
    response_id = drive.think(drive.send("response.create"))

    cancelled = drive.send("response.cancel", response_id=response_id)
    response = cancelled.event("response.done")["response"]

    assert cancelled.one(Cancel).response_id == response_id
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert response["output"] == []
    assert drive.send("response.create").types == ["response.created", "Think"]


def test_one_answer_at_a_time() -> None:
    drive = Drive()
    drive.type("a")
    response_id = drive.think(drive.send("response.create"))

    refused = drive.send("response.create", event_id="second")

    assert refused.error["code"] == "conversation_already_has_active_response"
    assert refused.error["event_id"] == "second"
    assert response_id in refused.error["message"]


def test_answers_beside_the_conversation_run_at_the_same_time() -> None:
    drive = Drive()
    drive.type("a", id="a")
    main = drive.think(drive.send("response.create"))
    content = [{"type": "input_text", "text": "Translate."}]
    beside = drive.send(
        "response.create",
        response={
            "conversation": "none",
            "metadata": {"topic": "aside"},
            "output_modalities": ["text"],
            "input": [
                {"type": "item_reference", "id": "a"},
                {"type": "message", "role": "user", "content": content},
            ],
        },
    )

    answered = drive.say(drive.think(beside), "Done so.")
    response = answered.event("response.done")["response"]

    assert beside.one(Think).heard == "Translate."
    assert len(beside.one(Think).items) == 2
    assert response["conversation_id"] is None
    assert response["metadata"] == {"topic": "aside"}
    assert not any(type_.startswith("conversation.") for type_ in answered.types)
    assert "response.done" in drive.say(main, "Still here.").types


def test_answers_beside_the_conversation_are_limited() -> None:
    drive = Drive()
    for _ in range(17):
        assert (
            "response.created"
            in drive.send("response.create", response={"conversation": "none"}).types
        )

    refused = drive.send("response.create", response={"conversation": "none"})

    assert "Too many" in refused.error["message"]


def test_speech_leaves_answers_beside_the_conversation_alone() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.send("response.create", response={"conversation": "none"})

    assert "response.done" not in drive.hear(500, 0.9).types


def test_text_answers_have_no_sound() -> None:
    drive = Drive()
    drive.update(output_modalities=["text"])
    drive.type("a")

    answered = drive.say(drive.think(drive.send("response.create")), "Two words.")

    assert answered.types == [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert answered.event("response.output_text.done")["text"] == "Two words."
    usage = answered.event("response.done")["response"]["usage"]
    assert usage["output_token_details"] == {"text_tokens": 3, "audio_tokens": 0}


def test_a_request_overrides_the_session_for_one_answer() -> None:
    drive = Drive()
    drive.update(tools=[TOOL])
    drive.type("a")

    created = drive.send(
        "response.create",
        response={
            "instructions": "Only now.",
            "tools": [],
            "tool_choice": "none",
            "max_output_tokens": 9,
            "audio": {"output": {"voice": "verse"}},
        },
    )
    think: Think = created.one(Think)
    response = created.event("response.created")["response"]

    assert (think.instructions, think.tools, think.tool_choice) == ("Only now.", [], "none")
    assert response["max_output_tokens"] == 9
    assert response["audio"]["output"]["voice"] == "verse"
    assert response["metadata"] is None


def test_a_function_call_and_its_output() -> None:
    drive = Drive()
    drive.update(tools=[TOOL], tool_choice={"type": "function", "name": "look"})
    drive.type("look")
    response_id = drive.think(drive.send("response.create"))
    called = Outputs(
        [
            *drive.engine.call(response_id, "look", '{"at":"me"}', 0),
            *drive.engine.thought(response_id, 0),
        ]
    )
    call = called.event("response.function_call_arguments.done")

    output = drive.send(
        "conversation.item.create",
        item={"type": "function_call_output", "call_id": call["call_id"], "output": "seen"},
    )
    think: Think = drive.send("response.create").one(Think)

    assert called.types == [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert (call["name"], call["arguments"]) == ("look", '{"at":"me"}')
    assert called.event("response.output_item.added")["item"]["arguments"] == ""
    assert output.types == ["conversation.item.added", "conversation.item.done"]
    assert think.items[-1]["output"] == "seen"


def test_speech_and_a_call_in_one_answer() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    speak = Outputs(drive.engine.say(response_id, "One moment.", 0))
    waiting = drive.engine.call(response_id, "look", "{}", 0)
    drive.engine.thought(response_id, 0)
    drive.sound(response_id, "One moment.")

    rest = Outputs(drive.engine.said(response_id, 0))

    assert speak.types == ["Speak"]
    assert waiting == []
    response = rest.event("response.done")["response"]
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]
    assert rest.event("response.function_call_arguments.done")["output_index"] == 1


def test_sentences_of_one_answer_are_one_message() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    response_id = drive.think(drive.spoken_turn())
    for sentence in ("Hello.", "How are you?", "  ", "Well? "):
        drive.engine.say(response_id, sentence, 0)
    drive.engine.thought(response_id, 0)

    outputs: list[Any] = []
    for sentence in ("Hello.", "How are you?", "Well? "):
        outputs += drive.sound(response_id, sentence)
        outputs += drive.engine.spoken(response_id, b"", "", 0)
        outputs += drive.engine.said(response_id, 0)

    done = Outputs(outputs).event("response.output_audio_transcript.done")
    assert done["transcript"] == "Hello. How are you? Well? "


def test_an_answer_stops_at_its_token_limit() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.update(max_output_tokens=10)

    answered = drive.say(drive.think(drive.spoken_turn()), "One two three four five six.")
    response = answered.event("response.done")["response"]

    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["transcript"] == "One two three "
    assert response["usage"]["output_token_details"] == {"text_tokens": 4, "audio_tokens": 12}
    assert "Cancel" in answered.types


def test_a_text_answer_stops_at_its_token_limit() -> None:
    drive = Drive()
    drive.type("a")
    created = drive.send(
        "response.create", response={"output_modalities": ["text"], "max_output_tokens": 1}
    )

    answered = drive.say(drive.think(created), "abcd efgh ijkl")

    assert answered.event("response.output_text.done")["text"] == "abcd efgh"
    assert answered.event("response.done")["response"]["status"] == "incomplete"


def test_a_call_beyond_the_token_limit_is_marked() -> None:
    drive = Drive()
    created = drive.send("response.create", response={"max_output_tokens": 1})

    called = Outputs(drive.engine.call(drive.think(created), "look", '{"at":"something"}', 0))

    assert called.event("response.done")["response"]["status"] == "incomplete"


def test_an_answer_that_fails_says_why() -> None:
    drive = Drive()
    response_id = drive.think(drive.send("response.create"))

    failed = Outputs(drive.engine.fail(response_id, "server_error", "Broken.", 0))
    response = failed.event("response.done")["response"]

    assert response["status"] == "failed"
    assert response["status_details"]["error"] == {
        "type": "server_error",
        "code": "server_error",
        "message": "Broken.",
    }
    assert response["usage"] is None


def test_usage_counts_tokens_and_what_was_cached() -> None:
    drive = Drive()
    drive.turn_detection(VAD)
    drive.update(instructions="x" * 400)

    _, first = drive.answered_turn("Good day to you.")
    _, second = drive.answered_turn("Good day to you.")
    one = first.event("response.done")["response"]["usage"]
    two = second.event("response.done")["response"]["usage"]

    assert one["input_token_details"]["audio_tokens"] == 15
    assert one["input_token_details"]["text_tokens"] == 100
    assert one["input_token_details"]["cached_tokens"] == 0
    assert one["output_token_details"] == {"text_tokens": 4, "audio_tokens": 16}
    assert one["total_tokens"] == 15 + 100 + 20
    assert two["input_token_details"]["audio_tokens"] == 15 + 16 + 15
    assert two["input_token_details"]["cached_tokens_details"]["text_tokens"] == 64


def test_transcription_has_a_price_too() -> None:
    drive = Drive()
    drive.turn_detection(VAD)

    completed = drive.spoken_turn("hello there").event(
        "conversation.item.input_audio_transcription.completed"
    )

    assert completed["usage"]["input_token_details"]["audio_tokens"] == 15
    assert completed["usage"]["output_tokens"] == 3


def test_audio_given_as_an_item_is_heard() -> None:
    drive = Drive()
    content = [{"type": "input_audio", "audio": audio(500)}]

    created = drive.send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )
    item_id = created.events[0]["item"]["id"]
    drive.send("response.create")
    heard = Outputs(drive.engine.transcript(item_id, "from a file", 0))

    assert created.types[-2:] == ["Hear", "Transcribe"]
    assert heard.types == ["Think"]
    assert heard.one(Think).heard == "from a file"


def test_an_image_is_shown_as_it_came() -> None:
    drive = Drive()
    image = {"type": "input_image", "image_url": "data:image/png;base64,aaaa", "detail": "low"}

    created = drive.send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": [image]}
    )

    assert created.events[0]["item"]["content"] == [image]


def test_an_item_with_broken_audio_is_refused() -> None:
    content = [{"type": "input_audio", "audio": "*"}]
    refused = Drive().send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )

    assert refused.error["param"] == "item.content[0].audio"


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
            "Listen",
        }
    assert drive.update().types == ["session.updated"]
