"""What the events of a watched call mean."""

from components.conversation import Assistant, Connection, Conversation, Status
from components.direct.observe import ended, observe


def after(*events):
    conversation = Conversation(connection=Connection.CONNECTING)
    for type_, fields in events:
        conversation = observe(conversation, {"type": type_, **fields})
    return conversation


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


def test_the_end_says_why():
    over = ended(after(CREATED, STARTED), "Too long.")

    assert (over.connection, over.assistant, over.notice) == (
        Connection.ENDED,
        Assistant.IDLE,
        "Too long.",
    )
