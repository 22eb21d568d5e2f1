"""What a new session is told of the conversation before it."""

from components.core.conversation import Conversation, Message, Status, as_sent
from components.core.history import (
    MOST_CHARACTERS,
    MOST_KEPT_CHARACTERS,
    MOST_MESSAGES,
    kept,
    replay,
    sent_as,
)
from components.protocol.images import Image
from tests.wire import validate_client_event


def told(*messages):
    """(role, content type, text) of each item."""
    events = replay(Conversation(messages=messages))
    for event in events:
        validate_client_event(event)
    items = [event["item"] for event in events]
    return [
        (item["role"], item["content"][0]["type"], item["content"][0]["text"]) for item in items
    ]


def user(text, status=Status.DONE, item_id="u"):
    return Message(item_id, "user", status, (text,))


def assistant(text, heard=None, status=Status.DONE):
    return Message("a", "assistant", status, (text,), heard)


def test_both_sides_are_told_in_order_as_text():
    assert told(user("Hello."), assistant("Hi.", 3), user("Bye.")) == [
        ("user", "input_text", "Hello."),
        ("assistant", "output_text", "Hi."),
        ("user", "input_text", "Bye."),
    ]


def test_only_what_was_heard_was_said():
    assert told(assistant("One two three.", 7, Status.INTERRUPTED)) == [
        ("assistant", "output_text", "One two")
    ]
    assert told(assistant("One two three.", 0, Status.INTERRUPTED)) == []


def test_written_answer_counts_whole():
    assert told(assistant("One two three.")) == [("assistant", "output_text", "One two three.")]


def test_entries_without_words_are_left_out():
    tool = Message("f", "tool", Status.DONE, ("get_weather",))
    note = Message("n", "note", Status.DONE, ("reconnected",))

    assert told(user("…?", Status.UNTRANSCRIBED), Message("u", "user"), tool, note) == []


def with_image(text="", url="data:image/png;base64,aaaa"):
    return Message("u", "user", Status.DONE, (text,), image=Image(640, 480, url))


def test_an_image_that_is_kept_is_sent_again_with_its_words_or_without():
    events = replay(Conversation(messages=(with_image("What is it?"), with_image())))

    contents = [validate_client_event(event).item.content for event in events]
    assert [[(part.type, part.text) for part in content] for content in contents] == [
        [("input_text", "What is it?"), ("input_image", None)],
        [("input_image", None)],
    ]
    assert contents[1][0].image_url == "data:image/png;base64,aaaa"


def test_an_image_that_is_kept_no_more_is_named():
    assert told(with_image("What is it?", url=""), with_image(url="")) == [
        ("user", "input_text", "(Image, 640 × 480. It is not here any more.) What is it?"),
        ("user", "input_text", "(Image, 640 × 480. It is not here any more.)"),
    ]


def test_an_ended_conversation_keeps_no_image_but_its_size():
    [message] = kept(Conversation(messages=(with_image(),))).messages

    assert message.image == Image(640, 480)


def test_what_is_sent_again_is_known_by_its_words_and_image():
    events = replay(Conversation(messages=(with_image("So?"), with_image(), user("Yes."))))

    marked = [as_sent("So?", has_image=True), as_sent("", has_image=True), "Yes."]
    assert [sent_as(event) for event in events] == marked


def test_items_keep_their_ids():
    [event] = replay(Conversation(messages=(user("Hello.", item_id="item_7"),)))

    assert event["item"]["id"] == "item_7"


def test_only_the_newest_are_told():
    messages = [user(str(n)) for n in range(MOST_MESSAGES + 5)]

    texts = [text for _, _, text in told(*messages)]

    assert texts == [str(n) for n in range(5, MOST_MESSAGES + 5)]


def test_long_past_is_cut_at_a_message():
    long = "x" * (MOST_CHARACTERS - 5)

    assert [text for _, _, text in told(user("old"), user(long), user("new"))] == [long, "new"]
    assert [text for _, _, text in told(user("older"), user(long), user("new"))] == [long, "new"]


def test_of_a_last_message_that_is_too_long_the_end_is_told():
    [(_, _, text)] = told(user("old"), user("x" + "y" * MOST_CHARACTERS))

    assert text == "y" * MOST_CHARACTERS


def test_newest_messages_of_an_ended_conversation_are_kept_whole():
    long = "x" * (MOST_KEPT_CHARACTERS - 5)
    messages = (user("older"), user("old"), user(long), user("newer"))

    assert kept(Conversation(messages=messages)).messages == messages[2:]
    assert kept(Conversation(messages=messages[1:])).messages == messages[2:]
    assert kept(Conversation(messages=messages[:2])).messages == messages[:2]


def test_nothing_is_kept_of_a_message_beyond_all_bounds():
    assert kept(Conversation(messages=(user("x" * (MOST_KEPT_CHARACTERS + 1)),))).messages == ()
