"""A call in which the assistant calls functions."""

import pytest

from components.core.allowance import Limits
from components.core.conversation import Assistant
from components.core.link import RENEW_AFTER_S
from components.core.outputs import Renew, RunTool
from components.core.turns import LEAST_TURN_FRAMES
from tests.dialogue import FRAME, Call, only, reconnect

ASK, OUTPUT = "response.create", "conversation.item.create"


def function(name="get_weather", number=1):
    return {
        "id": f"f{number}",
        "type": "function_call",
        "name": name,
        "call_id": f"c{number}",
        "arguments": "{}",
    }


def calls_function(call, response="r1", done=True, **fields):
    """A response that calls a function, and says nothing."""
    entry = function(**fields)
    call.receive("response.created", response={"id": response})
    call.receive("response.output_item.added", response_id=response, item=entry)
    call.receive("response.output_item.done", response_id=response, item=entry)
    if done:
        ends(call, response, entry)


def ends(call, response="r1", *output, status="completed", **fields):
    ended = {"id": response, "status": status, "output": list(output), **fields}
    call.receive("response.done", response=ended)


def runs(call, call_id="c1", output="Rain."):
    return call.do(call.session.ran(call_id, output, call.now))


def sent_types(call):
    return [event["type"] for event in call.sent()]


@pytest.fixture
def call():
    return Call().ready()


@pytest.fixture
def calling(call):
    """A function runs, and its response has ended."""
    calls_function(call)
    return call


def test_function_is_run_and_its_output_answered(call):
    calls_function(call, done=False)
    run = only(output for output in call.outputs if isinstance(output, RunTool))
    assert run == RunTool("c1", "get_weather", "{}")
    assert call.message("f1").role == "tool"

    runs(call)
    [output] = call.sent()
    assert output["item"] == {"type": "function_call_output", "call_id": "c1", "output": "Rain."}

    ends(call)
    assert sent_types(call) == [ASK]


def test_assistant_is_thinking_while_a_function_runs(calling):
    assert calling.conversation.assistant is Assistant.THINKING

    runs(calling)
    assert calling.conversation.assistant is Assistant.THINKING

    calling.receive("response.created", response={"id": "r2"})
    ends(calling, "r2")
    assert calling.conversation.assistant is Assistant.IDLE


def test_function_that_was_never_declared_is_told_to_the_shell_all_the_same(call):
    calls_function(call, name="nobody_declared_this")

    assert RunTool("c1", "nobody_declared_this", "{}") in call.outputs


def test_who_speaks_during_a_function_is_answered_by_the_server(calling):
    calling.receive("input_audio_buffer.speech_started", item_id="u2")
    runs(calling)
    calling.receive("input_audio_buffer.speech_stopped", item_id="u2")
    assert sent_types(calling) == [OUTPUT]

    calling.receive("response.created", response={"id": "r2"})
    ends(calling, "r2")
    assert sent_types(calling) == []


def test_interrupt_button_during_a_function_sends_its_output_and_asks_for_nothing(calling):
    calling.do(calling.session.interrupt(calling.now))
    assert calling.conversation.assistant is Assistant.IDLE

    runs(calling)
    assert sent_types(calling) == [OUTPUT]


def test_interrupt_button_before_the_response_has_ended_asks_for_nothing_either(call):
    calls_function(call, done=False)
    call.do(call.session.interrupt(call.now))
    ends(call, status="cancelled")
    runs(call)

    assert sent_types(call) == ["response.cancel", OUTPUT]


def test_result_that_comes_after_a_reconnect_is_not_sent(calling):
    reconnect(calling)
    calling.sent()
    runs(calling)

    assert calling.sent() == []
    assert calling.conversation.assistant is Assistant.IDLE


def test_result_that_comes_after_the_end_is_not_sent(calling):
    calling.do(calling.session.hang_up(calling.now))

    assert runs(calling) == []


def test_session_is_not_renewed_while_a_function_runs(calling):
    calling.now += RENEW_AFTER_S
    calling.do(calling.session.tick(calling.now))
    assert Renew() not in calling.outputs

    runs(calling)
    calling.receive("response.created", response={"id": "r2"})
    ends(calling, "r2")
    calling.do(calling.session.tick(calling.now))
    assert Renew() in calling.outputs


def test_answer_to_a_function_waits_while_the_talk_button_is_held():
    call = Call(turn_detection="push_to_talk").ready(None)
    calls_function(call)
    call.do(call.session.push_to_talk(True, call.now))
    call.sent()
    runs(call)
    assert sent_types(call) == [OUTPUT]

    for _ in range(LEAST_TURN_FRAMES):
        call.microphone(FRAME)
    call.do(call.session.push_to_talk(False, call.now))
    assert sent_types(call) == ["input_audio_buffer.commit", ASK]

    call.receive("response.created", response={"id": "r2"})
    ends(call, "r2")
    assert sent_types(call) == []


def test_press_that_was_too_short_lets_the_answer_be_asked_for():
    call = Call(turn_detection="push_to_talk").ready(None)
    calls_function(call)
    call.do(call.session.push_to_talk(True, call.now))
    runs(call)
    call.sent()
    call.do(call.session.push_to_talk(False, call.now))

    assert sent_types(call) == ["input_audio_buffer.clear", ASK]


def test_no_answer_to_a_function_is_asked_for_that_nobody_may_pay():
    call = Call(limits=Limits(cost=0.5)).ready()
    calls_function(call, done=False)
    ends(call, usage={"output_token_details": {"audio_tokens": 10_000}})
    runs(call)

    assert sent_types(call) == [OUTPUT]
