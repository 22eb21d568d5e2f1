"""What the session sends, plays, stops and shows while all goes well."""

import math

import pytest

from components.audio import encode
from components.core.conversation import Assistant, Connection, Status, User
from components.core.intake import (
    EARLY_FRAMES,
)
from components.core.link import CREATED_LIMIT_S, UPDATED_LIMIT_S
from components.core.outputs import Hangup, StopPlayback
from components.core.playback import DEFAULT_DELAY_S
from components.core.replies import BEGIN_LIMIT_S as RESPONSE_LIMIT_S
from components.core.session import (
    MOST_EARLY_LINES,
    MOST_LINE_CHARACTERS,
)
from tests.dialogue import FRAME, VAD, Call, only


@pytest.fixture
def call():
    return Call().ready()


@pytest.fixture
def talking(call):
    return call.talk()


# Connecting


def test_settings_go_out_as_soon_as_the_socket_is_open():
    call = Call()
    call.do(call.session.connecting(call.now))

    assert call.conversation.connection is Connection.CONNECTING

    call.connected()
    session = only(call.sent())["session"]

    assert session["audio"]["output"]["voice"] == "marin"
    assert session["audio"]["input"]["transcription"] == {"model": "gpt-transcribe"}
    assert call.conversation.connection is Connection.CONNECTING


def test_microphone_waits_for_the_settings_and_then_flows_in_order():
    call = Call()
    call.connected()
    frames = [bytes([n, 0]) * 480 for n in range(EARLY_FRAMES + 5)]
    for frame in frames:
        call.microphone(frame)

    assert call.appended() == []

    call.receive("session.created", session={})
    call.receive("session.updated", session={})

    assert call.appended() == frames[-EARLY_FRAMES:]
    assert call.conversation.connection is Connection.CONNECTED

    call.microphone(FRAME)

    assert call.appended()[-1] == FRAME


def test_second_confirmation_sends_nothing_twice(call):
    call.receive("session.updated", session={})

    assert call.appended() == []


def test_server_that_says_nothing_fails_the_call():
    call = Call()
    call.do(call.session.connecting(call.now))
    call.connected()
    call.now += CREATED_LIMIT_S - 0.01
    call.do(call.session.tick(call.now))

    assert call.conversation.connection is Connection.CONNECTING

    call.now += 0.02
    call.do(call.session.tick(call.now))

    assert call.conversation.connection is Connection.FAILED
    assert "says nothing" in call.conversation.notice
    assert isinstance(call.outputs[-1], Hangup)


def test_server_that_never_confirms_settings_is_talked_to_all_the_same():
    call = Call()
    call.connected()
    call.receive("session.created", session={})
    call.now += UPDATED_LIMIT_S
    call.do(call.session.tick(call.now))

    assert call.conversation.connection is Connection.CONNECTED


def test_notes_of_the_practice_server_are_shown():
    call = Call()
    call.connected()
    call.receive("session.created", session={"practice": {"notes": ["No ears.", 7, "No voice."]}})

    assert call.conversation.notice == "No ears. No voice."


def test_refused_optional_setting_is_replaced_and_the_rest_sent_again():
    call = Call()
    call.connected()
    models = []
    for _ in range(4):
        update = only(call.sent("session.update"))
        models.append(update["session"]["audio"]["input"]["transcription"])
        if models[-1] is None:
            break
        param = "session.audio.input.transcription.model"
        error = {"type": "invalid_request_error", "code": "invalid_value", "param": param}
        call.receive("error", error={**error, "event_id": update["event_id"], "message": "No."})

    assert [m and m["model"] for m in models] == [
        "gpt-transcribe",
        "gpt-realtime-whisper",
        "gpt-4o-mini-transcribe",
        None,
    ]
    assert call.conversation.connection is not Connection.FAILED


def test_refused_voice_ends_the_call_with_the_servers_words():
    call = Call()
    call.connected()
    update = only(call.sent("session.update"))
    call.receive(
        "error",
        error={
            "type": "invalid_request_error",
            "code": "invalid_value",
            "message": "Unknown voice 'x'.",
            "param": "session.audio.output.voice",
            "event_id": update["event_id"],
        },
    )

    assert call.conversation.connection is Connection.FAILED
    assert "Unknown voice 'x'." in call.conversation.notice


# Turns


def test_spoken_turn_goes_through_all_states(call):
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    assert (call.conversation.user, call.conversation.assistant) == (User.SPEAKING, Assistant.IDLE)

    call.receive("input_audio_buffer.speech_stopped", item_id="u1")
    assert call.conversation.user is User.LISTENING
    assert call.conversation.assistant is Assistant.THINKING

    call.answer(ms=100)
    assert call.conversation.assistant is Assistant.SPEAKING

    call.finish()
    call.play(5)
    assert call.conversation.assistant is Assistant.SPEAKING

    call.now += DEFAULT_DELAY_S
    call.do(call.session.tick(call.now))
    assert call.conversation.assistant is Assistant.IDLE
    assert call.message("a1").heard == len(call.message("a1").text)


def test_words_appear_no_earlier_than_their_sound(call):
    call.answer(ms=1000, text="Nineteen characters")

    assert call.message("a1").heard == 0

    call.finish()
    call.play(28)

    assert 0 < call.message("a1").heard < 19


def test_words_of_a_reply_without_sound_are_shown_when_it_ends(call):
    call.receive("response.created", response={"id": "r1"})
    call.receive(
        "response.output_audio_transcript.delta", item_id="a1", delta="Hm", response_id="r1"
    )

    assert call.message("a1").heard == 0

    call.receive("response.done", response={"id": "r1", "status": "completed"})

    assert call.message("a1").heard == 2


def test_thinking_ends_when_no_response_comes(call):
    call.receive("input_audio_buffer.speech_stopped", item_id="u1")
    call.now += RESPONSE_LIMIT_S
    call.do(call.session.tick(call.now))

    assert call.conversation.assistant is Assistant.IDLE


def test_thinking_ends_when_the_user_goes_on_speaking(call):
    call.receive("input_audio_buffer.speech_stopped", item_id="u1")
    call.receive("input_audio_buffer.speech_started", item_id="u2")

    assert call.conversation.assistant is Assistant.IDLE


def test_several_audio_items_of_one_response_play_in_order(call):
    call.answer(ms=40)
    call.receive("response.output_audio.delta", item_id="a2", delta=encode(bytes(48 * 40)))
    call.finish()

    assert call.play(10) == 4


def test_item_that_is_never_ended_does_not_keep_the_next_reply_back(call):
    call.answer("r1", "a1", ms=45)
    call.answer("r2", "a2", ms=100)

    assert call.play(10) == 7


@pytest.mark.parametrize("delta", [None, 7, "%%%", "AAAAA"])
def test_audio_that_is_not_base64_is_left_out(call, delta):
    call.receive("response.output_audio.delta", item_id="a1", delta=delta)
    call.receive("response.output_audio.delta", item_id="a1")

    assert not call.session.has_sound


def test_broken_content_index_of_audio_is_read_as_the_first(call):
    call.receive(
        "response.output_audio.delta", item_id="a", content_index="x", delta=encode(bytes(960))
    )

    assert call.session.has_sound


def test_transcript_delta_of_a_stranger_is_harmless(call):
    call.receive("response.output_audio_transcript.delta", item_id="", delta="x")

    assert call.conversation.messages == ()


# Barge-in


def test_barge_in_truncates_at_what_was_heard(talking):
    talking.receive("input_audio_buffer.speech_started", item_id="u2")
    event = only(talking.sent())

    assert event["type"] == "conversation.item.truncate"
    assert (event["item_id"], event["content_index"]) == ("a1", 0)
    assert event["audio_end_ms"] == 400 - round(DEFAULT_DELAY_S * 1000)
    assert StopPlayback() in talking.outputs
    assert talking.play(5) == 0


def test_barge_in_keeps_what_was_heard_and_drops_what_comes_late(talking):
    heard = talking.message("a1").heard
    talking.receive("input_audio_buffer.speech_started", item_id="u2")
    ids = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    talking.receive("response.output_audio.delta", delta=encode(FRAME), **ids)
    talking.receive("response.output_audio_transcript.delta", delta=" five", **ids)
    talking.receive("response.output_audio_transcript.done", transcript="All of it.", **ids)

    assert talking.play(5) == 0
    assert talking.message("a1").text == "One two three four."
    assert talking.message("a1").heard == heard > 0
    assert talking.message("a1").status is Status.INTERRUPTED
    assert talking.conversation.user is User.SPEAKING
    assert talking.conversation.assistant is Assistant.IDLE


def test_late_audio_of_an_interrupted_item_is_dropped_even_without_a_response_id(talking):
    talking.receive("input_audio_buffer.speech_started", item_id="u2")
    talking.finish(status="cancelled")
    talking.receive("response.output_audio.delta", item_id="a1", delta=encode(FRAME))

    assert talking.play(5) == 0


def test_item_that_begins_in_a_cancelled_response_keeps_its_place_but_says_nothing(talking):
    talking.receive("input_audio_buffer.speech_started", item_id="u2")
    entry = {"id": "a2", "type": "message", "role": "assistant", "content": []}
    talking.receive("response.output_item.added", response_id="r1", item=entry)
    talking.receive(
        "response.output_audio.delta", response_id="r1", item_id="a2", delta=encode(FRAME)
    )

    assert talking.message("a2") is not None
    assert talking.play(5) == 0


def test_barge_in_after_generation_has_ended_needs_only_the_truncate(talking):
    talking.finish()
    talking.receive("input_audio_buffer.speech_started", item_id="u2")

    assert [e["type"] for e in talking.sent()] == ["conversation.item.truncate"]


def test_barge_in_on_unheard_items_truncates_them_to_nothing(talking):
    talking.receive("response.output_audio.delta", item_id="a2", delta=encode(bytes(4800)))
    talking.receive("input_audio_buffer.speech_started", item_id="u2")

    assert [(e["item_id"], e["audio_end_ms"]) for e in talking.sent()] == [("a1", 340), ("a2", 0)]


def test_nothing_is_truncated_once_all_was_heard(call):
    call.answer(ms=100)
    call.finish()
    call.play(20)
    call.outputs.clear()
    call.receive("input_audio_buffer.speech_started", item_id="u2")

    assert call.sent() == []
    assert StopPlayback() not in call.outputs
    assert call.message("a1").status is not Status.INTERRUPTED


def test_reply_that_was_only_words_so_far_is_not_truncated(call):
    call.receive("response.created", response={"id": "r1"})
    call.receive(
        "response.output_audio_transcript.delta", item_id="a1", delta="Hm", response_id="r1"
    )
    call.receive("input_audio_buffer.speech_started", item_id="u2")

    assert call.sent() == []
    assert call.message("a1").status is Status.INTERRUPTED


def test_written_reply_is_interrupted_too(call):
    call.receive("response.created", response={"id": "r1"})
    call.receive("response.output_text.delta", item_id="a1", delta="Hm", response_id="r1")
    call.receive("input_audio_buffer.speech_started", item_id="u2")

    assert call.message("a1").status is Status.INTERRUPTED


@pytest.mark.parametrize("turn_detection", [{**VAD, "interrupt_response": False}, None])
def test_barge_in_cancels_where_the_server_does_not(turn_detection):
    call = Call().ready(turn_detection)
    call.answer()
    call.play(20)
    call.receive("input_audio_buffer.speech_started", item_id="u2")

    cancel = only(call.sent("response.cancel"))
    assert cancel["response_id"] == "r1"


def test_next_reply_after_a_barge_in_is_heard(talking):
    talking.receive("input_audio_buffer.speech_started", item_id="u2")
    talking.receive("response.done", response={"id": "r1", "status": "cancelled"})
    talking.receive("input_audio_buffer.speech_stopped", item_id="u2")
    talking.answer("r2", "a2", ms=100)

    assert talking.play(10) == 5


def test_interrupt_button_stops_cancels_and_truncates(talking):
    talking.do(talking.session.interrupt(talking.now))

    assert [e["type"] for e in talking.sent()] == ["conversation.item.truncate", "response.cancel"]
    assert talking.conversation.assistant is Assistant.IDLE


def test_interrupt_button_with_nothing_going_on_does_nothing(call):
    assert call.do(call.session.interrupt(call.now)) == []


def test_measured_delay_moves_what_counts_as_heard(talking):
    talking.session.playout_delay(0.2)
    talking.receive("input_audio_buffer.speech_started", item_id="u2")

    # What was heard before the page reported the larger delay stays heard.
    assert only(talking.sent())["audio_end_ms"] == 340


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1.0, 0.0), (99.0, 1.0), (0.1, 0.1), (math.nan, 0.0)]
)
def test_reported_delay_is_held_to_what_is_possible(call, seconds, expected):
    call.session.playout_delay(seconds)
    call.answer(ms=4000)
    call.play(100)
    call.receive("input_audio_buffer.speech_started", item_id="u2")

    assert only(call.sent())["audio_end_ms"] == 2000 - 1000 * expected


# Typed turns and the one response at a time


def test_typed_turn_is_shown_at_once_and_asks_for_an_answer(call):
    call.do(call.session.say("  Hello  ", call.now))
    item, create = call.sent()

    assert item["item"]["content"] == [{"type": "input_text", "text": "Hello"}]
    assert create["type"] == "response.create"
    assert call.message(item["item"]["id"]).text == "Hello"
    assert call.conversation.assistant is Assistant.THINKING


def test_line_that_is_too_long_is_not_sent_and_the_user_learns_why(call):
    call.do(call.session.say("x" * MOST_LINE_CHARACTERS, call.now))
    assert call.conversation.notice == ""
    assert call.sent("conversation.item.create")

    call.receive("response.created", response={"id": "r1"})
    call.sent()
    call.do(call.session.say("x" * 10**6, call.now))
    assert call.sent() == []
    assert "8,000 characters" in call.conversation.notice


def test_only_a_few_lines_wait_for_the_session():
    call = Call()
    call.connected()
    for number in range(MOST_EARLY_LINES):
        call.do(call.session.say(str(number), call.now))
    assert call.conversation.notice == ""

    call.do(call.session.say("one more", call.now))
    assert "was not sent" in call.conversation.notice

    call.receive("session.updated", session={})
    assert len(call.sent("conversation.item.create")) == MOST_EARLY_LINES


def test_halves_of_characters_are_not_sent(call):
    call.do(call.session.say("a\ud83db", call.now))
    item, _ = call.sent()

    assert item["item"]["content"][0]["text"] == "a?b"


def test_empty_line_is_not_sent(call):
    assert call.do(call.session.say(" \n", call.now)) == []


def test_line_typed_before_the_call_is_ready_is_sent_when_it_is():
    call = Call()
    call.connected()
    call.do(call.session.say("Hello", call.now))
    call.sent()
    call.receive("session.updated", session={})

    assert [e["type"] for e in call.sent()] == ["conversation.item.create", "response.create"]


def test_typed_turn_interrupts_and_waits_for_the_running_response(talking):
    talking.do(talking.session.say("Stop, please", talking.now))

    assert [e["type"] for e in talking.sent()] == [
        "conversation.item.truncate",
        "response.cancel",
        "conversation.item.create",
    ]

    talking.receive("response.done", response={"id": "r1", "status": "cancelled"})

    assert [e["type"] for e in talking.sent()] == ["response.create"]


def test_two_lines_typed_quickly_ask_for_one_answer_at_a_time(call):
    call.do(call.session.say("one", call.now))
    call.do(call.session.say("two", call.now))

    assert len(call.sent("response.create")) == 1

    call.receive("response.created", response={"id": "r1"})
    assert only(call.sent("response.cancel"))["response_id"] == "r1"

    call.receive("response.done", response={"id": "r1", "status": "cancelled"})
    assert len(call.sent("response.create")) == 1


def test_answer_to_a_typed_line_is_cancelled_when_the_user_speaks_instead(call):
    call.do(call.session.say("one", call.now))
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    call.receive("response.created", response={"id": "r1"})

    assert only(call.sent("response.cancel"))["response_id"] == "r1"
    assert call.conversation.assistant is Assistant.IDLE


def test_refused_request_waits_for_the_other_response(call):
    call.do(call.session.say("one", call.now))
    request = only(call.sent("response.create"))["event_id"]
    call.receive(
        "error",
        error={"code": "conversation_already_has_active_response", "event_id": request},
    )

    assert call.conversation.notice == ""
    assert call.sent() == []

    call.receive("response.done", response={"id": "other", "status": "completed"})

    assert len(call.sent("response.create")) == 1


def test_server_without_codes_or_ids_is_understood_too(call):
    call.do(call.session.say("one", call.now))
    call.sent()
    call.receive("error", error={"message": "Conversation already has an active response."})
    call.receive("response.done", response={"id": "other", "status": "completed"})

    assert len(call.sent("response.create")) == 1


def test_refused_request_ends_the_thinking(call):
    call.do(call.session.say("one", call.now))
    request = only(call.sent("response.create"))["event_id"]
    call.receive("error", error={"message": "No tools here.", "event_id": request})

    assert call.conversation.assistant is Assistant.IDLE
    assert "No tools here." in call.conversation.notice


def test_request_that_is_never_answered_is_given_up(call):
    call.do(call.session.say("one", call.now))
    call.now += RESPONSE_LIMIT_S
    call.do(call.session.tick(call.now))

    assert call.conversation.assistant is Assistant.IDLE


def test_end_of_another_response_does_not_end_the_running_one(call):
    call.receive("response.created", response={"id": "r1"})
    call.receive("response.done", response={"id": "r0", "status": "completed"})

    assert call.conversation.assistant is Assistant.THINKING


def test_response_that_replaces_another_is_the_running_one(call):
    call.receive("response.created", response={"id": "r1"})
    call.receive("response.created", response={"id": "r2"})
    call.receive("response.done", response={"id": "r2", "status": "completed"})

    assert call.conversation.assistant is Assistant.IDLE


# A server that gives items ids of its own


def test_typed_line_that_comes_back_by_another_id_appears_once(call):
    call.do(call.session.say("Hello", call.now))
    content = [{"type": "input_text", "text": "Hello"}]
    entry = {"id": "theirs", "type": "message", "role": "user", "content": content}
    call.receive("conversation.item.added", item=entry, previous_item_id=None)

    assert [message.text for message in call.conversation.messages] == ["Hello"]
