"""Which functions of a watched call run, and when their answer is asked for."""

import pytest

from components.direct.function_calls import REFUSED_AS_ACTIVE, FunctionCall, FunctionCalls


def call(number=1, name="world_clock", **fields):
    item = {"type": "function_call", "call_id": f"c{number}", "name": name, "arguments": "{}"}
    return {"id": f"i{number}", "status": "completed", **item, **fields}


CREATED = {"type": "response.created", "response": {"id": "r"}}
STARTED = {"type": "input_audio_buffer.speech_started"}


def item_done(item):
    return {"type": "response.output_item.done", "response_id": "r", "item": item}


def done(*items, status="completed"):
    return {"type": "response.done", "response": {"id": "r", "status": status, "output": [*items]}}


class Watched:
    """Feeds events; keeps what is to run, and the types of what is to be sent."""

    def __init__(self):
        self.core = FunctionCalls()
        self.calls = []
        self.sent = []

    def hears(self, *events):
        for event in events:
            calls, sent = self.core.receive(event)
            self.calls += calls
            self.sent += sent

    def runs(self, number=0, output="3 PM"):
        self.sent += self.core.ran(self.calls[number], output)

    @property
    def types(self):
        return [event["type"] for event in self.sent]


@pytest.fixture
def watched():
    return Watched()


OUTPUT = "conversation.item.create"
ASK = "response.create"


def test_a_call_is_run_as_soon_as_it_is_complete_and_answered_when_the_response_is(watched):
    watched.hears(CREATED, item_done(call()))
    assert watched.calls == [FunctionCall("c1", "world_clock", "{}")]

    watched.runs()
    assert watched.sent == [
        {
            "type": OUTPUT,
            "item": {"type": "function_call_output", "call_id": "c1", "output": "3 PM"},
        }
    ]
    watched.hears(done(call()))
    assert watched.types == [OUTPUT, ASK]


def test_a_call_that_comes_with_the_end_of_its_response_alone_is_run(watched):
    watched.hears(CREATED, done(call()))
    watched.runs()

    assert watched.types == [OUTPUT, ASK]


def test_a_call_runs_once_however_often_it_is_told(watched):
    watched.hears(CREATED, item_done(call()), item_done(call()), done(call(), call()))

    assert len(watched.calls) == 1


def test_two_calls_of_one_response_are_answered_by_one(watched):
    watched.hears(CREATED, item_done(call(1)), item_done(call(2)), done(call(1), call(2)))
    watched.runs(1)
    assert watched.types == [OUTPUT]

    watched.runs(0)
    assert watched.types == [OUTPUT, OUTPUT, ASK]


def test_the_answer_may_call_again(watched):
    watched.hears(CREATED, done(call(1)))
    watched.runs(0)
    watched.hears(CREATED, done(call(2)))
    watched.runs(1)

    assert watched.types == [OUTPUT, ASK, OUTPUT, ASK]


def test_a_response_without_calls_asks_for_nothing(watched):
    watched.hears(CREATED, item_done({"type": "message", "id": "m"}), done({"type": "message"}))
    watched.hears({"type": "response.done"}, {"type": "response.done", "response": {"output": 1}})

    assert (watched.calls, watched.sent) == ([], [])


@pytest.mark.parametrize(
    "item",
    [
        call(status="incomplete"),
        call(status="in_progress"),
        call(call_id=""),
        call(call_id=None),
        None,
        "function_call",
    ],
)
def test_a_call_that_is_cut_off_or_is_none_is_not_run(watched, item):
    watched.hears(CREATED, item_done(item), done(item))

    assert watched.calls == []


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_what_a_response_that_was_cut_off_called_has_an_output_but_no_answer(watched, status):
    watched.hears(CREATED, item_done(call(1)), done(call(1), call(2), status=status))
    watched.runs()

    assert watched.types == [OUTPUT]
    assert len(watched.calls) == 1


def test_a_response_that_ran_into_its_limit_is_answered(watched):
    watched.hears(CREATED, done(call(), status="incomplete"))
    watched.runs()

    assert watched.types == [OUTPUT, ASK]


def test_who_speaks_meanwhile_is_answered_by_the_server(watched):
    watched.hears(CREATED, done(call()), STARTED)
    watched.runs()
    assert watched.types == [OUTPUT]

    # The response to the words of the user has been told the output.
    watched.hears(CREATED, done())
    assert watched.types == [OUTPUT]


def test_words_that_come_to_nothing_leave_the_word_to_the_answer(watched):
    watched.hears(CREATED, done(call()), STARTED)
    watched.runs()
    watched.hears({"type": "input_audio_buffer.cleared"})

    assert watched.types == [OUTPUT, ASK]


def test_the_answer_waits_for_a_response_that_began_before_the_output(watched):
    watched.hears(CREATED, done(call()), CREATED)
    watched.runs()
    assert watched.types == [OUTPUT]

    watched.hears(done())
    assert watched.types == [OUTPUT, ASK]


def test_a_slow_function_of_an_earlier_response_holds_up_no_later_one(watched):
    watched.hears(CREATED, done(call(1)), CREATED, done(call(2)))
    watched.runs(1)
    assert watched.types == [OUTPUT, ASK]

    watched.hears(CREATED, done())
    watched.runs(0)
    assert watched.types == [OUTPUT, ASK, OUTPUT, ASK]


def refusal(event_id, code=REFUSED_AS_ACTIVE):
    return {"type": "error", "error": {"code": code, "event_id": event_id}}


def test_an_answer_that_crossed_another_response_is_asked_for_again(watched):
    watched.hears(CREATED, done(call()))
    watched.runs()
    watched.hears(refusal(watched.sent[-1]["event_id"]))
    assert watched.types == [OUTPUT, ASK]

    watched.hears(done())
    assert watched.types == [OUTPUT, ASK, ASK]
    assert watched.sent[-1]["event_id"] != watched.sent[-2]["event_id"]


def test_an_answer_that_was_refused_for_good_is_not_waited_for(watched):
    watched.hears(CREATED, done(call(1)))
    watched.runs(0)
    watched.hears(refusal(watched.sent[-1]["event_id"], "server_error"), done(call(2)))
    watched.runs(1)

    assert watched.types == [OUTPUT, ASK, OUTPUT, ASK]


def test_errors_of_others_change_nothing(watched):
    watched.hears(refusal("theirs"), {"type": "error"}, {"type": "error", "error": "?"})
    watched.hears(CREATED, done(call()))
    watched.runs()

    assert watched.types == [OUTPUT, ASK]


def test_a_new_socket_knows_of_no_response_that_the_old_one_saw_begin(watched):
    watched.hears(CREATED, done(call()), CREATED, {"type": "session.created"})
    watched.runs()

    assert watched.types == [OUTPUT, ASK]
