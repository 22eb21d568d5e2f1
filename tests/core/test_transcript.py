"""What the transcript is after each event."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.conversation import (
    MOST_CHARACTERS,
    MOST_MESSAGES,
    Conversation,
    Message,
    Status,
    interrupt,
    note,
)
from components.core.transcript import MOST_SHOWN
from components.protocol.fields import MAX_PARTS, MOST_ID_CHARACTERS
from components.protocol.reading import MOST_OUTPUT
from components.protocol.usage import Usage
from tests.hostile_events import events
from tests.lines import after, committed, ids, item, said, spoke, started, stopped, wrote


def test_unknown_event_changes_nothing():
    conversation = Conversation()

    assert after({"type": "brand.new"}, start=conversation) is conversation


def test_user_bubble_appears_when_speech_starts_and_fills_when_transcribed():
    conversation = after(started("u1"))

    assert conversation.messages == (Message("u1", "user", Status.PENDING),)

    conversation = after(
        stopped("u1"), committed("u1", None), said("u1", "Hello."), start=conversation
    )

    assert conversation.message("u1").text == "Hello."
    assert conversation.message("u1").status is Status.DONE


def test_speech_without_an_item_id_makes_no_bubble():
    assert after({"type": "input_audio_buffer.speech_started"}).messages == ()


def test_second_start_of_the_same_item_makes_no_second_bubble():
    assert ids(after(started("u1"), started("u1"))) == ["u1"]


def test_commit_without_speech_events_makes_the_bubble():
    """Push-to-talk has no turn detection."""
    conversation = after(committed("u1", None))

    assert conversation.messages == (Message("u1", "user", placed=True),)
    assert after({"type": "input_audio_buffer.committed"}).messages == ()


def test_item_brings_its_own_words():
    conversation = after(item("u1", previous=None, text="typed elsewhere"))

    assert conversation.message("u1").text == "typed elsewhere"
    assert conversation.message("u1").status is Status.DONE


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "output_audio", "transcript": "spoken"}], "spoken"),
        ([{"type": "input_audio", "transcript": None}], ""),
        (["nonsense", {"text": 5}], ""),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_content_of_an_item_is_read_with_care(content, text):
    event = item("x")
    event["item"]["content"] = content

    assert after(event).message("x").text == text


@pytest.mark.parametrize(
    "broken",
    [None, "nonsense", {}, {"id": 7, "type": "message", "role": "user"}],
)
def test_event_without_a_usable_item_changes_nothing(broken):
    assert after({"type": "conversation.item.added", "item": broken}).messages == ()


def test_system_message_is_not_part_of_the_transcript():
    assert after(item("s1", "system", None, text="Be brief.")).messages == ()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"type": "function_call", "name": "get_weather", "call_id": "c"}, "get_weather"),
        (
            {"type": "function_call", "name": "get_weather", "arguments": '{"city":"Oslo"}'},
            'get_weather {"city":"Oslo"}',
        ),
        ({"type": "function_call_output", "call_id": "c", "output": "Rain."}, "Rain."),
        ({"type": "function_call_output", "call_id": "c", "output": ""}, "result"),
        ({"type": "function_call_output", "output": "x" * 1000}, "x" * MOST_SHOWN),
        ({"type": "function_call", "name": "x", "arguments": "y" * 1000}, "x " + "y" * 298),
        ({"type": "mcp_list_tools"}, "result"),
    ],
)
def test_tools_show_with_what_they_were_given_and_gave_back(fields, text):
    conversation = after(
        {
            "type": "conversation.item.added",
            "previous_item_id": None,
            "item": {"id": "f1", **fields},
        }
    )

    assert conversation.message("f1").role == "tool"
    assert conversation.message("f1").text == text


def test_a_function_and_its_result_are_known_by_their_call():
    call = {"type": "function_call", "call_id": "c1", "name": "clock", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c1", "output": "3 PM"}
    conversation = after(
        *(
            {"type": "conversation.item.added", "item": {"id": item_id, **fields}}
            for item_id, fields in (("f1", call), ("o1", result))
        )
    )

    asked, answered = conversation.messages
    assert (asked.call_id, asked.name, asked.arguments) == ("c1", "clock", "{}")
    assert (answered.call_id, answered.name) == ("c1", "")


def test_what_a_function_is_given_shows_when_its_call_is_whole():
    call = {"id": "f1", "type": "function_call", "name": "clock", "arguments": ""}
    added = {"type": "response.output_item.added", "response_id": "r1", "item": call}
    conversation = after(added)
    assert conversation.message("f1").text == "clock"

    whole = {**call, "arguments": '{"place":"here"}'}
    done = {"type": "response.output_item.done", "response_id": "r1", "item": whole}
    conversation = after(done, start=conversation)

    assert [m.text for m in conversation.messages] == ['clock {"place":"here"}']
    bare = {"type": "conversation.item.added", "item": {"id": "f1", "type": "function_call"}}
    assert after(bare, start=conversation).messages == conversation.messages


def test_deleted_item_disappears():
    deleted = {"type": "conversation.item.deleted", "item_id": "u1"}

    assert ids(after(item("u1", previous=None), item("u2", previous="u1"), deleted)) == ["u2"]


def test_partials_stream_on_both_sides():
    conversation = after(
        committed("u1", None),
        said("u1", "Hel", "delta"),
        said("u1", "lo", "delta"),
        item("a1", "assistant", "u1"),
        spoke("a1", "Hi "),
        spoke("a1", "there"),
    )

    assert [(m.text, m.status) for m in conversation.messages] == [
        ("Hello", Status.STREAMING),
        ("Hi there", Status.STREAMING),
    ]


def test_final_words_replace_the_partials():
    conversation = after(item("a1", "assistant", None), spoke("a1", "Helo"))
    conversation = after(spoke("a1", "Hello!", "done"), start=conversation)

    assert conversation.message("a1").text == "Hello!"
    assert conversation.message("a1").status is Status.DONE
    assert after(spoke("a1", "Hello!", "done"), start=conversation) == conversation


def test_done_without_words_keeps_the_partials():
    conversation = after(
        item("a1", "assistant", None), wrote("a1", "Hello"), wrote("a1", None, "done")
    )

    assert conversation.message("a1").text == "Hello"


def test_parts_of_a_message_are_kept_apart():
    conversation = after(
        item("a1", "assistant", None),
        spoke("a1", "second", index=1),
        spoke("a1", "first, ", index=0),
        spoke("a1", "Second.", "done", index=1),
    )

    assert conversation.message("a1").parts == ("first, ", "Second.")


@pytest.mark.parametrize("index", [-1, MAX_PARTS, 10**9, "0", None])
def test_absurd_content_index_is_ignored(index):
    before = after(item("a1", "assistant", None))

    for event in (spoke("a1", "x", index=index), spoke("a1", "x", "done", index=index)):
        assert after(event, start=before) == before


def test_words_that_come_before_their_item_are_kept():
    conversation = after(
        said("u1", "Hello."),
        spoke("a1", "Hi"),
        item("u1", previous=None),
        item("a1", previous="u1"),
    )

    assert [(m.role, m.text) for m in conversation.messages] == [
        ("user", "Hello."),
        ("assistant", "Hi"),
    ]


def test_words_of_no_item_are_ignored():
    for event in (spoke(None, "x"), spoke("", "x", "done"), said(7, "x")):
        assert after(event).messages == ()


def test_spoken_words_wait_for_their_sound_and_written_ones_do_not():
    conversation = after(
        item("a1", "assistant", None), spoke("a1", "Hi"), item("a2", "assistant", "a1")
    )
    conversation = after(spoke("a1", " you"), wrote("a2", "Yes"), start=conversation)

    assert conversation.message("a1").heard == 0
    assert conversation.message("a2").heard is None


def test_failed_or_empty_transcription_is_marked():
    failed = {
        "type": "conversation.item.input_audio_transcription.failed",
        "item_id": "u1",
        "content_index": 0,
        "error": {"type": "transcription_error"},
    }

    assert after(committed("u1", None), failed).message("u1").status is Status.UNTRANSCRIBED
    assert after({**failed, "item_id": None}).messages == ()
    empty = after(committed("u1", None), said("u1", " "))
    assert empty.message("u1").status is Status.UNTRANSCRIBED


def test_interrupted_message_takes_no_more_words():
    conversation = after(item("a1", "assistant", None), spoke("a1", "One two"))
    conversation = interrupt(conversation, "a1")

    late = after(spoke("a1", " three"), spoke("a1", "One two three", "done"), start=conversation)

    assert late == conversation
    assert late.message("a1").status is Status.INTERRUPTED
    assert interrupt(late, "a1") is late


@pytest.mark.parametrize(
    ("status", "expected"),
    [("completed", Status.DONE), ("cancelled", Status.DONE), ("incomplete", Status.CUT)],
)
def test_end_of_a_response_leaves_nothing_waiting(status, expected):
    done = {"type": "response.done", "response": {"status": status, "output": [{"id": "a1"}]}}

    conversation = after(item("a1", "assistant", None), spoke("a1", "Half a"), done)

    assert conversation.message("a1").status is expected


def test_incomplete_response_marks_a_message_whose_words_are_final():
    done = {"type": "response.done", "response": {"status": "incomplete", "output": [{"id": "a"}]}}

    conversation = after(item("a", "assistant", None), spoke("a", "Half", "done"), done)

    assert conversation.message("a").status is Status.CUT


@pytest.mark.parametrize("response", [None, {}, {"output": None}, {"output": ["?", {"id": "x"}]}])
def test_end_of_a_broken_response_changes_nothing(response):
    before = after(item("a1", "assistant", None), spoke("a1", "Half a"))

    assert (
        after({"type": "response.done", "response": response}, start=before).messages
        == before.messages
    )


def test_end_of_a_response_keeps_the_interrupted_mark():
    done = {"type": "response.done", "response": {"status": "cancelled", "output": [{"id": "a1"}]}}
    before = interrupt(after(item("a1", "assistant", None), spoke("a1", "Half")), "a1")

    assert after(done, start=before).messages == before.messages


def test_usage_of_responses_and_transcriptions_is_kept():
    done = {"type": "response.done", "response": {"usage": {"output_tokens": 7}}}
    completed = {**said("u1", "Hello."), "usage": {"type": "duration", "seconds": 1.5}}

    assert after(done, completed, done).usage == Usage(output_text=14, transcription_s=1.5)


# What is kept has an end, and nothing that a server sends breaks it.


def test_message_is_kept_up_to_a_length():
    long = "x" * (MOST_CHARACTERS - 1)
    conversation = after(
        spoke("a1", "y"), spoke("a1", long), spoke("a1", "zz", index=1), said("u1", long + "yyy")
    )

    assert conversation.message("a1").text == "y" + long
    assert len(conversation.message("u1").text) == MOST_CHARACTERS
    assert after(spoke("a1", "more"), start=conversation) == conversation
    done = after(spoke("a1", long + "zz", "done"), start=conversation)
    assert len(done.message("a1").text) == MOST_CHARACTERS
    entry = item("u2", text="x" * 10**6)
    assert len(after(entry).message("u2").text) == MOST_CHARACTERS
    tool = {"type": "conversation.item.added", "item": {"id": "f", "name": "x" * 10**6}}
    assert len(after(tool).message("f").text) == MOST_SHOWN


def test_oldest_messages_go():
    conversation = after(*(said(f"u{n}", "w") for n in range(MOST_MESSAGES + 3)))

    assert ids(conversation) == [f"u{n}" for n in range(3, MOST_MESSAGES + 3)]

    conversation = after(item("a", "assistant", f"u{MOST_MESSAGES}"), start=conversation)

    assert ids(conversation)[0] == "u4"
    assert ids(conversation)[-3:] == ["a", f"u{MOST_MESSAGES + 1}", f"u{MOST_MESSAGES + 2}"]


def test_only_the_first_items_of_a_response_are_looked_at():
    strangers = [{"id": "x"}] * MOST_OUTPUT
    response = {"status": "completed", "output": [*strangers, {"id": "a1"}]}
    before = after(spoke("a1", "Half"))

    assert (
        after({"type": "response.done", "response": response}, start=before).messages
        == before.messages
    )


@pytest.mark.parametrize(
    "event",
    [
        spoke("u1", "I am you"),
        spoke("u1", "I am you", "done"),
        wrote("u1", "I am you"),
        item("u1", "assistant", text="I am you"),
        {"type": "conversation.item.added", "item": {"id": "u1", "type": "function_call"}},
    ],
)
def test_nobody_speaks_under_the_id_of_another_side(event):
    before = after(committed("u1", None), said("u1", "Me."))

    assert after(event, start=before) == before


def test_users_events_do_not_touch_a_reply_or_a_note():
    before = note(after(spoke("a1", "Hi")), "note_1", "reconnected")

    for event in (committed("a1", None), said("a1", "x"), said("note_1", "x"), spoke("note_1", "")):
        assert after(event, start=before).messages == before.messages
    assert ids(after(started("a1"), start=before)) == ["a1", "note_1"]


def test_delta_after_the_final_words_of_its_part_is_late():
    conversation = after(spoke("a1", "One."), spoke("a1", "One.", "done"))

    assert after(spoke("a1", "One."), start=conversation) == conversation
    more = after(spoke("a1", " Two.", index=1), start=conversation)
    assert more.message("a1").text == "One. Two."


def test_id_of_absurd_length_is_no_id():
    item_id = "x" * (MOST_ID_CHARACTERS + 1)

    for event in (started(item_id), committed(item_id), item(item_id), said(item_id, "w")):
        assert after(event).messages == ()


def test_halves_of_characters_are_replaced():
    assert after(said("u1", "a\ud83db")).message("u1").text == "a?b"


@settings(deadline=None)
@given(st.lists(events(), max_size=20))
def test_no_event_breaks_the_transcript(stream):
    conversation = after(*stream)

    assert len(set(ids(conversation))) == len(conversation.messages)
    for message in conversation.messages:
        assert 0 < len(message.item_id) <= MOST_ID_CHARACTERS
        assert len(message.parts) <= MAX_PARTS
        assert message.heard is None or 0 <= message.heard <= len(message.text)
        message.text.encode()
