"""What a call may still take, whether both its ends are alive, and what went before it."""

from dataclasses import replace

import numpy as np
import pytest

from components.audio import FRAME_BYTES, FRAME_SAMPLES
from components.core.allowance import Limits
from components.core.conversation import Connection, Conversation, Message, Status
from components.core.intake import DEAD_FRAMES
from components.core.link import RENEW_AFTER_S
from components.core.liveness import DEAF, LOUD_FRAMES, NO_REACTION, NOT_ANSWERED, PATIENCE_S
from components.core.outputs import Hangup, Renew
from components.core.turns import DEAD_MICROPHONE
from tests.dialogue import FRAME, Call

VOICE = np.tile([3000, -3000], FRAME_SAMPLES // 2).astype(np.int16).tobytes()


@pytest.fixture
def call():
    return Call().ready()


def wait(call, seconds):
    call.now += seconds
    call.do(call.session.tick(call.now))
    return call.conversation


def speak(call, frames=LOUD_FRAMES + 30):
    """The user speaks into the microphone, with pauses between the words."""
    for number in range(frames):
        call.microphone(FRAME if number % 10 == 0 else VOICE)
    call.do(call.session.tick(call.now))


# The microphone


def test_microphone_that_gives_nothing_is_told_of_and_no_more_once_it_does(call):
    for _ in range(DEAD_FRAMES - 1):
        call.microphone(FRAME)
    assert call.conversation.notice == ""

    call.microphone(FRAME)
    assert call.conversation.notice == DEAD_MICROPHONE

    call.microphone(b"\5" * FRAME_BYTES)
    assert call.conversation.notice == ""

    for _ in range(2 * DEAD_FRAMES):
        call.microphone(FRAME)
    assert call.conversation.notice == ""


def test_sound_after_a_dead_microphone_leaves_another_notice_alone(call):
    for _ in range(DEAD_FRAMES):
        call.microphone(FRAME)
    call.receive("error", error={"code": "odd", "message": "Something odd."})
    call.microphone(b"\5" * FRAME_BYTES)

    assert "Something odd." in call.conversation.notice


def test_muted_microphone_is_not_called_dead(call):
    call.do(call.session.mute(True, call.now))
    for _ in range(DEAD_FRAMES):
        call.microphone(FRAME)

    assert call.conversation.notice == ""


# A server that does not react


def test_server_that_has_not_answered_yet_is_told_of_until_it_does():
    call = Call()
    call.do(call.session.connecting(call.now))
    call.connected()
    assert wait(call, PATIENCE_S - 0.1).notice == ""
    assert wait(call, 0.2).notice == NOT_ANSWERED

    call.receive("session.created", session={})
    assert call.conversation.notice == ""


def test_speech_that_the_server_does_not_notice_is_told_of_until_it_does(call):
    speak(call)
    assert call.conversation.notice == DEAF

    call.receive("input_audio_buffer.speech_started", item_id="u1")
    assert call.conversation.notice == ""


def test_long_speech_that_the_server_has_noticed_needs_no_other_sign(call):
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    speak(call, 5 * LOUD_FRAMES)

    assert call.conversation.notice == ""


def test_speech_is_not_missed_by_a_server_that_does_not_get_it(call):
    call.do(call.session.mute(True, call.now))
    speak(call)
    assert call.conversation.notice == ""

    call.do(call.session.mute(False, call.now))
    call.lost()
    speak(call)
    assert call.conversation.notice == ""


def test_turn_that_was_pushed_to_talk_gets_a_reaction_or_a_sentence():
    call = Call(turn_detection="push_to_talk").ready(None)
    speak(call)
    assert call.conversation.notice == ""

    call.do(call.session.push_to_talk(True, call.now))
    speak(call)
    call.do(call.session.push_to_talk(False, call.now))
    assert wait(call, PATIENCE_S).notice == NO_REACTION

    call.receive("input_audio_buffer.committed", item_id="u1")
    assert call.conversation.notice == ""


def test_typed_line_gets_a_reaction_or_a_sentence(call):
    call.do(call.session.say("Hello", call.now))

    assert wait(call, PATIENCE_S).notice == NO_REACTION


def test_lost_socket_says_more_than_a_silent_server(call):
    call.do(call.session.say("Hello", call.now))
    wait(call, PATIENCE_S)
    call.lost()
    assert call.conversation.notice == ""

    assert wait(call, PATIENCE_S).notice == ""


# The end of the time


def test_call_with_a_limit_counts_down_and_ends():
    call = Call(limits=Limits(call_s=60)).ready()
    assert wait(call, 20).notice == ""
    assert wait(call, 11).notice == "This call ends in 29 seconds."

    wait(call, 29)
    assert call.conversation.connection is Connection.ENDED
    assert "time for this call is up" in call.conversation.notice
    assert isinstance(call.outputs[-1], Hangup)


def test_goodbye_stands_whatever_else_still_comes():
    call = Call(limits=Limits(call_s=60)).ready()
    goodbye = wait(call, 60).notice
    call.receive("error", error={"code": "odd", "message": "Something odd."})
    call.receive("response.created", response={"id": "r1"})
    call.lost()
    call.do(call.session.hang_up(call.now, "Bye."))
    wait(call, 60)

    assert call.conversation.notice == goodbye


def test_countdown_covers_a_complaint_and_is_not_covered_by_one():
    call = Call(limits=Limits(call_s=60)).ready()
    call.receive("error", error={"code": "odd", "message": "Something odd."})
    assert wait(call, 31).notice == "This call ends in 29 seconds."

    call.receive("error", error={"code": "odd", "message": "Something else."})
    assert call.conversation.notice == "This call ends in 29 seconds."


def test_call_that_ends_is_not_renewed():
    call = Call(limits=Limits(call_s=RENEW_AFTER_S)).ready()
    wait(call, RENEW_AFTER_S)

    assert not any(isinstance(output, Renew) for output in call.outputs)


# Silence


def silent(idle_s=600.0, **changes):
    return Call(limits=Limits(idle_s=idle_s), **changes).ready()


def test_silent_call_is_asked_and_then_ended():
    call = silent()
    assert wait(call, 599).notice == ""
    assert wait(call, 11).notice == (
        "Nobody has spoken for 10 minutes. Say something, or the call ends in 50 seconds."
    )

    wait(call, 50)
    assert call.conversation.connection is Connection.ENDED
    assert "nobody spoke" in call.conversation.notice


ACTIVITIES = {
    "speech": lambda call: call.receive("input_audio_buffer.speech_started", item_id="u1"),
    "a typed line": lambda call: call.do(call.session.say("Hello", call.now)),
    "interrupt": lambda call: call.do(call.session.interrupt(call.now)),
    "mute": lambda call: call.do(call.session.mute(True, call.now)),
    "a reply": lambda call: call.answer(),
}


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_activity_withdraws_the_question(activity):
    call = silent()
    assert wait(call, 610).notice
    ACTIVITIES[activity](call)
    assert wait(call, 0.05).notice == ""

    assert call.conversation.connection is Connection.CONNECTED


def test_talk_button_withdraws_the_question_and_is_activity_while_it_is_held():
    call = silent(turn_detection="push_to_talk")
    wait(call, 610)
    call.do(call.session.push_to_talk(True, call.now))
    wait(call, 700)

    assert call.conversation.connection is Connection.CONNECTED
    assert call.conversation.notice == ""


def test_user_who_speaks_on_and_on_is_not_silent():
    call = silent(idle_s=10)
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    wait(call, 60)

    assert call.conversation.connection is Connection.CONNECTED


def test_noise_of_the_wire_is_no_activity():
    call = silent(idle_s=10)
    for _ in range(20):
        call.receive("rate_limits.updated", rate_limits=[])
        wait(call, 1)

    assert call.conversation.connection is Connection.ENDED


# Money


def expensive():
    """A reply has ended that costs 64 cents, and is still to be heard."""
    call = Call(limits=Limits(cost=0.5)).ready()
    call.answer()
    call.finish(output=[{"id": "a1"}], usage={"output_token_details": {"audio_tokens": 10_000}})
    call.do(call.session.tick(call.now))
    return call


def test_call_that_has_cost_enough_ends_when_its_last_answer_was_heard():
    call = expensive()
    assert "limit of $0.50 and ends after this answer" in call.conversation.notice
    assert call.play(50) == 50
    assert call.conversation.connection is Connection.CONNECTED

    call.play(10)
    assert call.conversation.connection is Connection.ENDED
    assert call.conversation.notice == (
        "This call has reached its limit of $0.50. You can start another."
    )
    assert call.message("a1").status is Status.DONE


def test_no_answer_is_asked_for_that_nobody_may_pay():
    call = expensive()
    call.do(call.session.say("More!", call.now))
    assert call.sent("response.create") == []

    call.do(call.session.tick(call.now))
    assert call.conversation.connection is Connection.ENDED


def test_cost_is_what_the_answers_so_far_have_cost(call):
    assert call.session.cost.dollars == 0.0

    call.answer()
    call.finish(usage={"output_token_details": {"audio_tokens": 10_000}})
    assert call.session.cost.dollars > 0.0


def test_model_without_a_known_price_is_not_limited():
    call = Call(model="own-model", limits=Limits(cost=0.5)).ready()
    call.answer()
    call.finish(usage={"output_token_details": {"audio_tokens": 10_000}})
    call.play(100)

    assert call.session.cost is None
    assert call.conversation.connection is Connection.CONNECTED


# What went before


PAST = Conversation(
    connection=Connection.ENDED,
    notice="Bye.",
    messages=(
        Message("item_typed_1", "user", Status.DONE, ("My name is Ada.",)),
        Message("a", "assistant", Status.DONE, ("Hello Ada. How are you?",), 10),
        Message("u", "user"),
        Message("note_1", "note", Status.DONE, ("reconnected",), placed=True),
        Message("b", "assistant", Status.DONE, ("Still there?",), placed=True),
    ),
)


def continued(past=PAST):
    return Call(past=past)


def test_call_begins_with_what_was_said_before_and_a_mark():
    conversation = continued().conversation

    assert [m.text for m in conversation.messages] == [
        *(m.text for m in PAST.messages),
        "continued",
    ]
    assert conversation.connection is Connection.IDLE
    assert conversation.notice == ""


def test_what_was_under_way_then_is_over():
    assert [m.status for m in continued().conversation.messages[:3]] == [
        Status.DONE,
        Status.INTERRUPTED,
        Status.UNTRANSCRIBED,
    ]


def test_server_is_told_what_was_said_before_and_asked_for_nothing():
    call = continued()
    call.connected()
    call.sent()
    call.receive("session.updated", session={})
    events = call.sent()

    assert [event["item"]["content"][0]["text"] for event in events] == [
        "My name is Ada.",
        "Hello Ada.",
        "Still there?",
    ]


def test_continued_call_goes_on_behind_the_mark():
    call = continued().ready()
    call.do(call.session.say("What is my name?", call.now))
    typed = call.sent("conversation.item.create")[-1]["item"]
    last = call.conversation.messages[4].item_id
    call.receive("conversation.item.added", item=typed, previous_item_id=last)
    call.answer(text="Ada.", previous=typed["id"])

    assert [m.text for m in call.conversation.messages[-4:]] == [
        "Still there?",
        "continued",
        "What is my name?",
        "Ada.",
    ]


def test_confirmed_items_of_the_past_stay_where_they_are():
    call = continued().ready()
    before = call.conversation.messages
    assert [message.sent for message in before[:2]] == ["My name is Ada.", "Hello Ada."]

    for previous, message in zip([None, before[0].item_id], before, strict=False):
        content = [{"type": "input_text", "text": message.sent}]
        entry = {"id": message.item_id, "type": "message", "role": message.role}
        call.receive(
            "conversation.item.added",
            item={**entry, "content": content},
            previous_item_id=previous,
        )

    confirmed = tuple(replace(message, sent="") for message in before[:2])
    assert call.conversation.messages == (*confirmed, *before[2:])


def test_empty_past_leaves_no_mark():
    assert continued(Conversation()).conversation == Conversation()


def test_heard_words_of_the_past_stay_as_they_were():
    call = continued().ready()
    wait(call, 5)

    assert call.conversation.messages[1].heard == 10


def test_end_of_a_call_leaves_nothing_open(call):
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    call.answer()
    call.play(20)
    call.do(call.session.hang_up(call.now))

    assert call.message("u1").status is Status.UNTRANSCRIBED
    assert call.message("a1").status is Status.INTERRUPTED
    assert 0 < call.message("a1").heard < len(call.message("a1").text)


def test_call_that_breaks_for_good_says_so_in_its_last_message(call):
    call.answer()
    call.receive("error", error={"code": "insufficient_quota"})

    assert call.message("a1").status is Status.LOST


def test_a_user_may_end_the_call_earlier_and_politely():
    call = Call(limits=Limits(cost=5.0)).ready()
    assert call.session.cap(6.0) == (None, "The limit of this app is $5.00. Choose less.")
    assert call.session.cap(0.5) == (0.5, "")
    call.answer()
    call.finish(output=[{"id": "a1"}], usage={"output_token_details": {"audio_tokens": 10_000}})
    call.do(call.session.tick(call.now))
    assert "your limit of $0.50 and ends after this answer" in call.conversation.notice

    call.play(60)
    assert call.conversation.connection is Connection.ENDED
    assert call.conversation.notice == (
        "This call has reached your limit of $0.50. You can start another."
    )


def test_a_call_can_be_ended_for_a_reason_of_others(call):
    assert call.session.dialogue.counted == 0.0
    call.session.dialogue.answer_no_more("Try again tomorrow.")

    assert wait(call, 1).connection is Connection.ENDED
    assert call.conversation.notice == "Try again tomorrow."
