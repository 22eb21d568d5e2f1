"""Which functions of a call run, and when their answer is asked for."""

import pytest

from components.core.functions import MOST_REMEMBERED, MOST_RUNNING, TOO_MANY
from components.core.outputs import RunTool
from components.core.replies import BEGIN_LIMIT_S
from components.protocol.events import (
    BufferCleared,
    Item,
    ItemAdded,
    ItemDone,
    SpeechStarted,
    SpeechStopped,
)
from tests.replying import ASK, OUTPUT, Server, created, done, function, item_done


@pytest.fixture
def server():
    return Server()


def test_call_is_run_as_soon_as_it_is_complete_and_answered_when_the_response_is(server):
    server.hears(created(), item_done(function()))
    assert server.calls == [RunTool("c1", "clock", "{}")]

    server.runs()
    assert server.sent == [
        {
            "type": OUTPUT,
            "item": {"type": "function_call_output", "call_id": "c1", "output": "3 PM"},
        }
    ]
    server.hears(done(function()))
    assert server.types == [OUTPUT, ASK]


def test_call_that_comes_with_the_end_of_its_response_alone_is_run(server):
    server.hears(created(), done(function()))
    server.runs()

    assert server.types == [OUTPUT, ASK]


def test_call_runs_once_however_often_it_is_told(server):
    server.hears(created(), item_done(function()), item_done(function()))
    server.hears(done(function(), function()))

    assert len(server.calls) == 1


def test_assistant_is_thinking_until_the_answer_is_asked_for(server):
    server.hears(created(), done(function()))
    assert server.replies.thinking
    assert server.replies.busy

    server.runs()
    server.hears(created("r2"), done(response="r2"))
    assert not server.replies.thinking
    assert not server.replies.busy


def test_two_calls_of_one_response_are_answered_by_one(server):
    server.hears(created(), item_done(function(1)), item_done(function(2)))
    server.hears(done(function(1), function(2)))
    server.runs(2)
    assert server.types == [OUTPUT]

    server.runs(1)
    assert server.types == [OUTPUT, OUTPUT, ASK]


def test_answer_may_call_again(server):
    server.hears(created(), done(function(1)))
    server.runs(1)
    server.hears(created("r2"), done(function(2), response="r2"))
    server.runs(2)

    assert server.types == [OUTPUT, ASK, OUTPUT, ASK]


def test_response_without_calls_asks_for_nothing(server):
    message = Item("m1", "assistant", ("Hello.",))
    server.hears(created(), item_done(message), done(message))

    assert server.outputs == []


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_what_a_response_that_was_cut_off_called_has_an_output_but_no_answer(server, status):
    server.hears(created(), item_done(function(1)), done(function(1), function(2), status=status))
    server.runs()

    assert server.types == [OUTPUT]
    assert len(server.calls) == 1


def test_response_that_ran_into_its_limit_is_answered(server):
    server.hears(created(), done(function(), status="incomplete"))
    server.runs()

    assert server.types == [OUTPUT, ASK]


def test_who_speaks_meanwhile_is_answered_by_the_server(server):
    server.hears(created(), done(function()), SpeechStarted("u1"))
    server.runs()
    server.hears(SpeechStopped("u1"))
    assert server.types == [OUTPUT]

    # The response to the words of the user has been told the output.
    server.hears(created("r2"), done(response="r2"))
    assert server.types == [OUTPUT]


def test_words_that_come_to_nothing_leave_the_word_to_the_answer(server):
    server.hears(created(), done(function()), SpeechStarted("u1"))
    server.runs()
    server.hears(BufferCleared())

    assert server.types == [OUTPUT, ASK]


def test_answer_is_asked_for_if_the_server_does_not_answer_the_user(server):
    server.hears(created(), done(function()), SpeechStarted("u1"))
    server.runs()
    server.hears(SpeechStopped("u1"))
    server.waits(BEGIN_LIMIT_S - 0.1)
    assert server.types == [OUTPUT]

    server.waits(0.1)
    assert server.types == [OUTPUT, ASK]


def test_what_the_user_wants_is_asked_for_though_they_have_the_word(server):
    server.replies.take_word()
    server.wants()

    assert server.types == [ASK]


def test_word_that_is_given_back_lets_the_answer_be_asked_for(server):
    server.hears(created(), done(function()))
    server.replies.take_word()
    server.runs()
    assert server.types == [OUTPUT]

    server.replies.give_word()
    server.do()
    assert server.types == [OUTPUT, ASK]


def test_answer_waits_for_a_response_that_began_before_the_output(server):
    server.hears(created(), done(function()), created("r2"))
    server.runs()
    assert server.types == [OUTPUT]

    server.hears(done(response="r2"))
    assert server.types == [OUTPUT, ASK]


def test_slow_function_of_an_earlier_response_holds_up_no_later_one(server):
    server.hears(created(), done(function(1)), created("r2"), done(function(2), response="r2"))
    server.runs(2)
    assert server.types == [OUTPUT, ASK]

    server.hears(created("r3"), done(response="r3"))
    server.runs(1)
    assert server.types == [OUTPUT, ASK, OUTPUT, ASK]


def test_answer_that_crossed_another_response_is_asked_for_again(server):
    server.hears(created(), done(function()))
    server.runs()
    server.refuses()
    assert server.types == [OUTPUT, ASK]

    server.hears(done(response="r2"))
    assert server.types == [OUTPUT, ASK, ASK]
    assert server.sent[-1]["event_id"] != server.sent[-2]["event_id"]


def test_answer_that_was_refused_for_good_is_not_waited_for(server):
    server.hears(created(), done(function(1)))
    server.runs(1)
    server.refuses("server_error")
    server.hears(done(function(2), response="r2"))
    server.runs(2)

    assert server.types == [OUTPUT, ASK, OUTPUT, ASK]


def test_release_sends_the_output_and_asks_for_nothing(server):
    server.hears(created(), done(function()))
    server.replies.release()
    server.runs()

    assert server.types == [OUTPUT]
    assert not server.replies.busy


def test_call_beyond_the_most_that_run_is_answered_at_once(server):
    server.hears(created(), done(*map(function, range(MOST_RUNNING + 1))))

    assert len(server.calls) == MOST_RUNNING
    [output] = server.sent
    assert output["item"]["call_id"] == f"c{MOST_RUNNING}"
    assert output["item"]["output"] == TOO_MANY


def test_server_that_calls_for_ever_does_not_fill_the_memory(server):
    for number in range(MOST_REMEMBERED + 1):
        server.hears(created(), done(function(number)))
        server.runs(number)
    server.outputs.clear()
    server.hears(created(), item_done(function(1)), item_done(function(0)))

    assert [call.call_id for call in server.calls] == ["c0"]


def test_result_for_an_earlier_session_is_dropped(server):
    server.hears(created(), done(function()), created("r2"))
    server.replies.reset()
    server.runs()

    assert server.outputs == [RunTool("c1", "clock", "{}")]
    assert not server.replies.busy


def test_session_that_is_taken_up_again_still_waits_for_the_output(server):
    server.hears(created(), done(function()), created("r2"), SpeechStarted("u1"))
    server.replies.reattached()
    server.runs()

    assert server.types == [OUTPUT, ASK]


def test_an_mcp_servers_call_is_followed_by_one_response_when_the_one_that_made_it_has_ended(
    server,
):
    item = Item("m1", "tool", kind="mcp_call", name="search")
    server.hears(created(), ItemAdded(item, None), done(), ItemDone(item, None))
    assert server.types == [ASK]
    server.hears(created("r2"), done(response="r2"))
    assert server.types == [ASK]
