"""One response at a time: asked for, expected, unwanted, ended; and one owed for functions."""

import pytest

from components.core.functions import MOST_REMEMBERED, MOST_RUNNING, TOO_MANY
from components.core.outputs import Complain, RunTool, Send
from components.core.replies import BEGIN_LIMIT_S, MOST_REPEATS, MOST_UNWANTED, Replies
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    BufferCleared,
    ErrorEvent,
    Item,
    ItemAdded,
    OutputItemAdded,
    OutputItemDone,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    SpeechStarted,
    SpeechStopped,
)
from components.protocol.rate_limits import PAUSE_S
from components.protocol.usage import Usage

CROSSED = "conversation_already_has_active_response"
BUSY = ServerError(code="rate_limit_exceeded", message="Too fast.")
ASK, OUTPUT = "response.create", "conversation.item.create"


def created(response="r1"):
    return ResponseCreated(response)


def done(*items, response="r1", status="completed", error=None):
    return ResponseDone(response, status, items, error or ServerError(), Usage())


def function(number=1):
    return Item(f"i{number}", "tool", call_id=f"c{number}", name="clock", arguments="{}")


def item_done(item, response="r1"):
    return OutputItemDone(response, item)


def types(outputs):
    return [output.event["type"] for output in outputs if isinstance(output, Send)]


class Server:
    """Feeds replies as a session does: `ask` after everything else."""

    def __init__(self):
        self.replies = Replies()
        self.now = 0.0
        self.outputs = []

    def do(self, outputs=()):
        self.outputs += outputs
        self.outputs += self.replies.ask(self.now)

    def hears(self, *events):
        for event in events:
            if isinstance(event, ErrorEvent):
                self.do(self.replies.refused(event, self.now) or [])
            else:
                self.do(self.replies.receive(event, self.now))

    def wants(self):
        self.replies.want()
        self.do()

    def runs(self, number=1, output="3 PM"):
        self.do(self.replies.ran(f"c{number}", output))

    def waits(self, seconds):
        self.now += seconds
        self.replies.tick(self.now)
        self.do()

    def interrupts(self):
        """Whether a response had begun; what runs is cancelled."""
        begun = self.replies.interrupt()
        self.do(self.replies.cancel())
        return begun

    def refuses(self, code=CROSSED, event_id=None, message=""):
        event_id = self.last["event_id"] if event_id is None else event_id
        self.hears(ErrorEvent(ServerError(code=code, event_id=event_id, message=message)))

    @property
    def sent(self):
        return [output.event for output in self.outputs if isinstance(output, Send)]

    @property
    def last(self):
        return self.sent[-1]

    @property
    def types(self):
        return types(self.outputs)

    @property
    def calls(self):
        return [output for output in self.outputs if isinstance(output, RunTool)]

    @property
    def complaints(self):
        return [output for output in self.outputs if isinstance(output, Complain)]


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def running(server):
    server.wants()
    server.hears(created())
    server.outputs.clear()
    return server


# What is asked for.


def test_nothing_is_under_way_at_first(server):
    server.do()

    assert server.outputs == []
    assert not server.replies.thinking
    assert not server.replies.busy
    assert server.replies.cancel() == []
    assert not server.interrupts()


def test_request_is_made_once(server):
    server.wants()
    server.do()

    assert server.types == [ASK]
    assert server.replies.thinking


def test_second_request_waits_for_the_end_of_the_first_response(running):
    running.wants()
    assert running.types == []
    assert running.replies.busy

    running.hears(done())
    assert running.types == [ASK]


def test_wish_alone_keeps_the_call_busy(server):
    server.replies.want()

    assert server.replies.busy
    assert not server.replies.thinking


def test_event_of_something_else_changes_nothing(running):
    running.hears(ItemAdded(Item("u1", "user"), None))

    assert running.outputs == []
    assert running.replies.thinking


def test_every_request_has_an_id_of_its_own(server):
    server.wants()
    server.hears(created(), done())
    server.wants()

    first, second = server.sent
    assert first["event_id"] != second["event_id"]


def test_expected_response_is_thinking_until_it_is_given_up(server):
    server.now = 5.0
    server.hears(SpeechStopped("u1"))
    server.now = 9.0
    server.hears(SpeechStopped("u2"))
    server.waits(BEGIN_LIMIT_S - 4.1)
    assert server.replies.thinking

    server.waits(0.2)
    assert not server.replies.thinking


def test_response_that_has_begun_is_not_given_up(running):
    running.waits(1e9)

    assert running.replies.thinking


def test_end_of_another_response_changes_nothing(running):
    running.hears(done(response="r0"))
    assert running.replies.thinking

    running.hears(done(response=""))
    assert not running.replies.thinking

    running.hears(done())
    assert not running.replies.busy


def test_response_that_nobody_announced_is_the_running_one(server):
    server.hears(created("r1"), created("r2"), done(response="r2"))

    assert not server.replies.busy


# What is no longer wanted.


def test_interruption_makes_a_running_response_unwanted(running):
    assert running.interrupts()
    assert not running.replies.thinking
    assert running.replies.busy
    [cancel] = running.sent
    assert (cancel["type"], cancel["response_id"]) == ("response.cancel", "r1")

    running.hears(done(status="cancelled"))
    assert not running.replies.busy
    assert running.complaints == []


def test_what_a_stopped_response_still_brings_is_late_but_not_its_items_nor_calls(running):
    sound, message = AudioDelta("r1", "a1", 0, b""), Item("a1", "assistant")
    running.interrupts()

    assert running.replies.is_late(sound)
    assert running.replies.is_late(item_done(message))
    assert not running.replies.is_late(AudioDelta("r2", "a1", 0, b""))
    assert not running.replies.is_late(item_done(function()))
    assert not running.replies.is_late(OutputItemAdded("r1", message))
    assert not running.replies.is_late(ItemAdded(message, None))

    running.hears(done())
    assert not running.replies.is_late(sound)


def test_interruption_of_a_request_cancels_the_response_when_it_begins(server):
    server.wants()
    assert not server.interrupts()
    assert server.types == [ASK]

    server.hears(created())
    assert server.types == [ASK, "response.cancel"]
    assert server.replies.is_late(AudioDelta("r1", "a1", 0, b""))


def test_interruption_forgets_what_was_only_expected(server):
    server.hears(SpeechStopped("u1"))

    assert not server.interrupts()
    assert not server.replies.busy


def test_interruption_forgets_what_was_only_wanted(running):
    running.wants()
    running.interrupts()
    running.hears(done(status="cancelled"))

    assert running.types == ["response.cancel"]


def test_response_that_still_answers_is_not_cancelled(running):
    assert running.replies.cancel() == []


def test_server_that_never_ends_a_response_does_not_fill_the_memory(server):
    for number in range(MOST_UNWANTED + 1):
        server.hears(created(f"r{number}"))
        server.interrupts()

    assert not server.replies.is_late(AudioDelta("r0", "a1", 0, b""))
    assert server.replies.is_late(AudioDelta("r1", "a1", 0, b""))


def test_id_that_is_used_again_is_another_response(running):
    running.interrupts()
    running.hears(created(), created())

    assert not running.replies.is_late(AudioDelta("r1", "a1", 0, b""))


def test_new_session_knows_of_no_response(running):
    running.interrupts()
    running.wants()
    running.replies.reset()
    running.do()

    assert not running.replies.busy
    assert not running.replies.is_late(AudioDelta("r1", "a1", 0, b""))
    assert running.types == ["response.cancel"]


# What is refused.


def refusal(event_id="", code="odd", message=""):
    return ErrorEvent(ServerError(code=code, event_id=event_id, message=message))


def test_refused_request_is_over_and_told(server):
    server.wants()
    server.refuses("odd")

    assert not server.replies.busy
    assert len(server.complaints) == 1


def test_request_refused_because_of_another_response_is_made_again_after_it(server):
    server.wants()
    server.refuses()
    assert server.types == [ASK]

    server.hears(done(response="another"))
    assert server.types == [ASK, ASK]


def test_refusal_of_something_else_changes_nothing(server):
    assert server.replies.refused(refusal("response_1"), 0.0) is None

    server.wants()
    assert server.replies.refused(refusal(), 0.0) is None
    assert server.replies.refused(refusal("q9", CROSSED), 0.0) is None
    assert server.replies.thinking


def test_response_that_was_only_expected_cannot_be_refused(server):
    server.hears(SpeechStopped("u1"))

    assert server.replies.refused(refusal(code=CROSSED), 0.0) is None
    assert server.replies.thinking


def test_refusal_that_names_no_id_can_only_mean_the_request(server):
    server.wants()
    server.refuses("", "", "Conversation already has an active response")
    assert server.types == [ASK]

    server.hears(done(response="other"))
    assert server.types == [ASK, ASK]


def test_wish_survives_the_refusal_of_an_earlier_request(server):
    server.wants()
    server.interrupts()
    server.wants()
    server.refuses()
    assert server.types == [ASK]

    server.hears(done(response="other"))
    assert server.types == [ASK, ASK]


def test_refusal_of_what_was_given_up_brings_no_wish_back(server):
    server.wants()
    server.interrupts()
    assert server.replies.refused(refusal(server.last["event_id"], CROSSED), 0.0) is None
    server.hears(done(response="other"))

    assert server.types == [ASK]


def test_other_response_may_have_been_taken_for_the_one_asked_for(server):
    server.wants()
    request = server.last["event_id"]
    server.hears(created("other"))
    server.refuses(event_id=request)
    server.waits(99.0)
    assert server.types == [ASK]

    server.hears(done(response="other"))
    assert server.types == [ASK, ASK]


# What fails.


def fails(server, error=BUSY, response="r1"):
    server.hears(created(response), done(response=response, status="failed", error=error))


def test_failed_response_is_asked_for_again_after_a_pause(running):
    running.hears(RateLimitsUpdated(5.0))
    fails(running)
    assert running.replies.busy
    assert "again in 5 seconds" in running.complaints[0].instead

    running.waits(4.9)
    assert running.types == []

    running.waits(0.1)
    assert running.types == [ASK]


def test_request_refused_for_want_of_room_is_made_again_after_a_pause(server):
    server.wants()
    server.refuses("rate_limit_exceeded")
    server.waits(PAUSE_S)

    assert server.types == [ASK, ASK]


def test_failure_that_will_not_pass_is_told_and_not_repeated(running):
    fails(running, ServerError(code="server_error", message="Oh."))
    running.waits(99.0)

    assert running.types == []
    assert running.complaints[0].instead == ""


def repeats(server):
    """How often a response that always fails is asked for again."""
    for count in range(MOST_REPEATS + 2):
        fails(server)
        server.outputs.clear()
        server.waits(PAUSE_S)
        if not server.types:
            return count
    raise AssertionError("for ever")


def test_it_is_asked_for_again_a_few_times_only(running):
    assert repeats(running) == MOST_REPEATS


def test_response_that_succeeds_makes_up_for_those_that_failed(running):
    repeats(running)
    running.hears(created(), done())

    assert repeats(running) == MOST_REPEATS


def test_another_turn_of_the_user_is_another_matter(running):
    repeats(running)
    running.wants()

    assert repeats(running) == MOST_REPEATS


@pytest.mark.parametrize("move_on", [Replies.interrupt, Replies.reset])
def test_other_words_of_the_user_take_its_place(running, move_on):
    fails(running)
    move_on(running.replies)
    running.waits(PAUSE_S)

    assert running.types == []


def test_nobody_waits_for_a_response_that_was_stopped(running):
    running.interrupts()
    running.hears(done(status="failed", error=BUSY))
    running.waits(PAUSE_S)

    assert running.types == ["response.cancel"]
    assert len(running.complaints) == 1


# Functions that the assistant calls.


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
