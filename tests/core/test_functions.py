"""Which functions run, what is sent of them, and whether a response is owed."""

import orjson
import pytest

from components.core.functions import MOST_REMEMBERED, MOST_RUNNING, TOO_MANY, Functions
from components.core.outputs import RunTool, Send
from components.protocol.events import Item


def item(number=1, **fields):
    return Item(f"i{number}", "tool", call_id=f"c{number}", name="clock", **fields)


def outputs_of(outputs):
    return [output.event["item"]["output"] for output in outputs if isinstance(output, Send)]


@pytest.fixture
def functions():
    return Functions()


def test_call_runs_once_and_its_output_is_sent(functions):
    assert functions.call([item(arguments="{}"), item()]) == [RunTool("c1", "clock", "{}")]
    assert functions.call([item()]) == []
    assert functions.pending

    [sent] = functions.ran("c1", "3 PM")
    assert sent.event == {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "c1", "output": "3 PM"},
    }
    assert functions.ran("c1", "4 PM") == []


def test_what_is_no_whole_call_is_not_run(functions):
    assert functions.call([Item("i1", "tool", name="clock"), Item("m1", "assistant")]) == []
    assert not functions.pending


def test_response_is_owed_when_all_calls_of_an_ended_one_have_run(functions):
    functions.call([item(1), item(2)])
    functions.ran("c1", "")
    functions.response_ended(cut_off=False)
    assert not functions.owed

    functions.ran("c2", "")
    assert functions.owed


def test_response_that_called_nothing_owes_nothing(functions):
    functions.response_ended(cut_off=False)

    assert not functions.owed


def test_response_that_was_cut_off_owes_nothing_but_outputs(functions):
    functions.call([item()])
    functions.response_ended(cut_off=True)

    assert len(functions.ran("c1", "")) == 1
    assert not functions.owed
    assert not functions.pending


def test_slow_function_of_an_earlier_response_holds_up_no_later_one(functions):
    functions.call([item(1)])
    functions.response_ended(cut_off=False)
    functions.call([item(2)])
    functions.response_ended(cut_off=False)
    functions.ran("c2", "")

    assert functions.owed


def test_user_who_wants_silence_is_owed_nothing(functions):
    functions.call([item(1)])
    functions.response_ended(cut_off=False)
    functions.release()

    assert len(functions.ran("c1", "")) == 1
    assert not functions.owed


def test_too_many_at_a_time_are_answered_at_once(functions):
    functions.call([item(n) for n in range(MOST_RUNNING)])
    outputs = functions.call([item(99)])

    assert outputs_of(outputs) == [TOO_MANY]
    assert "error" in orjson.loads(TOO_MANY)

    functions.ran("c0", "")
    assert functions.call([item(100)]) == [RunTool("c100", "clock", "")]


def test_only_so_many_calls_are_remembered(functions):
    for number in range(MOST_REMEMBERED + 1):
        functions.call([item(number)])
        functions.ran(f"c{number}", "")

    assert functions.call([item(MOST_REMEMBERED)]) == []
    assert len(functions.call([item(0)])) == 1
