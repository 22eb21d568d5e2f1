"""Items that we send ourselves, which the server confirms, under our ids or its own."""

import pytest

from components.core.conversation import (
    Conversation,
    Message,
    Status,
    archive,
    heard_up_to,
    interrupt,
    replayed,
    typed,
)
from components.core.history import replay
from tests.lines import after, ids, item, said, spoke


def test_typed_line_shows_at_once_and_is_confirmed_in_place():
    conversation = typed(Conversation(), "t1", "Good morning")
    conversation = after(item("t1", previous=None, text="Good morning"), start=conversation)

    assert conversation.messages == (
        Message("t1", "user", Status.DONE, ("Good morning",), placed=True),
    )


def test_typed_line_that_is_confirmed_under_another_id_takes_that_id():
    conversation = after(item("u1", previous=None, text="Hello."))
    conversation = typed(conversation, "t1", "Good morning")

    conversation = after(
        item("s1", previous="u1", text="Good morning"),
        item("s1", previous="u1", text="Good morning", done=True),
        item("a1", "assistant", "s1"),
        start=conversation,
    )

    assert ids(conversation) == ["u1", "s1", "a1"]
    assert conversation.message("s1") == Message(
        "s1", "user", Status.DONE, ("Good morning",), placed=True
    )


def test_line_that_is_typed_twice_is_confirmed_twice():
    conversation = typed(typed(Conversation(), "t1", "Yes"), "t2", "Yes")

    conversation = after(
        item("s1", previous=None, text="Yes"),
        item("s2", previous="s1", text="Yes"),
        start=conversation,
    )

    assert ids(conversation) == ["s1", "s2"]
    assert [m.text for m in conversation.messages] == ["Yes", "Yes"]


def test_line_that_was_confirmed_is_not_taken_for_another_item():
    conversation = typed(Conversation(), "t1", "Yes")

    conversation = after(
        item("t1", previous=None, text="Yes"),
        item("s2", previous="t1", text="Yes"),
        start=conversation,
    )

    assert ids(conversation) == ["t1", "s2"]


@pytest.mark.parametrize(
    "event",
    [
        item("s1", text="Another line"),
        item("s1", "assistant", text="Yes"),
        item("s1", text=""),
        item("s1"),
    ],
)
def test_only_an_item_of_the_same_side_with_the_same_words_is_ours(event):
    conversation = after(event, start=typed(Conversation(), "t1", "Yes"))

    assert ids(conversation) == ["t1", "s1"]
    assert conversation.message("t1").sent == "Yes"


def test_replayed_past_does_not_double_under_ids_of_the_server():
    past = heard_up_to(after(spoke("a1", "One two three.")), "a1", 7)
    past = archive(interrupt(after(said("u1", "Count."), start=past), "a1"))
    sent = {event["item"]["id"]: event["item"]["content"][0]["text"] for event in replay(past)}
    assert sent == {"past_0": "One two", "past_1": "Count."}
    conversation = replayed(past, sent)

    conversation = after(
        item("s1", "assistant", None, text="One two"),
        item("s2", "user", "s1", text="Count."),
        start=conversation,
    )

    assert ids(conversation) == ["s1", "s2"]
    assert [m.text for m in conversation.messages] == ["One two three.", "Count."]
    assert [m.sent for m in conversation.messages] == ["", ""]
