"""What the events of a watched call mean."""

import pytest
from components.direct.observe import MOST_SHOWN, Seen, ended, is_active, noting, observe

from components.core.conversation import Assistant, Connection, Status, User


def seen_after(*events, model="gpt-realtime-2.1"):
    """What is known after events that come a second apart."""
    seen = Seen(model)
    for now, (type_, fields) in enumerate(events):
        seen = observe(seen, {"type": type_, **fields}, float(now))
    return seen


def after(*events):
    return seen_after(*events).conversation


CREATED = ("response.created", {"response": {"id": "r"}})
WORDS = ("response.output_audio_transcript.delta", {"item_id": "a", "delta": "Hello there"})
STARTED = ("output_audio_buffer.started", {"response_id": "r"})


def test_the_call_stands_when_its_session_does():
    assert after(("session.created", {})).connection is Connection.CONNECTED


def test_the_assistant_speaks_while_its_sound_plays_and_not_while_it_is_made():
    assert after(CREATED).assistant is Assistant.THINKING
    assert after(CREATED, ("response.done", {})).assistant is Assistant.IDLE
    assert after(CREATED, STARTED, ("response.done", {})).assistant is Assistant.SPEAKING
    for end in ("stopped", "cleared"):
        over = after(CREATED, STARTED, (f"output_audio_buffer.{end}", {}))
        assert over.assistant is Assistant.IDLE


def test_the_assistant_thinks_while_its_functions_run():
    output = [{"type": "function_call"}]
    for status, assistant in (("completed", Assistant.THINKING), ("cancelled", Assistant.IDLE)):
        done = ("response.done", {"response": {"status": status, "output": output}})
        assert after(CREATED, done).assistant is assistant


def test_a_function_shows_with_what_it_was_given_and_gave_back():
    call = {"id": "c", "type": "function_call", "name": "clock", "arguments": ""}
    output = {"id": "o", "type": "function_call_output", "output": "x" * 1000}
    known = after(
        ("response.output_item.added", {"item": call}),
        ("response.output_item.done", {"item": {**call, "arguments": '{"place":"here"}'}}),
        ("conversation.item.added", {"item": output}),
        ("conversation.item.added", {"item": {"id": "m", "type": "mcp_call"}}),
        ("conversation.item.added", {"item": {"id": "u", "type": "message", "role": "user"}}),
        ("conversation.item.added", {}),
    )

    texts = [message.text for message in known.messages]
    assert texts == ['clock {"place":"here"}', "x" * MOST_SHOWN, "result", ""]


def test_words_show_when_they_come():
    (message,) = after(WORDS).messages

    assert message.text == "Hello there"
    assert message.heard == len("Hello there")


def test_a_truncated_item_was_interrupted():
    (message,) = after(WORDS, ("conversation.item.truncated", {"item_id": "a"})).messages

    assert message.status is Status.INTERRUPTED


def test_events_without_their_fields_change_nothing():
    truncated = ("conversation.item.truncated", {"item_id": "unknown"})
    bare = ("conversation.item.truncated", {})
    delta = ("response.output_audio_transcript.delta", {"delta": "x"})

    assert after(truncated, bare, delta).messages == ()


def test_somebody_speaks_or_nobody_does():
    assert is_active(after(SPEAKS))
    assert is_active(after(CREATED, STARTED))
    assert not is_active(after(SPEAKS, ASKED, CREATED))


def test_a_note_is_there_until_there_is_none():
    seen = noting(Seen(""), "Soon over.")

    assert seen.conversation.notice == "Soon over."
    assert noting(seen, "Soon over.") is seen
    assert noting(seen, "").conversation.notice == ""


def test_the_end_says_why():
    words = ("response.output_audio_transcript.delta", {"item_id": "a", "delta": "Hello"})
    over = ended(seen_after(CREATED, STARTED, words, SPEAKS), "Too long.").conversation

    assert (over.connection, over.notice) == (Connection.ENDED, "Too long.")
    assert (over.user, over.assistant) == (User.LISTENING, Assistant.IDLE)
    assert over.messages[0].status is Status.INTERRUPTED
    assert ended(Seen("")).conversation.notice == ""


ASKED = ("input_audio_buffer.speech_stopped", {})
SPEAKS = ("input_audio_buffer.speech_started", {})
OTHER = ("rate_limits.updated", {})


def test_an_answer_is_timed_from_the_end_of_the_words_to_its_sound():
    assert seen_after(ASKED).answer_s is None
    assert seen_after(OTHER, ASKED, CREATED, STARTED).answer_s == 2.0
    # The second of two sounds in an answer is none to the words before the first.
    assert seen_after(ASKED, STARTED, OTHER, STARTED).answer_s == 1.0


def test_words_that_go_on_are_answered_from_their_last_end():
    assert seen_after(ASKED, SPEAKS, STARTED).answer_s is None
    assert seen_after(ASKED, SPEAKS, OTHER, ASKED, STARTED).answer_s == 1.0


def test_the_cost_is_that_of_the_model():
    usage = {"output_tokens": 1200, "output_token_details": {"audio_tokens": 1200}}
    done = ("response.done", {"response": {"usage": usage}})

    assert seen_after(done, done).cost == pytest.approx(2 * 0.0768)
    assert seen_after(done, model="practice-engine").cost is None
