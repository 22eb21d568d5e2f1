"""One response at a time: asked for, expected, unwanted, ended."""

import pytest

from components.core.replies import BEGIN_LIMIT_S, MOST_REPEATS, MOST_UNWANTED, Replies
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    ErrorEvent,
    Item,
    ItemAdded,
    OutputItemAdded,
    RateLimitsUpdated,
    SpeechStopped,
)
from components.protocol.rate_limits import PAUSE_S
from tests.replying import ASK, BUSY, CROSSED, Server, created, done, function, item_done


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
