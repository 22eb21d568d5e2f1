"""One response at a time: asked for, expected, unwanted, ended; and what it calls."""

import pytest

from components.core.outputs import Complain, RunTool, Send
from components.core.replies import BEGIN_LIMIT_S, MOST_REPEATS, MOST_UNWANTED, Replies
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    BufferCleared,
    ErrorEvent,
    Item,
    Other,
    OutputItemDone,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
)
from components.protocol.failures import Severity
from components.protocol.rate_limits import PAUSE_S
from components.protocol.usage import Usage

ACTIVE = "conversation_already_has_active_response"
OUTPUT = "conversation.item.create"
ASK = "response.create"
CANCEL = "response.cancel"


def call(number=1):
    return Item(f"i{number}", "tool", call_id=f"c{number}", name="world_clock", arguments="{}")


def done(*items, response="r1", status="completed", code=""):
    return ResponseDone(response, status, items, ServerError(code=code), Usage())


class Server:
    """Drives the replies as a session does; keeps what was sent, run and complained of."""

    def __init__(self):
        self.replies = Replies()
        self.now = 0.0
        self.sent = []
        self.calls = []
        self.complaints = []

    def put(self, outputs):
        for output in outputs:
            match output:
                case Send(event):
                    self.sent.append(event)
                case RunTool():
                    self.calls.append(output)
                case Complain():
                    self.complaints.append(output)

    def says(self, *events):
        for event in events:
            self.put(self.replies.receive(event, self.now))
            self.put(self.replies.ask(self.now))
        return self

    def refuses(self, code="", event_id="", message=""):
        event = ErrorEvent(ServerError(code=code, event_id=event_id, message=message))
        outputs = self.replies.refused(event, self.now)
        self.put(outputs or [])
        self.put(self.replies.ask(self.now))
        return outputs is not None

    def runs(self, number=0, output="3 PM"):
        self.put(self.replies.ran(self.calls[number].call_id, output))
        self.put(self.replies.ask(self.now))

    def asked(self):
        """A response is wanted, and so asked for."""
        self.replies.want()
        self.put(self.replies.ask(self.now))
        return self

    def running(self, response="r1"):
        self.asked()
        return self.says(ResponseCreated(response))

    def passes(self, seconds):
        self.now += seconds
        self.replies.tick(self.now)
        self.put(self.replies.ask(self.now))

    @property
    def types(self):
        return [event["type"] for event in self.sent]

    @property
    def request(self):
        return [event["event_id"] for event in self.sent if event["type"] == ASK][-1]

    def is_late(self, response="r1"):
        return self.replies.is_late(TextDelta(response, "a1", 0, "x"))


@pytest.fixture
def server():
    return Server()


def test_nothing_is_under_way_at_first(server):
    assert not server.replies.thinking
    assert not server.replies.busy
    assert server.replies.ask(0.0) == []
    assert server.replies.cancel() == []


def test_request_is_made_once(server):
    server.asked().says(Other("odd"))

    assert server.types == [ASK]
    assert server.replies.thinking


def test_second_request_waits_for_the_end_of_the_first_response(server):
    server.running()
    server.asked()
    assert server.types == [ASK]

    server.says(done())
    assert server.types == [ASK, ASK]


def test_expected_response_is_thinking_until_it_is_given_up(server):
    server.says(SpeechStarted("u1"), SpeechStopped("u1"), SpeechStopped("u1"))
    server.passes(BEGIN_LIMIT_S - 0.1)
    assert server.replies.thinking

    server.passes(0.1)
    assert not server.replies.busy


def test_response_that_has_begun_is_not_given_up(server):
    server.running()
    server.passes(1e9)

    assert server.replies.thinking


def test_interruption_makes_a_running_response_unwanted(server):
    server.running()
    assert server.replies.interrupt()
    assert not server.replies.thinking
    assert server.is_late()

    server.put(server.replies.cancel())
    assert server.sent[-1]["type"] == CANCEL
    assert server.sent[-1]["response_id"] == "r1"

    server.says(done(status="cancelled"))
    assert not server.is_late()
    assert not server.replies.busy


def test_interruption_of_a_request_cancels_the_response_when_it_begins(server):
    server.asked()
    assert not server.replies.interrupt()
    assert server.replies.cancel() == []

    server.says(ResponseCreated("r1"))
    assert server.types == [ASK, CANCEL]
    assert server.is_late()


def test_interruption_forgets_what_was_only_expected_or_wanted(server):
    server.says(SpeechStopped("u1"))
    assert not server.replies.interrupt()
    assert not server.replies.busy

    server.replies.want()
    assert not server.replies.interrupt()
    assert server.replies.ask(0.0) == []


def test_items_and_calls_of_a_stopped_response_are_never_late(server):
    server.running()
    server.replies.interrupt()

    assert server.replies.is_late(AudioDelta("r1", "a1", 0, b""))
    assert server.replies.is_late(OutputItemDone("r1", Item("a1", "assistant")))
    assert not server.replies.is_late(OutputItemDone("r1", call()))
    assert not server.replies.is_late(ResponseCreated("r1"))
    assert not server.is_late("r2")


def test_refused_request_is_over_and_told(server):
    server.asked()
    assert server.refuses("odd", server.request, "No.")

    assert not server.replies.busy
    assert "No." in server.complaints[0].failure.sentence


def test_request_refused_because_of_another_response_is_made_again_after_it(server):
    server.asked()
    first = server.request
    assert server.refuses(ACTIVE, first)
    assert server.types == [ASK]
    assert server.complaints[0].failure.severity is Severity.BENIGN

    server.says(done(response="another"))
    assert server.types == [ASK, ASK]
    assert server.request != first


def test_refusal_of_something_else_is_not_about_the_request(server):
    assert not server.refuses("odd")

    server.asked()
    assert not server.refuses("odd")
    assert not server.refuses("odd", "theirs")
    assert not server.refuses(ACTIVE, "theirs")
    assert server.replies.thinking


def test_refusal_that_names_no_event_can_only_mean_the_request(server):
    server.asked()

    assert server.refuses(message="The conversation already has an active response.")
    server.says(done(response="other"))
    assert server.types == [ASK, ASK]


def test_wish_survives_the_refusal_of_an_earlier_request(server):
    server.asked()
    first = server.request
    server.replies.interrupt()
    server.replies.want()
    assert not server.refuses(ACTIVE, first)

    server.says(done(response="other"))
    assert server.types == [ASK, ASK]


def test_refusal_of_what_was_given_up_brings_no_wish_back(server):
    server.asked()
    server.replies.interrupt()
    server.refuses(ACTIVE, server.request)
    server.says(done(response="other"))

    assert server.types == [ASK]


def test_other_response_may_have_been_taken_for_the_one_asked_for(server):
    server.asked().says(ResponseCreated("other"))
    assert server.refuses(ACTIVE, server.request)
    server.passes(99.0)
    assert server.types == [ASK]

    server.says(done(response="other"))
    assert server.types == [ASK, ASK]


def test_end_of_another_response_changes_nothing(server):
    server.running().says(done(response="r0"))
    assert server.replies.thinking

    server.says(done(response=""), done())
    assert not server.replies.busy


def test_response_that_nobody_announced_is_the_running_one(server):
    server.says(ResponseCreated("r1"), ResponseCreated("r2"), done(response="r2"))

    assert not server.replies.busy


def test_id_that_is_used_again_is_another_response(server):
    server.running()
    server.replies.interrupt()
    server.says(ResponseCreated("r1"))

    assert not server.is_late()


def test_another_session_knows_of_nothing(server):
    server.running().says(SpeechStarted("u1"), OutputItemDone("r1", call()))
    server.replies.interrupt()
    server.replies.reset()

    assert not server.replies.busy
    assert not server.is_late()
    assert server.replies.ran("c1", "3 PM") == []


def test_server_that_never_ends_a_response_does_not_fill_the_memory(server):
    for number in range(MOST_UNWANTED + 1):
        server.says(ResponseCreated(f"r{number}"))
        server.replies.interrupt()

    assert not server.is_late("r0")
    assert server.is_late("r1")


# A server that is too busy.


def fails(server, code="rate_limit_exceeded"):
    server.says(done(status="failed", code=code))
    return server.complaints[-1]


def test_failed_response_is_asked_for_again_after_a_pause(server):
    complaint = fails(server.running())
    assert "asked for again in 5 seconds" in complaint.instead
    assert server.replies.busy

    server.passes(PAUSE_S - 0.1)
    assert server.types == [ASK]

    server.passes(0.1)
    assert server.types == [ASK, ASK]


def test_the_server_says_how_long_the_pause_is(server):
    server.running().says(RateLimitsUpdated(8.0))

    assert "in 8 seconds" in fails(server).instead


def test_it_is_asked_for_again_a_few_times_only(server):
    server.running()
    for _ in range(MOST_REPEATS):
        assert fails(server).instead
        server.passes(PAUSE_S)
        server.says(ResponseCreated("r1"))
    assert not fails(server).instead

    server.running()
    server.says(done())
    server.running()
    assert fails(server).instead


def test_other_failure_is_told_and_not_asked_for_again(server):
    complaint = fails(server.running(), "server_error")

    assert not complaint.instead
    assert not server.replies.busy


def test_other_words_of_the_user_take_its_place(server):
    for move_on in (server.replies.interrupt, server.replies.reset):
        fails(server.running())
        asked = server.types.count(ASK)
        move_on()
        server.passes(PAUSE_S)
        assert server.types.count(ASK) == asked


def test_failure_of_a_response_that_was_stopped_is_told_only(server):
    server.running()
    server.replies.interrupt()

    assert not fails(server).instead
    assert not server.replies.busy


# Functions.


def test_call_is_run_as_soon_as_it_is_complete_and_answered_when_the_response_is(server):
    server.says(ResponseCreated("r1"), OutputItemDone("r1", call()))
    assert server.calls == [RunTool("c1", "world_clock", "{}")]

    server.runs()
    assert server.types == [OUTPUT]
    assert server.replies.thinking

    server.says(done(call()))
    assert server.types == [OUTPUT, ASK]


def test_call_that_comes_with_the_end_of_its_response_alone_is_run(server):
    server.says(ResponseCreated("r1"), done(call()))
    assert server.replies.thinking
    assert server.replies.busy

    server.runs()
    assert server.types == [OUTPUT, ASK]


def test_two_calls_of_one_response_are_answered_by_one(server):
    server.says(ResponseCreated("r1"), OutputItemDone("r1", call(1)), done(call(1), call(2)))
    server.runs(1)
    assert server.types == [OUTPUT]

    server.runs(0)
    assert server.types == [OUTPUT, OUTPUT, ASK]


def test_the_answer_may_call_again(server):
    server.says(ResponseCreated("r1"), done(call(1)))
    server.runs(0)
    server.says(ResponseCreated("r2"), done(call(2), response="r2"))
    server.runs(1)

    assert server.types == [OUTPUT, ASK, OUTPUT, ASK]


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_what_a_response_that_was_cut_off_called_has_an_output_but_no_answer(server, status):
    server.says(ResponseCreated("r1"), OutputItemDone("r1", call(1)))
    server.says(done(call(1), call(2), status=status))
    server.runs()

    assert server.types == [OUTPUT]
    assert len(server.calls) == 1


def test_response_that_ran_into_its_limit_is_answered(server):
    server.says(ResponseCreated("r1"), done(call(), status="incomplete"))
    server.runs()

    assert server.types == [OUTPUT, ASK]


def test_who_speaks_meanwhile_is_answered_by_the_server(server):
    server.says(ResponseCreated("r1"), done(call()), SpeechStarted("u1"))
    server.runs()
    assert server.types == [OUTPUT]

    # The response to the words of the user has been told the output.
    server.says(SpeechStopped("u1"), ResponseCreated("r2"), done(response="r2"))
    assert server.types == [OUTPUT]


def test_words_that_come_to_nothing_leave_the_word_to_the_answer(server):
    server.says(ResponseCreated("r1"), done(call()), SpeechStarted("u1"))
    server.runs()
    server.says(BufferCleared())

    assert server.types == [OUTPUT, ASK]


def test_words_that_the_server_never_answers_keep_the_answer_back_for_a_while_only(server):
    server.says(ResponseCreated("r1"), done(call()), SpeechStarted("u1"), SpeechStopped("u1"))
    server.runs()
    server.passes(BEGIN_LIMIT_S - 0.1)
    assert server.types == [OUTPUT]

    server.passes(0.1)
    assert server.types == [OUTPUT, ASK]


def test_the_answer_waits_for_a_response_that_began_before_the_output(server):
    server.says(ResponseCreated("r1"), done(call()), ResponseCreated("r2"))
    server.runs()
    assert server.types == [OUTPUT]

    server.says(done(response="r2"))
    assert server.types == [OUTPUT, ASK]


def test_slow_function_of_an_earlier_response_holds_up_no_later_one(server):
    server.says(ResponseCreated("r1"), done(call(1)))
    server.says(ResponseCreated("r2"), done(call(2), response="r2"))
    server.runs(1)
    assert server.types == [OUTPUT, ASK]

    server.says(ResponseCreated("r3"), done(response="r3"))
    server.runs(0)
    assert server.types == [OUTPUT, ASK, OUTPUT, ASK]


def test_answer_that_crossed_another_response_is_asked_for_again(server):
    server.says(ResponseCreated("r1"), done(call()))
    server.runs()
    server.refuses(ACTIVE, server.request)
    assert server.types == [OUTPUT, ASK]

    server.says(done(response="theirs"))
    assert server.types == [OUTPUT, ASK, ASK]


def test_answer_that_was_refused_for_good_is_not_waited_for(server):
    server.says(ResponseCreated("r1"), done(call(1)))
    server.runs(0)
    server.refuses("server_error", server.request)
    server.says(ResponseCreated("r2"), done(call(2), response="r2"))
    server.runs(1)

    assert server.types == [OUTPUT, ASK, OUTPUT, ASK]


def test_new_socket_to_the_same_session_knows_of_no_response_that_the_old_one_saw_begin(server):
    server.says(ResponseCreated("r1"), done(call()), ResponseCreated("r2"), SpeechStarted("u1"))
    server.replies.reattached()
    server.runs()

    assert server.types == [OUTPUT, ASK]


def test_user_who_wants_silence_gets_no_answer_of_a_function(server):
    server.says(ResponseCreated("r1"), done(call()))
    server.replies.interrupt()
    server.replies.release()
    server.runs()

    assert server.types == [OUTPUT]


def test_turn_by_hand_takes_the_word_and_may_give_it_back(server):
    server.says(ResponseCreated("r1"), done(call()))
    server.replies.take_word()
    server.runs()
    assert server.types == [OUTPUT]

    server.replies.give_word()
    server.passes(0.0)
    assert server.types == [OUTPUT, ASK]
