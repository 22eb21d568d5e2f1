"""Who speaks first in a call."""

from components.core.allowance import Limits
from components.core.conversation import Conversation, Message, Status
from components.core.outputs import Send
from components.core.session import Session
from components.protocol.options import Refused
from components.protocol.reading import server_event
from tests.dialogue import UNIX_S, Call, options, reconnect


def begun(**changes):
    """A call, and what it has sent after its settings."""
    call = Call(**changes)
    call.do(call.session.connecting(call.now))
    call.connected()
    call.receive("session.created", session={})
    call.outputs.clear()
    call.receive("session.updated", session={})
    return call


def test_the_assistant_begins_with_one_response_if_it_is_to():
    call = begun(first_word="assistant")
    assert len(call.sent("response.create")) == 1

    call.receive("session.updated", session={})
    call.do(call.session.tick(call.now + 60))
    assert call.sent("response.create") == []


def test_otherwise_the_user_does():
    assert begun().sent() == []
    assert begun(first_word="user").sent() == []


def test_what_the_microphone_brings_meanwhile_does_not_keep_it_from_beginning():
    call = Call(first_word="assistant")
    call.do(call.session.connecting(call.now))
    call.microphone()
    call.connected()
    call.receive("session.updated", session={})
    assert len(call.sent("response.create")) == 1


def test_a_conversation_that_goes_on_is_not_begun_again():
    said = Message("u", "user", Status.DONE, ("Hello.",))
    call = begun(first_word="assistant", past=Conversation(messages=(said,)))
    assert call.sent("response.create") == []


def test_a_line_that_was_typed_meanwhile_gets_its_answer_and_no_other():
    call = Call(first_word="assistant")
    call.do(call.session.connecting(call.now))
    call.do(call.session.say("Hello.", call.now))
    call.connected()
    call.receive("session.updated", session={})
    assert len(call.sent("response.create")) == 1


def test_a_connection_that_comes_back_is_no_beginning():
    call = begun(first_word="assistant")
    call.sent()
    reconnect(call)
    assert call.sent("response.create") == []


def test_the_beginning_counts_as_a_question_of_the_visitor():
    session = Session(
        options(first_word="assistant"),
        limits=Limits(),
        chance=lambda: 1.0,
        refused=Refused(),
        admit=lambda _: False,
    )
    session.connecting(1.0)
    session.connected(1.0, UNIX_S)
    updated = server_event({"type": "session.updated", "session": {}})
    assert not [o for o in session.receive(updated, 1.0) if isinstance(o, Send)]
