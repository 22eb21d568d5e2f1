"""What we ourselves change in a conversation: lines, marks, interruptions, and the end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.conversation import (
    MOST_CHARACTERS,
    MOST_MESSAGES,
    Conversation,
    Message,
    Status,
    archive,
    heard_up_to,
    interrupt,
    lose,
    note,
    put,
    replayed,
    settle,
    timed,
    typed,
)


def of(*messages):
    return Conversation(messages=messages)


def user(item_id="u1", text="Hello.", status=Status.DONE, **fields):
    return Message(item_id, "user", status, (text,) if text else (), **fields)


def assistant(item_id="a1", text="One two.", status=Status.DONE, **fields):
    return Message(item_id, "assistant", status, (text,) if text else (), **fields)


def tool(item_id="f1"):
    return Message(item_id, "tool", Status.DONE, ("clock",))


def heard(conversation: Conversation) -> int:
    """Characters of the assistant's message."""
    message = conversation.message("a1")
    assert message is not None
    assert message.heard is not None
    return message.heard


def ids(conversation):
    return [message.item_id for message in conversation.messages]


def statuses(conversation):
    return [message.status for message in conversation.messages]


def test_a_message_is_found_by_its_item():
    conversation = of(user(), assistant())

    assert conversation.message("u1") == user()
    assert conversation.message("nobody") is None


def test_the_text_of_a_message_is_that_of_its_parts():
    assert Message("a1", "assistant", parts=("One ", "two.")).text == "One two."
    assert Message("a1", "assistant").text == ""


# Putting.


def test_a_new_message_stands_at_the_end_and_a_known_one_where_it_stood():
    conversation = put(put(of(), user()), assistant())
    assert conversation == of(user(), assistant())

    conversation = put(conversation, user(text="Hello!"))

    assert conversation == of(user(text="Hello!"), assistant())
    assert put(conversation, assistant()) is conversation


def test_the_oldest_messages_go():
    conversation = of()
    for n in range(MOST_MESSAGES + 2):
        conversation = put(conversation, user(f"u{n}"))

    assert ids(conversation) == [f"u{n}" for n in range(2, MOST_MESSAGES + 2)]


# Lines that are typed or told again.


def test_a_typed_line_shows_at_once_and_is_remembered_as_sent():
    assert typed(of(assistant()), "t1", "Good morning") == of(
        assistant(), user("t1", "Good morning", sent="Good morning")
    )


def test_a_typed_line_is_kept_up_to_a_length_and_without_halves_of_characters():
    assert len(typed(of(), "t1", "x" * 10**6).messages[0].text) == MOST_CHARACTERS
    assert typed(of(), "t1", "a\ud83db").messages[0].text == "a?b"


def test_what_a_new_session_is_told_is_remembered_as_sent():
    conversation = of(user(), assistant(), tool())

    assert replayed(conversation, {"a1": "One"}) == of(user(), assistant(sent="One"), tool())
    assert replayed(conversation, {}) == conversation


# Marks.


def test_note_stands_after_what_was_said_before():
    before = of(user())

    conversation = note(before, "n1", "renewed")

    assert conversation.messages == (
        *before.messages,
        Message("n1", "note", Status.DONE, ("renewed",), placed=True),
    )


def test_nothing_needs_no_note():
    assert note(of(), "n1", "renewed") == of()


def test_note_that_nothing_followed_is_replaced():
    conversation = note(note(of(user()), "n1", "continued"), "n2", "reconnected")

    assert [(m.item_id, m.text) for m in conversation.messages[1:]] == [("n1", "reconnected")]


def test_note_that_something_followed_stays():
    conversation = put(note(of(user("u1")), "n1", "continued"), user("u2"))

    assert ids(note(conversation, "n2", "reconnected")) == ["u1", "n1", "u2", "n2"]


# Interruptions, and what was heard.


@pytest.mark.parametrize("status", [Status.PENDING, Status.STREAMING, Status.DONE, Status.CUT])
def test_the_user_may_speak_over_the_assistant(status):
    conversation = interrupt(of(user(), assistant(status=status)), "a1")

    assert statuses(conversation) == [Status.DONE, Status.INTERRUPTED]
    assert interrupt(conversation, "a1") is conversation


@pytest.mark.parametrize("item_id", ["u1", "f1", "nobody"])
def test_only_the_assistant_can_be_interrupted(item_id):
    conversation = of(user(status=Status.PENDING), tool())

    assert interrupt(conversation, item_id) is conversation


def test_heard_grows_by_whole_words_and_never_passes_the_text():
    conversation = heard_up_to(of(assistant(heard=0)), "a1", 4)

    assert heard(conversation) == 4
    assert heard_up_to(conversation, "a1", 6) is conversation, "half a word more"
    assert heard_up_to(conversation, "a1", 2) is conversation
    assert heard(heard_up_to(conversation, "a1", 99)) == 8
    assert heard_up_to(conversation, "nobody", 1) is conversation


@given(st.text(), st.lists(st.integers(0, 100)))
def test_what_was_heard_once_stays_heard(text, steps):
    conversation, before = of(assistant(text=text, heard=0)), 0
    for characters in steps:
        conversation = heard_up_to(conversation, "a1", characters)
        assert before <= heard(conversation) <= len(text)
        before = heard(conversation)


# A session or a call that is over.


def test_lost_connection_ends_what_was_under_way():
    conversation = lose(
        of(
            *(user(f"u{n}", status=status) for n, status in enumerate(Status)),
            *(assistant(f"a{n}", status=status) for n, status in enumerate(Status)),
            tool(),
        )
    )

    of_both = [Status.DONE, Status.INTERRUPTED, Status.CUT, Status.UNTRANSCRIBED, Status.LOST]
    assert statuses(conversation) == [
        *(Status.UNTRANSCRIBED, Status.LOST, *of_both),
        *(Status.LOST, Status.LOST, *of_both),
        Status.DONE,
    ]
    assert all(message.placed for message in conversation.messages)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (user(text="", status=Status.PENDING), Status.UNTRANSCRIBED),
        (user(text=" ", status=Status.STREAMING), Status.UNTRANSCRIBED),
        (user(text="Hel", status=Status.STREAMING), Status.DONE),
        (user(), Status.DONE),
        (user(text="", status=Status.UNTRANSCRIBED), Status.UNTRANSCRIBED),
        (assistant(heard=4), Status.INTERRUPTED),
        (assistant(heard=8), Status.DONE),
        (assistant(), Status.DONE),
        (assistant(heard=8, status=Status.STREAMING), Status.INTERRUPTED),
        (assistant(text="", status=Status.PENDING), Status.DONE),
        (assistant(status=Status.CUT), Status.CUT),
        (assistant(status=Status.LOST), Status.LOST),
        (tool(), Status.DONE),
    ],
)
def test_end_of_the_call_settles_every_message(message, status):
    conversation = settle(of(message))

    assert statuses(conversation) == [status]
    assert conversation.messages[0].placed
    assert settle(conversation) == conversation


def test_messages_of_a_session_that_is_over_have_ids_that_no_server_uses():
    conversation = archive(of(user("i1", sent="Hello."), assistant("i2")))

    assert conversation == of(user("past_0"), assistant("past_1"))


def test_message_that_still_sounds_keeps_its_id():
    conversation = of(assistant("a1"), assistant("past_0"))

    assert ids(archive(conversation, ["past_0"])) == ["past_1", "past_0"]
    assert archive(archive(conversation)) == archive(conversation)


def times(conversation):
    return [(m.since_s, m.until_s) for m in conversation.messages]


def test_a_message_has_the_time_at_which_it_came_and_at_which_it_last_said_more():
    before = timed(of(user(), assistant(text="One", heard=0)), of(), 10.0)
    longer = of(before.messages[0], replace(before.messages[1], parts=("One two.",)))
    later = timed(longer, before, 11.0)
    heard = timed(of(later.messages[0], replace(later.messages[1], heard=4)), later, 12.0)

    assert times(before) == [(10.0, 10.0)] * 2
    assert times(later) == [(10.0, 10.0), (10.0, 11.0)]
    assert times(heard) == [(10.0, 10.0), (10.0, 12.0)]


def test_a_message_that_only_gets_another_id_keeps_its_times():
    before = timed(of(user()), of(), 10.0)

    assert times(timed(archive(before), before, 11.0)) == [(10.0, 10.0)]
