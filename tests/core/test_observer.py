"""What the events of a watched call mean, and what ends it."""

from typing import Any

import pytest

from components.core.allowance import Limits
from components.core.conversation import (
    Assistant,
    Connection,
    Conversation,
    Message,
    Status,
    User,
)
from components.core.functions import MOST_RUNNING
from components.core.observer import SPENT, Observer, Seen
from components.core.outputs import Hangup, RunTool, Send, Show
from components.core.replies import BEGIN_LIMIT_S
from components.core.transcript import MOST_SHOWN
from components.protocol.prices import Cost
from components.protocol.reading import server_event
from tests.wire import validate_client_event

Event = tuple[str, dict[str, Any]]
"""The type of a server event, and its fields."""

CREATED: Event = ("response.created", {"response": {"id": "r"}})
WORDS: Event = ("response.output_audio_transcript.delta", {"item_id": "a", "delta": "Hello there"})
STARTED: Event = ("output_audio_buffer.started", {"response_id": "r"})
STOPPED: Event = ("output_audio_buffer.stopped", {"response_id": "r"})
ASKED: Event = ("input_audio_buffer.speech_stopped", {})
SPEAKS: Event = ("input_audio_buffer.speech_started", {})
SESSION: Event = ("session.created", {"session": {}})
OTHER: Event = ("rate_limits.updated", {})
PERMANENT: Event = ("error", {"error": {"code": "insufficient_quota", "message": "No money."}})


def done(status="completed", **fields):
    return ("response.done", {"response": {"id": "r", "status": status, **fields}})


def call(call_id="c1", **fields):
    item = {"id": f"f_{call_id}", "type": "function_call", "call_id": call_id, "name": "clock"}
    item = {**item, "arguments": '{"place":"here"}', "status": "completed", **fields}
    return ("response.output_item.done", {"response_id": "r", "item": item})


def spent(tokens=1_000_000):
    """A response that costs 64 dollars."""
    return done(usage={"output_tokens": tokens, "output_token_details": {"audio_tokens": tokens}})


class Watch:
    """A watched call whose events come a second apart, and all that it has put out."""

    def __init__(self, *events, model="gpt-realtime-2.1", past=None, **limits):
        self.observer = Observer(model, Limits(**limits), past=past)
        self.now = 0.0
        self.outputs = self.observer.begin(self.now)
        self.receive(*events)

    def receive(self, *events):
        for type_, fields in events:
            outputs = self.observer.receive(server_event({"type": type_, **fields}), self.now)
            self.outputs += outputs
            self.now += 1.0
        return self

    def ran(self, call_id, output="12:00"):
        self.outputs += self.observer.ran(call_id, output, self.now)

    def tick(self, passed_s, attached=True):
        self.now += passed_s
        self.outputs += self.observer.tick(self.now, attached)

    def sent(self):
        """The types of all events sent so far."""
        events = [output.event for output in self.outputs if isinstance(output, Send)]
        for event in events:
            validate_client_event(event)
        return [event["type"] for event in events]

    def called(self):
        return [output.call_id for output in self.outputs if isinstance(output, RunTool)]

    @property
    def seen(self) -> Seen:
        return self.observer.seen

    @property
    def conversation(self) -> Any:
        return self.seen.conversation


def after(*events):
    return Watch(*events).conversation


# What is seen.


def test_the_call_stands_when_its_session_does():
    assert after().connection is Connection.CONNECTING
    assert after(SESSION).connection is Connection.CONNECTED


def test_every_change_is_shown_and_nothing_else():
    watch = Watch()
    assert watch.outputs == [Show(watch.conversation)]
    watch.outputs.clear()

    watch.receive(OTHER)
    assert watch.outputs == []

    watch.receive(SPEAKS)
    assert watch.outputs == [Show(watch.conversation)]


def test_the_user_speaks_as_the_server_finds():
    assert after().user is User.LISTENING
    assert after(SPEAKS).user is User.SPEAKING
    assert after(SPEAKS, ASKED).user is User.LISTENING


def test_the_assistant_speaks_while_its_sound_plays_and_not_while_it_is_made():
    assert after(CREATED).assistant is Assistant.THINKING
    assert after(CREATED, done()).assistant is Assistant.IDLE
    assert after(CREATED, STARTED, done()).assistant is Assistant.SPEAKING
    for end in ("stopped", "cleared"):
        over = after(CREATED, STARTED, done(), (f"output_audio_buffer.{end}", {}))
        assert over.assistant is Assistant.IDLE


def test_the_assistant_thinks_from_the_end_of_the_users_words():
    assert after(SPEAKS, ASKED).assistant is Assistant.THINKING


def test_an_answer_that_does_not_come_is_not_awaited_for_ever():
    watch = Watch(SPEAKS, ASKED)

    watch.tick(BEGIN_LIMIT_S)

    assert watch.conversation.assistant is Assistant.IDLE


def test_words_show_when_they_come():
    (message,) = after(WORDS).messages

    assert message.text == "Hello there"
    assert message.heard == len("Hello there")


def test_a_truncated_item_was_interrupted():
    (message,) = after(WORDS, ("conversation.item.truncated", {"item_id": "a"})).messages

    assert message.status is Status.INTERRUPTED


def test_events_without_their_fields_change_nothing():
    truncated = ("conversation.item.truncated", {"item_id": "unknown"})
    bare: Event = ("conversation.item.truncated", {})
    delta = ("response.output_audio_transcript.delta", {"delta": "x"})

    assert after(truncated, bare, delta).messages == ()


def test_a_function_shows_with_what_it_was_given_and_gave_back():
    output = {"id": "o", "type": "function_call_output", "output": "x" * 1000}
    added = {"id": "f_c1", "type": "function_call", "name": "clock", "arguments": ""}
    known = after(
        CREATED,
        ("response.output_item.added", {"response_id": "r", "item": added}),
        call(),
        ("conversation.item.added", {"item": output}),
        ("conversation.item.added", {"item": {"id": "m", "type": "mcp_call"}}),
        ("conversation.item.added", {"item": {"id": "u", "type": "message", "role": "user"}}),
        ("conversation.item.added", {}),
    )

    texts = [message.text for message in known.messages]
    assert texts == ['clock {"place":"here"}', "x" * MOST_SHOWN, "result", ""]


def test_an_answer_is_timed_from_the_end_of_the_words_to_its_sound():
    assert Watch(ASKED).seen.answer_s is None
    assert Watch(OTHER, ASKED, CREATED, STARTED).seen.answer_s == 2.0
    # The second of two sounds in an answer is none to the words before the first.
    assert Watch(ASKED, STARTED, OTHER, STARTED).seen.answer_s == 1.0


def test_words_that_go_on_are_answered_from_their_last_end():
    assert Watch(ASKED, SPEAKS, STARTED).seen.answer_s is None
    assert Watch(ASKED, SPEAKS, OTHER, ASKED, STARTED).seen.answer_s == 1.0


def test_the_cost_is_that_of_the_model():
    assert Watch(spent(1200), spent(1200)).seen.cost == Cost(2 * 0.0768)
    assert Watch(spent(), model="practice-engine").seen.cost is None


# Functions.


def test_a_function_runs_once_and_a_response_is_asked_for_when_its_output_is_sent():
    watch = Watch(SESSION, CREATED, call(), done(output=[call()[1]["item"]]))
    assert watch.called() == ["c1"]
    assert watch.sent() == []
    assert watch.conversation.assistant == Assistant.THINKING

    watch.ran("c1")

    assert watch.sent() == ["conversation.item.create", "response.create"]
    watch.receive(CREATED, done())
    assert watch.sent() == ["conversation.item.create", "response.create"]
    assert watch.conversation.assistant is Assistant.IDLE


def test_the_output_of_a_function_waits_for_no_other_but_its_answer_does():
    watch = Watch(CREATED, call("c1"), call("c2"))
    watch.ran("c2")
    assert watch.sent() == ["conversation.item.create"]

    watch.receive(done())
    assert watch.sent() == ["conversation.item.create"]

    watch.ran("c1")
    assert watch.sent() == [*["conversation.item.create"] * 2, "response.create"]


def test_nothing_is_asked_for_after_a_response_that_was_cut_off():
    watch = Watch(CREATED, call(), done("cancelled"))
    watch.ran("c1")

    assert watch.sent() == ["conversation.item.create"]
    assert watch.conversation.assistant is Assistant.IDLE


def test_an_answer_waits_until_the_user_has_spoken_and_the_server_answers_for_both():
    watch = Watch(CREATED, call(), done(), SPEAKS)
    watch.ran("c1")
    watch.receive(ASKED)
    assert watch.sent() == ["conversation.item.create"]

    watch.receive(("response.created", {"response": {"id": "r2"}}), done(id="r2"))

    assert watch.sent() == ["conversation.item.create"]


def test_functions_beyond_a_number_are_answered_at_once():
    watch = Watch(CREATED, *(call(f"c{n}") for n in range(MOST_RUNNING + 1)))

    assert len(watch.called()) == MOST_RUNNING
    assert watch.sent() == ["conversation.item.create"]


def test_a_refused_response_is_asked_for_again_when_the_other_one_has_ended():
    watch = Watch(CREATED, call(), done())
    watch.ran("c1")
    request = [o.event for o in watch.outputs if isinstance(o, Send)][-1]
    code = "conversation_already_has_active_response"
    refusal = {"code": code, "message": "Busy.", "event_id": request["event_id"]}

    watch.receive(("error", {"error": refusal}))
    assert watch.sent().count("response.create") == 1
    assert watch.conversation.notice == ""

    watch.receive(("response.created", {"response": {"id": "r2"}}), done(id="r2"))
    assert watch.sent().count("response.create") == 2


def test_a_busy_server_is_asked_again_after_a_pause():
    watch = Watch(CREATED, call(), done())
    watch.ran("c1")
    request = [o.event for o in watch.outputs if isinstance(o, Send)][-1]
    refusal = {"code": "rate_limit_exceeded", "event_id": request["event_id"]}
    watch.receive(("error", {"error": refusal}))
    assert watch.conversation.notice == (
        "The server is busy. The answer is asked for again in 5 seconds."
    )

    watch.tick(5.0)

    assert watch.sent().count("response.create") == 2


# Errors.


def test_an_error_that_will_not_pass_ends_the_call_and_says_why():
    watch = Watch(SESSION, CREATED, STARTED, WORDS, PERMANENT)

    assert watch.observer.over
    assert watch.observer.reason == (
        "The account has no credit left. Add credit with your provider, then start again."
    )
    assert watch.outputs[-2:] == [Show(watch.conversation), Hangup()]
    assert watch.conversation.notice == watch.observer.reason


def test_a_failed_response_that_will_not_pass_ends_the_call_as_well():
    watch = Watch(SESSION, CREATED, done("failed", status_details={"error": PERMANENT[1]["error"]}))

    assert "no credit left" in watch.observer.reason


def test_any_other_error_is_told_until_a_response_begins():
    watch = Watch(SESSION, ("error", {"error": {"message": "Odd."}}))
    assert not watch.observer.over
    assert watch.conversation.notice == "The server reports: Odd."

    watch.receive(CREATED)

    assert watch.conversation.notice == ""


def test_an_error_that_harms_nobody_is_not_told():
    watch = Watch(SESSION, ("error", {"error": {"code": "response_cancel_not_active"}}))

    assert watch.conversation.notice == ""


# Limits.


def test_the_end_of_the_time_is_announced_and_then_comes():
    watch = Watch(SESSION, call_s=60)
    watch.tick(58.5)
    assert watch.conversation.notice == "This call ends in 1 second."
    assert not watch.observer.over

    watch.tick(0.5)

    assert watch.observer.reason == "The time for this call is up. You can start another."
    assert watch.outputs[-1] == Hangup()


@pytest.mark.parametrize(
    ("events", "attached", "goes_on"),
    [
        ([], True, False),
        ([SPEAKS, ASKED, CREATED], True, False),
        ([SPEAKS], True, True),
        ([CREATED, STARTED], True, True),
        ([], False, True),
    ],
)
def test_a_call_ends_in_which_nobody_speaks_as_far_as_anyone_can_see(events, attached, goes_on):
    watch = Watch(SESSION, *events, idle_s=10)

    watch.tick(100.0, attached)

    assert watch.observer.over is not goes_on
    assert ("nobody spoke" in watch.observer.reason) is not goes_on


def test_a_call_that_has_cost_what_it_may_ends_after_its_answer():
    watch = Watch(SESSION, CREATED, STARTED, spent(), cost=1.0)
    watch.tick(1.0)
    assert watch.conversation.notice.endswith("ends after this answer.")

    watch.receive(STOPPED)
    watch.tick(1.0)

    assert watch.observer.reason.startswith("This call has reached its limit of $1.00.")


def test_a_call_can_be_ended_for_a_reason_of_others():
    watch = Watch(SESSION, CREATED, STARTED)
    watch.observer.dialogue.answer_no_more("Try again tomorrow.")
    watch.tick(1.0)
    assert watch.conversation.notice == "Try again tomorrow."
    watch.receive(CREATED)

    assert watch.observer.reason == "Try again tomorrow."


def test_another_question_does_not_put_the_end_off():
    watch = Watch(SESSION, CREATED, STARTED, spent(), CREATED, cost=1.0)

    assert watch.observer.reason == SPENT
    assert watch.conversation.notice == SPENT
    assert watch.outputs[-1] == Hangup()


def test_a_call_that_is_spent_asks_for_no_response():
    watch = Watch(SESSION, CREATED, STARTED, call(), spent(), cost=1.0)

    watch.ran("c1")

    assert watch.sent() == ["conversation.item.create"]


def test_a_call_below_its_limit_goes_on():
    watch = Watch(SESSION, CREATED, spent(), CREATED, cost=1000.0)
    watch.tick(1.0)

    assert not watch.observer.over


# Another socket to the same call.


def test_what_was_missed_between_two_sockets_is_not_awaited():
    watch = Watch(SESSION, CREATED, STARTED, SPEAKS)

    watch.receive(SESSION)

    assert watch.conversation.user is User.LISTENING
    assert watch.conversation.assistant is Assistant.IDLE
    assert watch.conversation.connection is Connection.CONNECTED


def test_functions_run_on_between_two_sockets():
    watch = Watch(SESSION, CREATED, call(), done(), SESSION)
    assert watch.called() == ["c1"]

    watch.ran("c1")

    assert watch.sent() == ["conversation.item.create", "response.create"]


# The end.


@pytest.mark.parametrize("reason", ["Too long.", ""])
def test_the_end_leaves_nothing_open_and_says_why(reason):
    watch = Watch(SESSION, CREATED, STARTED, WORDS, SPEAKS)

    assert watch.observer.end(reason) == [Show(watch.conversation), Hangup()]

    over = watch.conversation
    assert (over.connection, over.notice) == (Connection.ENDED, reason)
    assert (over.user, over.assistant) == (User.LISTENING, Assistant.IDLE)
    assert over.messages[0].status is Status.INTERRUPTED
    assert watch.observer.over
    assert watch.observer.reason == reason


def test_nothing_happens_in_a_call_that_is_over():
    watch = Watch(SESSION, CREATED, call(), done())
    watch.observer.end("Too long.")
    watch.outputs.clear()

    watch.receive(SPEAKS, PERMANENT, CREATED)
    watch.ran("c1")
    watch.tick(10**6)
    watch.outputs += watch.observer.end("Something else.")

    assert watch.outputs == []
    assert watch.observer.reason == "Too long."


def test_a_call_goes_on_with_what_was_said_before_and_tells_its_session_once():
    said = Message("m1", "user", Status.DONE, ("Hello.",))
    heard = Message("m2", "assistant", Status.DONE, ("Good day.",), heard=9)
    watch = Watch(SESSION, SESSION, past=Conversation(messages=(said, heard)))
    events = [each.event for each in watch.outputs if isinstance(each, Send)]
    for event in events:
        validate_client_event(event)
    first, second = events
    assert first["previous_item_id"] == "root"
    assert second["previous_item_id"] == first["item"]["id"]
    assert [event["item"]["content"][0]["text"] for event in events] == ["Hello.", "Good day."]

    echoes = [
        (
            "conversation.item.added",
            {"item": event["item"], "previous_item_id": event["previous_item_id"]},
        )
        for event in events
    ]
    watch.receive(*echoes)
    words = [message.text for message in watch.observer.seen.conversation.messages]
    assert words == ["Hello.", "Good day.", "continued"]


def test_a_call_without_a_past_tells_its_session_nothing():
    assert not [each for each in Watch(SESSION).outputs if isinstance(each, Send)]
