"""Where in the transcript each message stands, however its events come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.conversation import (
    archive,
    heard_up_to,
    note,
)
from tests.lines import after, committed, ids, item, said, spoke, started, stopped


def test_late_transcript_stands_above_the_answer_it_preceded():
    conversation = after(
        committed("u1", None),
        item("a1", "assistant", "u1"),
        spoke("a1", "Fine."),
        said("u1", "How are you?"),
    )

    assert ids(conversation) == ["u1", "a1"]
    assert [m.text for m in conversation.messages] == ["How are you?", "Fine."]


def test_transcripts_of_two_turns_may_complete_in_any_order():
    conversation = after(
        committed("u1", None), committed("u2", "u1"), said("u2", "two"), said("u1", "one")
    )

    assert [m.text for m in conversation.messages] == ["one", "two"]


def test_bubble_of_a_barge_in_stands_below_the_answer_that_is_placed_later():
    conversation = after(
        committed("u1", None),
        started("u2"),
        item("a1", "assistant", "u1"),
        committed("u2", "a1"),
    )

    assert ids(conversation) == ["u1", "a1", "u2"]


def test_item_whose_predecessor_is_unknown_stands_at_the_end_and_may_still_move():
    conversation = after(item("u1", previous=None), item("a2", "assistant", "missing"))

    assert ids(conversation) == ["u1", "a2"]

    conversation = after(item("u2", previous="u1"), start=conversation)

    assert ids(conversation) == ["u1", "u2", "a2"]

    conversation = after(item("a2", "assistant", "u1"), start=conversation)

    assert ids(conversation) == ["u1", "a2", "u2"]


def test_null_predecessor_means_first_before_provisional_bubbles():
    assert ids(after(started("u2"), item("u1", previous=None))) == ["u1", "u2"]


def test_server_that_always_sends_null_does_not_reverse_the_transcript():
    conversation = after(*(item(name, previous=None) for name in ("u1", "u2", "u3")))

    assert ids(conversation) == ["u1", "u2", "u3"]


def test_placed_item_never_moves_again():
    conversation = after(
        item("u1", previous=None),
        item("u2", previous="u1"),
        item("u3", previous="u2"),
        item("u2", previous="u3", done=True),
    )

    assert ids(conversation) == ["u1", "u2", "u3"]


def test_added_item_without_a_predecessor_field_goes_to_the_end():
    entry = {"id": "a1", "type": "message", "role": "assistant"}
    event = {"type": "response.output_item.added", "item": entry}

    conversation = after(item("u1", previous=None), event)

    assert ids(conversation) == ["u1", "a1"]
    assert not conversation.message("a1").placed
    assert ids(after(event, start=conversation)) == ["u1", "a1"]


NAMES = [f"i{n}" for n in range(6)]


@st.composite
def dialogues(draw):
    """The items of a call in their true order, and their events in any order a server may send.

    An item's `added` never comes before that of its predecessor; everything else may.
    """
    count = draw(st.integers(1, len(NAMES)))
    names = NAMES[:count]
    roles = [draw(st.sampled_from(["user", "assistant"])) for _ in names]
    stream = [
        item(name, role, names[position - 1] if position else None)
        for position, (name, role) in enumerate(zip(names, roles, strict=True))
    ]
    events = [
        [spoke(name, "w", "done")]
        if role == "assistant"
        else [started(name), stopped(name), said(name, "w")]
        for name, role in zip(names, roles, strict=True)
    ]
    extras = draw(st.lists(st.sampled_from(events).flatmap(st.sampled_from), max_size=12))
    for extra in extras:
        stream.insert(draw(st.integers(0, len(stream))), extra)
    return names, stream


@given(dialogues())
def test_no_message_or_word_is_lost_or_reordered(dialogue):
    names, stream = dialogue
    conversation = after(*stream)

    assert ids(conversation) == names
    for event in stream:
        if event.get("transcript"):
            assert conversation.message(event["item_id"]).text == event["transcript"]


@given(dialogues())
def test_repeated_final_events_change_nothing(dialogue):
    _, stream = dialogue
    conversation = after(*stream)
    finals = [event for event in stream if event["type"].endswith((".completed", ".done"))]

    again = after(*finals, start=conversation)

    assert ids(again) == ids(conversation)
    assert [m.text for m in again.messages] == [m.text for m in conversation.messages]


# Marks, and other sessions.


@pytest.mark.parametrize("previous", [None, "u1"])
def test_new_message_stands_after_the_note_though_its_predecessor_is_before(previous):
    before = after(item("u1", previous=None), item("a1", "assistant", "u1"))
    before = note(before, "n1", "renewed")

    conversation = after(item("u2", previous=previous), item("a2", "assistant", "u2"), start=before)

    assert ids(conversation) == ["u1", "a1", "n1", "u2", "a2"]


def test_null_predecessor_means_first_of_the_session_only_once():
    before = note(after(item("u1", previous=None)), "n1", "renewed")

    conversation = after(item("u2", previous=None), item("u3", previous=None), start=before)

    assert ids(conversation) == ["u1", "n1", "u2", "u3"]


def test_message_that_was_heard_whole_stays_so_when_its_words_are_set_right():
    conversation = heard_up_to(after(spoke("a1", "Helo")), "a1", 4)

    assert after(spoke("a1", "Hello!", "done"), start=conversation).message("a1").heard == 6


def test_ids_of_a_session_are_free_again_when_it_is_over():
    before = archive(after(item("i1", previous=None, text="old"), item("i2", previous="i1")))

    conversation = after(item("i1", previous=None, text="new"), start=note(before, "n", "renewed"))

    assert [m.text for m in conversation.messages] == ["old", "", "renewed", "new"]
    assert len(set(ids(conversation))) == 4
