"""An image in a turn: what is sent of it, and what becomes of it when the session begins anew."""

import pytest

from components.core.conversation import MOST_IMAGES, Connection, Conversation, Message, Status
from components.core.pace import AT_ONCE, TOO_OFTEN, Pace
from components.core.session import MOST_EARLY_LINES, MOST_LINE_CHARACTERS
from components.core.transcript import reduce
from components.protocol.failures import failure_of_close
from components.protocol.images import Image, image_of
from components.protocol.reading import server_event
from tests.dialogue import Call, only, reconnect
from tests.images import jpeg, png

PICTURE = image_of(jpeg(), "one")
OTHER = image_of(png(64, 48), "two")
NO_IMAGES = "This model does not support image inputs."


def show(call, text="", image=PICTURE):
    return call.do(call.session.say(text, call.now, image))


def created(call):
    """The content of each item that was sent since the last time."""
    events = call.sent("conversation.item.create")
    return [event["item"]["content"] for event in events]


def refuse(call, event):
    error = {"type": "invalid_request_error", "message": NO_IMAGES, "event_id": event["event_id"]}
    call.receive("error", error=error)


def item(item_id, *parts, previous=None):
    content = [{"type": "input_text", "text": part} if part else IMAGE_PART for part in parts]
    entry = {"id": item_id, "type": "message", "role": "user", "content": content}
    return {"type": "conversation.item.added", "previous_item_id": previous, "item": entry}


IMAGE_PART = {"type": "input_image", "image_url": "data:image/png;base64,aaaa", "detail": "auto"}


def test_an_image_is_a_turn_that_is_answered():
    call = Call().ready()
    show(call, "What is it?")

    [message, response] = call.sent()
    assert response["type"] == "response.create"
    assert message["item"]["content"] == [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": PICTURE.url},
    ]
    [shown] = call.conversation.messages
    assert (shown.text, shown.image, shown.status) == ("What is it?", PICTURE, Status.DONE)


def test_an_image_may_go_without_words():
    call = Call().ready()
    show(call)

    assert created(call) == [[{"type": "input_image", "image_url": PICTURE.url}]]
    assert only(call.conversation.messages).text == ""


def test_neither_words_nor_an_image_is_no_turn():
    call = Call().ready()

    assert call.do(call.session.say(" ", call.now)) == []


def test_an_image_interrupts_the_assistant_as_a_line_does():
    call = Call().ready().talk()
    show(call)

    types = [event["type"] for event in call.sent()]
    assert "conversation.item.truncate" in types
    assert "response.cancel" in types


def test_an_image_before_the_session_is_ready_is_sent_when_it_is():
    call = Call()
    call.do(call.session.connecting(call.now))
    for _ in range(MOST_EARLY_LINES + 1):
        show(call)
    assert call.sent() == []
    assert "not sent" in call.conversation.notice

    call.connected()
    call.receive("session.created", session={})
    call.receive("session.updated", session={})
    assert len(created(call)) == MOST_EARLY_LINES


def test_images_count_for_the_pace_of_a_visitor():
    pace = Pace()
    call = Call().ready()
    call.session._admit = lambda now: pace.admit("ada", now)
    for _ in range(AT_ONCE + 5):
        show(call)

    assert len(created(call)) == AT_ONCE
    assert call.conversation.notice == TOO_OFTEN


def test_an_image_with_too_long_a_line_is_not_sent():
    call = Call().ready()
    show(call, "x" * (MOST_LINE_CHARACTERS + 1))

    assert created(call) == []
    assert "too long" in call.conversation.notice


def test_a_refused_image_is_told_and_the_call_goes_on():
    call = Call().ready()
    show(call)
    [event] = call.sent("conversation.item.create")
    refuse(call, event)

    assert call.conversation.notice == f"The server reports: {NO_IMAGES}"
    assert call.conversation.connection is Connection.CONNECTED


@pytest.mark.parametrize("text", ["", "What is it?"])
def test_a_refused_image_is_not_sent_again_by_the_next_session(text):
    call = Call().ready()
    show(call, text)
    show(call, "And this?", OTHER)
    event, _ = call.sent("conversation.item.create")
    refuse(call, event)
    reconnect(call)

    first, second = created(call)
    assert [part["type"] for part in first] == ["input_text"]
    assert first[0]["text"] == f"(Image, 640 × 480. It is not here any more.) {text}".strip()
    assert [part["type"] for part in second] == ["input_text", "input_image"]


def test_an_image_that_the_next_session_refuses_is_not_sent_to_the_one_after_it():
    call = Call().ready()
    show(call)
    call.sent()
    reconnect(call)
    [event] = call.sent("conversation.item.create")
    refuse(call, event)
    reconnect(call)

    assert [part["type"] for part in only(created(call))] == ["input_text"]


def test_after_a_server_has_hung_up_on_too_long_a_message_no_image_is_sent_again():
    call = Call().ready()
    show(call)
    call.sent()
    reconnect(call, failure_of_close(1009, ""))

    assert [part["type"] for part in only(created(call))] == ["input_text"]


def test_after_a_reconnect_the_newest_images_are_sent_again_and_older_ones_named():
    call = Call().ready()
    for number in range(MOST_IMAGES + 1):
        show(call, f"number {number}")
    call.sent()
    reconnect(call)

    texts = [[part["type"] for part in content] for content in created(call)]
    assert texts == [["input_text"], *[["input_text", "input_image"]] * MOST_IMAGES]
    first, *rest = [m.image for m in call.conversation.messages if m.role == "user"]
    assert first == Image(640, 480, name="one")
    assert rest == [PICTURE] * MOST_IMAGES


def test_an_image_that_is_confirmed_keeps_its_place_and_its_size():
    call = Call().ready()
    show(call)
    [event] = call.sent("conversation.item.create")
    confirmed = server_event(item(event["item"]["id"], ""))
    call.do(call.session.receive(confirmed, call.now))

    [message] = call.conversation.messages
    assert message == Message(
        event["item"]["id"], "user", Status.DONE, ("",), placed=True, image=PICTURE
    )


@pytest.mark.parametrize("text", ["", "What is it?"])
def test_an_image_that_is_confirmed_under_another_id_takes_that_id(text):
    call = Call().ready()
    show(call, text)
    call.do(call.session.say("And?", call.now))
    for confirmed in (item("s1", *[text] if text else [], ""), item("s2", "And?", previous="s1")):
        call.do(call.session.receive(server_event(confirmed), call.now))

    assert [m.item_id for m in call.conversation.messages] == ["s1", "s2"]
    assert call.message("s1").image == PICTURE


def test_an_image_that_another_has_sent_is_a_message_without_a_size():
    conversation = reduce(Conversation(), server_event(item("s1", "")))

    [message] = conversation.messages
    assert (message.image, message.status) == (Image(), Status.DONE)


def test_an_image_beside_words_that_another_has_sent_is_noted():
    conversation = reduce(Conversation(), server_event(item("s1", "So?", "")))

    [message] = conversation.messages
    assert (message.text, message.image) == ("So?", Image())


def test_an_ended_conversation_that_goes_on_names_its_image():
    past = Conversation(messages=(Message("u", "user", Status.DONE, image=Image(64, 48)),))
    call = Call(past=past)
    call.do(call.session.connecting(call.now))
    call.connected()
    call.receive("session.created", session={})
    call.receive("session.updated", session={})

    [content] = created(call)
    assert content[0]["text"] == "(Image, 64 × 48. It is not here any more.)"
