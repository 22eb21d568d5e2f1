"""Each call runs once, has an output always, and is answered once its response has ended."""

import pytest

from components.core.functions import MOST_REMEMBERED, MOST_RUNNING, TOO_MANY, Functions
from components.core.outputs import RunTool, Send
from components.protocol.events import Item


def call(number=1):
    return Item(f"i{number}", "tool", call_id=f"c{number}", name="clock", arguments="{}")


def result(number=1, output="3 PM"):
    item = {"type": "function_call_output", "call_id": f"c{number}", "output": output}
    return Send({"type": "conversation.item.create", "item": item})


def called(*numbers):
    functions = Functions()
    functions.call(map(call, numbers))
    return functions


def test_nothing_is_pending_at_first():
    functions = Functions()
    functions.response_ended(cut_off=False)

    assert not functions.pending
    assert not functions.owed


def test_call_runs_once():
    functions = Functions()
    assert functions.call([call(), call()]) == [RunTool("c1", "clock", "{}")]
    assert functions.call([call()]) == []

    functions.ran("c1", "3 PM")
    assert functions.call([call()]) == []


def test_what_is_no_call_is_not_run():
    functions = Functions()

    assert functions.call([Item("m1", "assistant"), Item("f1", "tool", name="clock")]) == []
    assert not functions.pending


def test_output_is_sent_and_answered_when_the_response_has_ended():
    functions = called(1)
    assert functions.ran("c1", "3 PM") == [result()]
    assert functions.pending
    assert not functions.owed

    functions.response_ended(cut_off=False)
    assert functions.owed


def test_answer_waits_for_the_last_output():
    functions = called(1, 2)
    functions.response_ended(cut_off=False)
    functions.ran("c1", "3 PM")
    assert functions.pending
    assert not functions.owed

    functions.ran("c2", "4 PM")
    assert functions.owed


@pytest.mark.parametrize("ran_first", [True, False])
def test_response_that_was_cut_off_is_owed_no_answer(ran_first):
    functions = called(1)
    if ran_first:
        assert functions.ran("c1", "3 PM") == [result()]
    functions.response_ended(cut_off=True)
    if not ran_first:
        assert functions.ran("c1", "3 PM") == [result()]

    assert not functions.owed
    assert not functions.pending


def test_release_takes_the_answer_back_and_not_the_output():
    functions = called(1)
    functions.response_ended(cut_off=False)
    functions.release()
    assert not functions.pending

    assert functions.ran("c1", "3 PM") == [result()]
    assert not functions.owed


def test_output_of_a_call_that_nobody_made_is_not_sent():
    functions = called(1)

    assert functions.ran("c2", "3 PM") == []
    assert functions.ran("c1", "3 PM") == [result()]
    assert functions.ran("c1", "3 PM") == []


def test_too_many_calls_are_answered_at_once():
    functions = called(*range(MOST_RUNNING))
    assert functions.call([call(99)]) == [result(99, TOO_MANY)]
    assert functions.ran("c99", "3 PM") == []

    functions.ran("c0", "3 PM")
    assert functions.call([call(100)]) == [RunTool("c100", "clock", "{}")]


def test_response_whose_calls_were_all_answered_at_once_is_owed_an_answer():
    functions = called(*range(MOST_RUNNING))
    functions.response_ended(cut_off=True)
    functions.call([call(99)])
    functions.response_ended(cut_off=False)

    assert functions.owed


def test_oldest_calls_are_forgotten():
    functions = Functions()
    for number in range(MOST_REMEMBERED + 1):
        functions.call([call(number)])
        functions.ran(f"c{number}", "3 PM")

    assert functions.call([call(1)]) == []
    assert functions.call([call(0)]) == [RunTool("c0", "clock", "{}")]


# What the server calls itself, of an MCP server.


def remote(number=1):
    return Item(f"m{number}", "tool", kind="mcp_call", name="search")


def test_a_call_of_an_mcp_server_is_answered_once_it_is_done():
    functions = Functions()
    functions.remote(remote(), done=False)
    assert functions.pending
    assert not functions.owed

    functions.remote(remote(), done=True)
    assert functions.owed
    functions.owed = False
    functions.remote(remote(), done=True)
    assert not functions.owed
    assert not functions.pending


def approval(output):
    return Item("approval_1", "tool", kind="mcp_approval_response", output=output)


def test_a_refusal_of_a_call_is_answered_once_as_no_call_follows_it():
    functions = Functions()
    functions.remote(approval("allowed"), done=True)
    assert not functions.owed

    functions.remote(approval("refused"), done=False)
    assert functions.owed
    functions.owed = False
    functions.remote(approval("refused"), done=True)
    assert not functions.owed
    assert not functions.pending


def test_a_call_of_an_mcp_server_is_not_answered_after_the_user_wanted_silence():
    functions = Functions()
    functions.remote(remote(), done=False)
    functions.release()
    functions.remote(remote(), done=True)
    assert not functions.owed
    assert not functions.pending


def test_other_items_and_one_without_an_id_are_no_calls_of_an_mcp_server():
    functions = Functions()
    functions.remote(call(), done=True)
    functions.remote(Item("", "tool", kind="mcp_call"), done=True)
    assert not functions.owed


def test_calls_of_mcp_servers_are_remembered_for_a_while():
    functions = Functions()
    for number in range(MOST_REMEMBERED + 1):
        functions.remote(remote(number), done=True)
    functions.owed = False
    functions.remote(remote(MOST_REMEMBERED), done=True)
    assert not functions.owed
    functions.remote(remote(0), done=True)
    assert functions.owed
