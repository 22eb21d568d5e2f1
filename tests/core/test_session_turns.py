"""The talk button, mute, and settings that change in a call."""

import pytest

from components.audio import FRAME_BYTES
from components.core.conversation import Assistant, User
from components.core.turns import LEAST_TURN_FRAMES, MUTED, PRE_ROLL_FRAMES
from tests.dialogue import FRAME, Call, only, options


@pytest.fixture
def call():
    return Call().ready()


# Push-to-talk


@pytest.fixture
def walkie():
    return Call(turn_detection="push_to_talk").ready(None)


def test_talk_button_sends_the_turn_with_its_pre_roll(walkie):
    early = [bytes([n, 0]) * 480 for n in range(PRE_ROLL_FRAMES + 3)]
    for frame in early:
        walkie.microphone(frame)

    assert walkie.appended() == []

    walkie.do(walkie.session.push_to_talk(True, walkie.now))
    walkie.microphone(FRAME)

    assert walkie.appended() == [*early[3:], FRAME]
    assert walkie.conversation.user is User.SPEAKING
    assert only(walkie.sent())["type"] == "input_audio_buffer.clear"

    walkie.do(walkie.session.push_to_talk(False, walkie.now))

    assert [e["type"] for e in walkie.sent()] == ["input_audio_buffer.commit", "response.create"]
    assert walkie.conversation.assistant is Assistant.THINKING


def test_too_short_a_press_is_not_committed(walkie):
    walkie.do(walkie.session.push_to_talk(True, walkie.now))
    for _ in range(LEAST_TURN_FRAMES - 1):
        walkie.microphone(FRAME)
    walkie.do(walkie.session.push_to_talk(False, walkie.now))

    assert [e["type"] for e in walkie.sent()] == ["input_audio_buffer.clear"] * 2
    assert "too short" in walkie.conversation.notice

    walkie.receive("response.created", response={"id": "r1"})
    assert walkie.conversation.notice == ""


def test_pressing_twice_is_pressing_once(walkie):
    walkie.do(walkie.session.push_to_talk(False, walkie.now))
    walkie.do(walkie.session.push_to_talk(True, walkie.now))
    walkie.do(walkie.session.push_to_talk(True, walkie.now))

    assert len(walkie.sent()) == 1


def test_talk_button_stops_the_assistant(walkie):
    walkie.answer()
    walkie.play(20)
    walkie.do(walkie.session.push_to_talk(True, walkie.now))

    assert [e["type"] for e in walkie.sent()] == [
        "conversation.item.truncate",
        "response.cancel",
        "input_audio_buffer.clear",
    ]


def test_talk_button_means_nothing_where_turns_are_detected(call):
    assert call.do(call.session.push_to_talk(True, call.now)) == []


def test_speech_events_in_push_to_talk_announce_no_response(walkie):
    walkie.receive("input_audio_buffer.speech_stopped", item_id="u1")

    assert walkie.conversation.assistant is Assistant.IDLE


# Mute


def test_muted_microphone_sends_silence(call):
    call.do(call.session.mute(True, call.now))
    call.microphone(b"\1" * FRAME_BYTES)

    assert call.appended() == [FRAME]
    assert call.conversation.user is User.MUTED

    call.do(call.session.mute(False, call.now))
    call.microphone(b"\1" * FRAME_BYTES)

    assert call.appended()[-1] == b"\1" * FRAME_BYTES
    assert call.conversation.user is User.LISTENING
    assert call.do(call.session.mute(False, call.now)) == []


def test_mute_outlasts_a_turn_by_hand(walkie):
    walkie.do(walkie.session.push_to_talk(True, walkie.now))
    walkie.do(walkie.session.mute(True, walkie.now))
    for _ in range(LEAST_TURN_FRAMES):
        walkie.microphone(b"\1" * FRAME_BYTES)
    walkie.do(walkie.session.push_to_talk(False, walkie.now))

    assert walkie.conversation.user is User.MUTED
    assert walkie.appended() == [FRAME] * LEAST_TURN_FRAMES


def test_pressing_while_muted_sends_nothing_but_tells_why(walkie):
    walkie.do(walkie.session.mute(True, walkie.now))
    walkie.do(walkie.session.push_to_talk(True, walkie.now))
    walkie.microphone(b"\1" * FRAME_BYTES)
    assert walkie.conversation.notice == MUTED

    walkie.do(walkie.session.push_to_talk(False, walkie.now))
    assert walkie.conversation.user is User.MUTED
    assert walkie.sent() == []
    assert walkie.appended() == []


# Settings in a call that stands


def test_changed_settings_are_sent_and_hold_once_they_are_confirmed(call):
    call.do(call.session.change(options(instructions="Be brief."), call.now))
    event = only(call.sent())
    assert event["type"] == "session.update"
    assert event["session"]["instructions"] == "Be brief."
    assert call.session.agreement.confirmed.instructions == "Be kind."

    call.receive("session.updated", session={})
    assert call.session.agreement.confirmed.instructions == "Be brief."


def test_turns_end_by_hand_once_the_server_has_confirmed_it(call):
    call.do(call.session.change(options(turn_detection="push_to_talk"), call.now))
    assert call.do(call.session.push_to_talk(True, call.now)) == []

    call.receive("session.updated", session={"audio": {"input": {"turn_detection": None}}})
    call.sent()
    call.do(call.session.push_to_talk(True, call.now))
    assert call.conversation.user is User.SPEAKING


def test_nothing_is_changed_after_the_end(call):
    call.do(call.session.hang_up(call.now))

    assert call.do(call.session.mute(True, call.now)) == []
    assert call.conversation.user is User.LISTENING
    assert call.do(call.session.change(options(instructions="Be brief."), call.now)) == []
