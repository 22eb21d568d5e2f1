"""What changes in the middle of a call: settings, mute, functions, a server with ids of its own."""

from dataclasses import replace

import pytest

from components.core.allowance import Limits
from components.core.conversation import Assistant, Connection, Conversation, Message, Status, User
from components.core.link import RENEW_BEFORE_S
from components.core.outputs import Hangup, Renew, RunTool, SendAudio
from components.core.session import MUTED
from tests.dialogue import FRAME, UNIX_S, Call, only, options, reconnect

FUNCTION = {"id": "f1", "type": "function_call", "name": "clock", "call_id": "c1"}


@pytest.fixture
def call():
    return Call().ready()


def calls_function(call, **fields):
    call.receive("response.created", response={"id": "r1"})
    call.receive("response.output_item.done", response_id="r1", item={**FUNCTION, **fields})
    done = {"id": "r1", "status": "completed", "output": [{**FUNCTION, **fields}]}
    call.receive("response.done", response=done)


def runs(call):
    return [output for output in call.outputs if isinstance(output, RunTool)]


def ran(call, output="3 PM"):
    return call.do(call.session.ran("c1", output, call.now))


# Settings.


def test_change_sends_what_has_changed_and_is_in_force_once_confirmed(call):
    wanted = replace(call.session.options, voice="cedar")
    call.do(call.session.change(wanted, call.now))

    assert only(call.sent())["session"] == {
        "type": "realtime",
        "audio": {"output": {"voice": "cedar"}},
    }
    assert call.session.options.voice == "marin"

    call.receive("session.updated", session={})
    assert call.session.options.voice == "cedar"
    assert call.conversation.notice == ""


def test_change_that_is_refused_is_told_and_the_call_goes_on(call):
    call.do(call.session.change(replace(call.session.options, voice="nobody"), call.now))
    event_id = only(call.sent())["event_id"]
    call.receive("error", error={"event_id": event_id, "message": "Invalid voice: 'nobody'."})

    assert "refuses the change" in call.conversation.notice
    assert "Invalid voice" in call.conversation.notice
    assert call.session.options.voice == "marin"
    assert call.conversation.connection is Connection.CONNECTED


def test_turns_change_hands_when_the_server_has_confirmed_it(call):
    wanted = options(turn_detection="push_to_talk")
    call.do(call.session.change(wanted, call.now))
    call.microphone()
    assert len(call.appended()) == 1

    call.receive("session.updated", session={})
    call.microphone()
    assert len(call.appended()) == 1

    call.do(call.session.push_to_talk(True, call.now))
    assert call.conversation.user is User.SPEAKING


# Mute.


def test_mute_lasts_through_a_turn_by_hand():
    call = Call(turn_detection="push_to_talk").ready(turn_detection=None)
    call.do(call.session.push_to_talk(True, call.now))
    call.do(call.session.mute(True, call.now))
    assert call.conversation.user is User.MUTED

    call.do(call.session.push_to_talk(False, call.now))
    assert call.conversation.user is User.MUTED

    call.do(call.session.mute(False, call.now))
    assert call.conversation.user is User.LISTENING


def test_talk_button_of_a_muted_microphone_sends_nothing_and_says_why():
    call = Call(turn_detection="push_to_talk").ready(turn_detection=None)
    call.do(call.session.mute(True, call.now))
    call.outputs.clear()
    call.do(call.session.push_to_talk(True, call.now))
    call.microphone(FRAME)
    call.do(call.session.push_to_talk(False, call.now))

    assert call.sent() == []
    assert not any(isinstance(output, SendAudio) for output in call.outputs)
    assert call.conversation.user is User.MUTED
    assert call.conversation.notice == MUTED


def test_talk_button_pressed_twice_is_one_press():
    call = Call(turn_detection="push_to_talk").ready(turn_detection=None)
    call.do(call.session.push_to_talk(True, call.now))
    call.sent()
    call.do(call.session.push_to_talk(True, call.now))
    call.do(call.session.push_to_talk(False, call.now))
    call.do(call.session.push_to_talk(False, call.now))

    assert [event["type"] for event in call.sent()] == ["input_audio_buffer.clear"]


def test_what_a_server_detects_in_a_turn_by_hand_expects_no_response():
    call = Call(turn_detection="push_to_talk").ready(turn_detection=None)
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    call.receive("input_audio_buffer.speech_stopped", item_id="u1")

    assert call.conversation.user is User.LISTENING
    assert call.conversation.assistant is Assistant.IDLE


# Functions.


def test_function_runs_and_its_output_is_answered(call):
    calls_function(call)
    assert only(runs(call)) == RunTool("c1", "clock", "")
    assert call.conversation.assistant is Assistant.THINKING
    assert call.message("f1").role == "tool"

    ran(call)
    output, ask = call.sent()
    assert output["item"] == {"type": "function_call_output", "call_id": "c1", "output": "3 PM"}
    assert ask["type"] == "response.create"


def test_function_that_nobody_declared_is_run_all_the_same(call):
    """Whoever runs it says that there is none: the model gets an answer."""
    calls_function(call, name="launch")

    assert only(runs(call)).name == "launch"


def test_user_who_speaks_over_a_function_is_answered_first(call):
    calls_function(call)
    call.receive("input_audio_buffer.speech_started", item_id="u1")
    ran(call)

    assert [event["type"] for event in call.sent()] == ["conversation.item.create"]


def test_interrupt_during_a_function_asks_for_nothing(call):
    calls_function(call)
    call.do(call.session.interrupt(call.now))
    ran(call)

    assert [event["type"] for event in call.sent()] == ["conversation.item.create"]
    assert call.conversation.assistant is Assistant.IDLE


def test_output_for_a_session_that_is_gone_is_not_sent(call):
    calls_function(call)
    reconnect(call)
    call.sent()
    ran(call)

    assert call.sent() == []


def test_output_after_the_call_changes_nothing(call):
    calls_function(call)
    call.do(call.session.hang_up(call.now))

    assert ran(call) == []


def test_session_is_not_renewed_while_a_function_runs(call):
    calls_function(call)
    call.now += 3600
    call.do(call.session.tick(call.now))
    assert not any(isinstance(output, Renew) for output in call.outputs)


def test_call_that_has_cost_enough_owes_no_answer():
    call = Call(limits=Limits(cost=0.5)).ready()
    calls_function(call)
    details = {"output_token_details": {"audio_tokens": 10_000}, "output_tokens": 10_000}
    call.receive("response.done", response={"id": "r9", "status": "completed", "usage": details})
    ran(call)

    assert [event["type"] for event in call.sent()] == ["conversation.item.create"]


# The server's own end of the session.


def test_session_is_renewed_before_the_server_ends_it():
    call = Call()
    call.do(call.session.connecting(call.now))
    call.connected()
    ends_at = UNIX_S + call.now + 1800
    call.receive("session.created", session={"expires_at": ends_at})
    call.receive("session.updated", session={"expires_at": ends_at})
    call.now += 1800 - RENEW_BEFORE_S - 1
    call.do(call.session.tick(call.now))
    assert not any(isinstance(output, Renew) for output in call.outputs)

    call.now += 1
    call.do(call.session.tick(call.now))
    assert any(isinstance(output, Renew) for output in call.outputs)


# A server that gives our items ids of its own.


def test_typed_line_is_shown_once_whatever_id_the_server_gives_it(call):
    call.do(call.session.say("Hello?", call.now))
    content = [{"type": "input_text", "text": "Hello?"}]
    entry = {"id": "theirs", "type": "message", "role": "user", "content": content}
    call.receive("conversation.item.added", item=entry, previous_item_id=None)
    call.answer(previous="theirs")

    assert [m.text for m in call.conversation.messages] == ["Hello?", "One two three four."]


def test_replayed_history_is_shown_once_whatever_ids_the_server_gives_it():
    said = Message("u1", "user", Status.DONE, ("My name is Ada.",), placed=True)
    heard = Message("a1", "assistant", Status.DONE, ("Hello Ada. How are you?",), 10, placed=True)
    call = Call(past=Conversation(messages=(said, heard))).ready()
    before = [m.text for m in call.conversation.messages]
    for number, (role, type_, text) in enumerate(
        [("user", "input_text", "My name is Ada."), ("assistant", "output_text", "Hello Ada.")]
    ):
        content = [{"type": type_, "text": text}]
        entry = {"id": f"s{number}", "type": "message", "role": role, "content": content}
        call.receive("conversation.item.added", item=entry, previous_item_id=None)

    assert [m.text for m in call.conversation.messages] == before


# After the end.


@pytest.mark.parametrize(
    "act",
    [
        lambda call: call.session.interrupt(call.now),
        lambda call: call.session.mute(True, call.now),
        lambda call: call.session.change(call.session.options, call.now),
        lambda call: call.session.push_to_talk(True, call.now),
        lambda call: call.session.microphone(FRAME, call.now),
    ],
)
def test_nothing_is_done_in_a_call_that_is_over(call, act):
    call.do(call.session.hang_up(call.now, "Good night."))

    assert act(call) == []
    assert call.conversation.notice == "Good night."


def test_call_that_is_over_stays_so(call):
    call.do(call.session.hang_up(call.now))

    assert call.session.hang_up(call.now) == [Hangup()]
    assert call.lost() == [Hangup()]
    assert call.connected() == [Hangup()]


def test_cost_of_the_call_is_known_where_the_price_is():
    assert Call().session.cost == 0.0
    assert Call(model="own-model").session.cost is None
