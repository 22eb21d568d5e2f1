"""What is said in a call, what is told of it, and what ends it."""

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
from components.core.dialogue import Dialogue
from components.core.notices import Subject
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    AudioDone,
    Item,
    ItemAdded,
    Other,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    TextDelta,
    TranscriptDelta,
    TranscriptDone,
    TranscriptionDone,
)
from components.protocol.failures import Failure, Severity
from components.protocol.prices import Cost
from components.protocol.usage import Usage
from tests.wire import validate_client_event

MODEL = "gpt-realtime-2.1"
PAST = Conversation(
    messages=(
        Message("u1", "user", Status.DONE, ("My name is Ada.",)),
        Message("a1", "assistant", Status.STREAMING, ("Hello Ada. How",), heard=10),
    )
)


def a_dialogue(past=None, model=MODEL, **limits):
    return Dialogue(model, Limits(**limits), past)


def figures(cost: Cost | None) -> tuple[float, int]:
    """Dollars, and how many reports are unknown."""
    assert cost is not None
    return round(cost.dollars, 9), cost.unknown


def spoke(words, item_id="a1"):
    return TranscriptDelta("r1", item_id, 0, words)


def nobody_speaks(dialogue):
    """The states of a call in which nobody speaks."""
    dialogue.states(Connection.CONNECTED, User.LISTENING, Assistant.IDLE)


def used(tokens):
    """A response has ended that made so many tokens of sound: 64 dollars for a million."""
    return ResponseDone("r1", "completed", (), ServerError(), Usage(output_audio=tokens))


# What goes on from an earlier call.


def test_a_call_that_goes_on_begins_behind_a_mark():
    dialogue = a_dialogue(PAST)

    assert [(m.role, m.status) for m in dialogue.conversation.messages] == [
        ("user", Status.DONE),
        ("assistant", Status.INTERRUPTED),
        ("note", Status.DONE),
    ]
    assert dialogue.conversation.messages[-1].text == "continued"
    assert dialogue.conversation.connection is Connection.IDLE
    assert dialogue.show() is None, "whoever brought it knows it"


@pytest.mark.parametrize("past", [None, Conversation()])
def test_without_a_past_there_is_no_mark(past):
    assert a_dialogue(past).conversation == Conversation()


def test_only_the_words_go_on():
    ended = Conversation(
        Connection.FAILED, User.MUTED, messages=PAST.messages, notice="!", usage=Usage(7)
    )

    dialogue = a_dialogue(ended)

    assert dialogue.conversation == a_dialogue(PAST).conversation


# What a server event changes.


def test_words_of_both_sides_enter_the_conversation():
    dialogue = a_dialogue()
    dialogue.receive(SpeechStarted("u1"))
    dialogue.receive(TranscriptionDone("u1", 0, "Hello.", Usage()))
    dialogue.receive(spoke("Hi."))

    assert [m.text for m in dialogue.conversation.messages] == ["Hello.", "Hi."]


def test_what_the_call_costs_is_what_its_tokens_cost():
    dialogue = a_dialogue()
    assert dialogue.cost == Cost()
    dialogue.receive(used(1_000_000))
    dialogue.receive(used(500_000))

    assert figures(dialogue.cost) == (96.0, 0)
    assert a_dialogue(model="practice-engine").cost is None


def test_transcripts_cost_what_the_model_does_that_the_server_uses_then():
    dialogue = a_dialogue()
    minute = TranscriptionDone("u1", 0, "Hello.", Usage(transcription_s=60.0))
    dialogue.receive(SessionCreated(None, "", "gpt-realtime-whisper"))
    dialogue.receive(minute)
    assert figures(dialogue.cost) == (0.017, 0)

    dialogue.receive(SessionUpdated(None, True, "gpt-transcribe"))
    dialogue.receive(minute)
    assert figures(dialogue.cost) == (0.0215, 0)

    dialogue.receive(SessionUpdated(None, True))
    dialogue.receive(minute)
    assert figures(dialogue.cost) == (0.0215, 1)


def test_answers_without_a_figure_use_up_a_limit_all_the_same():
    dialogue = a_dialogue(cost=1.0)
    for _ in range(10):
        assert not dialogue.spent
        dialogue.receive(ResponseDone("r1", "completed", (), ServerError(), Usage(unreported=1)))

    assert dialogue.spent
    assert dialogue.cost == Cost(0.0, unknown=10)


def test_a_surcharge_makes_every_report_dearer():
    dialogue = Dialogue(MODEL, Limits(), surcharge=1.1)
    dialogue.receive(used(1_000_000))

    assert figures(dialogue.cost) == (70.4, 0)


def test_a_call_is_spent_once_it_has_cost_what_it_may():
    dialogue = a_dialogue(cost=64.0)
    dialogue.receive(used(999_000))
    assert not dialogue.spent

    dialogue.receive(used(1_000))

    assert dialogue.spent


def test_a_call_whose_price_nobody_knows_is_never_spent():
    dialogue = a_dialogue(model="practice-engine", cost=0.01)
    dialogue.receive(used(1_000_000))

    assert not dialogue.spent


def test_what_a_practice_server_says_of_itself_shows_until_the_first_response():
    dialogue = a_dialogue()
    dialogue.receive(SessionCreated(None, ""))
    assert dialogue.show() is None
    dialogue.receive(SessionCreated(None, "No voice here."))
    assert dialogue.show().notice == "No voice here."

    dialogue.receive(ResponseCreated("r1"))

    assert dialogue.show().notice == ""


# Words that come too late.


@pytest.mark.parametrize(
    ("event", "late"),
    [
        (spoke(" three"), True),
        (TranscriptDone("r1", "a1", 0, "One two three"), True),
        (TextDelta("r1", "a1", 0, " three"), True),
        (AudioDelta("r1", "a1", 0, b""), True),
        (AudioDone("r1", "a1"), True),
        (spoke("Yes", "a2"), False),
        (spoke("Yes", "nobody"), False),
        (ItemAdded(Item("a1", "assistant"), None), False),
        (Other("ping"), False),
    ],
)
def test_words_and_sound_of_a_message_that_was_spoken_over_are_late(event, late):
    dialogue = a_dialogue()
    dialogue.receive(spoke("One two"))
    dialogue.receive(spoke("Well", "a2"))
    assert not dialogue.is_interrupted(event)

    dialogue.interrupt("a1")

    assert dialogue.is_interrupted(event) is late


def test_replies_whose_words_still_come_are_spoken_over_all_at_once():
    dialogue = a_dialogue()
    dialogue.receive(spoke("One", "a1"))
    dialogue.receive(TranscriptDone("r1", "a1", 0, "One."))
    dialogue.receive(spoke("Two", "a2"))
    dialogue.receive(spoke("Three", "a3"))
    dialogue.receive(SpeechStarted("u1"))

    dialogue.interrupt_streaming()

    assert {m.item_id: m.status for m in dialogue.conversation.messages} == {
        "a1": Status.DONE,
        "a2": Status.INTERRUPTED,
        "a3": Status.INTERRUPTED,
        "u1": Status.PENDING,
    }


# Limits.


def test_the_end_of_the_time_is_announced_and_then_comes():
    dialogue = a_dialogue(call_s=60)
    nobody_speaks(dialogue)
    assert dialogue.tick(10**9) == "", "the call does not stand yet"
    dialogue.begin(100.0)

    assert dialogue.tick(150.0) == ""
    assert dialogue.show().notice == "This call ends in 10 seconds."
    assert dialogue.tick(160.0) == "The time for this call is up. You can start another."


def test_a_question_is_withdrawn_when_somebody_does_something():
    dialogue = a_dialogue(idle_s=10)
    nobody_speaks(dialogue)
    dialogue.begin(100.0)
    assert dialogue.tick(110.0) == ""
    assert dialogue.show().notice.startswith("Nobody has spoken for 10 seconds.")

    dialogue.active()

    assert dialogue.tick(114.0) == ""
    assert dialogue.show().notice == ""
    assert dialogue.tick(123.9) == ""
    assert dialogue.show() is None
    assert "nobody spoke" in dialogue.tick(129.0)


@pytest.mark.parametrize(
    ("user", "assistant", "goes_on"),
    [
        (User.SPEAKING, Assistant.IDLE, True),
        (User.LISTENING, Assistant.SPEAKING, True),
        (User.LISTENING, Assistant.THINKING, False),
        (User.MUTED, Assistant.IDLE, False),
    ],
)
def test_a_call_in_which_somebody_speaks_is_not_silent(user, assistant, goes_on):
    dialogue = a_dialogue(idle_s=10)
    dialogue.states(Connection.CONNECTED, user, assistant)
    dialogue.begin(100.0)

    assert (dialogue.tick(200.0) == "") is goes_on


def test_a_call_that_is_spent_ends_after_the_answer():
    dialogue = a_dialogue(cost=1.0)
    dialogue.begin(100.0)
    dialogue.receive(used(1_000_000))
    dialogue.states(Connection.CONNECTED, User.LISTENING, Assistant.SPEAKING)
    assert dialogue.tick(101.0) == ""
    assert dialogue.show().notice.endswith("ends after this answer.")

    nobody_speaks(dialogue)

    assert dialogue.tick(102.0) == (
        "This call has reached its limit of $1.00. You can start another."
    )


# What is told.


@pytest.mark.parametrize("severity", Severity)
def test_only_a_failure_that_will_not_pass_ends_the_call_and_a_harmless_one_is_not_told(severity):
    dialogue = a_dialogue()

    over = dialogue.complain(Failure(severity, "Refused."))

    assert over is (severity is Severity.PERMANENT)
    told = "" if severity is Severity.BENIGN else "Refused."
    assert dialogue.complaint == told
    dialogue.show()
    assert dialogue.conversation.notice == told


def test_a_complaint_may_be_shown_in_other_words_and_lasts_until_a_response_begins():
    dialogue = a_dialogue()
    dialogue.complain(Failure(Severity.TRANSIENT, "Busy."), "Asked again in 5 seconds.")
    assert dialogue.complaint == "Busy."
    assert dialogue.show().notice == "Asked again in 5 seconds."

    dialogue.receive(ResponseCreated("r1"))

    assert dialogue.complaint == ""
    assert dialogue.show().notice == ""


def test_the_most_urgent_is_shown_until_all_is_cleared():
    dialogue = a_dialogue()
    dialogue.tell(Subject.HINT, "Hold the button.")
    dialogue.tell(Subject.SERVER, "It does not react.")
    assert dialogue.show().notice == "It does not react."

    dialogue.clear_notices()

    assert dialogue.show().notice == ""


def test_only_a_conversation_that_has_changed_is_shown():
    dialogue = a_dialogue()
    assert dialogue.show() is None
    nobody_speaks(dialogue)
    assert dialogue.show() == dialogue.conversation
    assert dialogue.show() is None

    dialogue.states(Connection.CONNECTED, User.SPEAKING, Assistant.IDLE)
    nobody_speaks(dialogue)

    assert dialogue.show() is None, "it is again what was shown"


# The end.


def test_the_end_says_why_and_leaves_nothing_open():
    dialogue = a_dialogue()
    dialogue.states(Connection.CONNECTED, User.SPEAKING, Assistant.SPEAKING)
    dialogue.tell(Subject.HINT, "Hold the button.")
    dialogue.receive(spoke("One two"))

    dialogue.end(Connection.ENDED, "The time is up.")

    shown = dialogue.show()
    assert (shown.connection, shown.user, shown.assistant, shown.notice) == (
        *(Connection.ENDED, User.LISTENING, Assistant.IDLE),
        "The time is up.",
    )
    assert shown.messages[0].status is Status.INTERRUPTED
    assert dialogue.show() is None


def test_of_a_call_that_failed_what_was_to_come_is_lost():
    dialogue = a_dialogue()
    dialogue.receive(spoke("One two"))

    dialogue.end(Connection.FAILED, "")

    assert dialogue.conversation.messages[0].status is Status.LOST
    assert dialogue.conversation.notice == ""


# Messages of our own.


def test_every_line_and_mark_has_an_id_that_no_message_has():
    dialogue = a_dialogue(Conversation(messages=(Message("item_typed_2", "user"),)))

    first = dialogue.typed("Hello.")
    dialogue.note("renewed")
    second = dialogue.typed("Hello.")

    ids = [message.item_id for message in dialogue.conversation.messages]
    assert len(set(ids)) == len(ids) == 5
    assert dialogue.conversation.message(first).text == "Hello."
    assert dialogue.conversation.message(second).text == "Hello."


def test_a_broken_connection_loses_what_was_under_way():
    dialogue = a_dialogue()
    dialogue.receive(spoke("One two"))

    dialogue.lose()

    assert dialogue.conversation.messages[0].status is Status.LOST


def test_a_new_session_is_told_what_was_said_under_ids_of_ours():
    dialogue = a_dialogue()
    dialogue.receive(TranscriptionDone("i1", 0, "Hello.", Usage()))
    dialogue.receive(TextDelta("r1", "i2", 0, "Hi."))
    dialogue.archive(frozenset())

    events = dialogue.replay()

    for event in events:
        validate_client_event(event)
    told = [(e["item"]["id"], e["item"]["content"][0]["text"]) for e in events]
    assert told == [("past_0", "Hello."), ("past_1", "Hi.")]
    assert [(m.item_id, m.sent) for m in dialogue.conversation.messages] == told


def test_a_reply_that_still_sounds_keeps_its_id_in_a_new_session():
    dialogue = a_dialogue()
    dialogue.receive(spoke("One"))

    dialogue.archive(frozenset({"a1"}))

    assert dialogue.conversation.message("a1").text == "One"


def test_messages_get_their_times_when_they_change():
    dialogue = a_dialogue()
    dialogue.typed("Hello.")
    dialogue.time(5.0)
    dialogue.time(6.0)

    [message] = dialogue.conversation.messages
    assert (message.since_s, message.until_s) == (5.0, 5.0)
