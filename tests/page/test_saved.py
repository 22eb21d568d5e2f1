import json

import pytest

from components.core.conversation import Conversation, Message, Status
from components.page.saved import files, saved
from components.protocol.images import Image

ASKED = Message("u", "user", Status.DONE, ("Count *to* <ten> & on.",), since_s=100.0, until_s=102.0)
CALL = Message(
    "f",
    "tool",
    Status.DONE,
    ("count {}",),
    call_id="c1",
    name="count",
    arguments="{}",
    since_s=101.0,
    until_s=101.0,
)
RESULT = Message("o", "tool", Status.DONE, ("```",), call_id="c1", since_s=101.5, until_s=101.5)
COUNTED = Message(
    "a", "assistant", Status.INTERRUPTED, ("One,\ntwo, three.",), 10, since_s=101.6, until_s=163.25
)
NOTE = Message("n", "note", Status.DONE, ("continued",), since_s=170.0, until_s=170.0)
LOST = Message("x", "user", Status.UNTRANSCRIBED, since_s=171.0, until_s=171.0)
TALK = Conversation(messages=(ASKED, CALL, RESULT, COUNTED, NOTE, LOST))


def test_files_of_a_recording_count_from_the_beginning_of_its_sound() -> None:
    said = Message("u", "user", Status.DONE, ("Hi",), since_s=2.5, until_s=3.0)
    kept = files(Conversation(messages=(said,)))
    assert kept["transcript.md"] == "# Conversation\n\n**You:** Hi\n"
    [message] = json.loads(kept["transcript.json"])["messages"]
    assert (message["since_s"], message["until_s"]) == (2.5, 3.0)
    assert "00:00:02.500 --> 00:00:03.000" in kept["transcript.vtt"]


def test_markdown_shows_the_words_as_they_are_and_strikes_what_was_not_heard() -> None:
    assert saved(TALK, "md") == (
        "# Conversation\n\n"
        r"**You:** Count \*to\* \<ten\> & on."
        "\n\nFunction (0.50 s):\n\n````\ncount {}\n```\n````\n\n"
        "**Assistant:** One, two, ~~three.~~\n\n"
        "*continued*\n\n"
        "**You:** *(not transcribed)*\n"
    )


@pytest.mark.parametrize(
    ("text", "shown"), [("So?", "*(Image, 64 × 48)* So?"), ("", "*(Image, 64 × 48)*")]
)
def test_an_image_is_named_by_its_size(text: str, shown: str) -> None:
    image = Image(64, 48, "data:image/png;base64,aaaa")
    message = Message("u", "user", Status.DONE, (text,), image=image, since_s=1.0)
    talk = Conversation(messages=(message,))
    assert saved(talk, "md") == f"# Conversation\n\n**You:** {shown}\n"
    [entry] = json.loads(saved(talk, "json"))["messages"]
    assert entry["image"] == {"width": 64, "height": 48}
    assert ("-->" in saved(talk, "vtt")) == bool(text)


def test_what_has_not_run_yet_has_no_time() -> None:
    assert "Function:\n\n```\ncount {}\n```" in saved(Conversation(messages=(CALL,)), "md")


def test_a_message_without_words_is_left_out() -> None:
    assert saved(Conversation(messages=(Message("u", "user"),)), "md") == "# Conversation\n"


def test_an_unknown_form_is_markdown() -> None:
    assert saved(TALK, "exe") == saved(TALK, "md")


def test_json_holds_everything_with_times_from_the_first_message_on() -> None:
    messages = json.loads(saved(TALK, "json"))["messages"]

    assert messages[0] == {
        "role": "user",
        "text": "Count *to* <ten> & on.",
        "status": "done",
        "since_s": 0.0,
        "until_s": 2.0,
    }
    assert messages[1]["name"] == "count"
    assert messages[2]["call_id"] == "c1"
    assert messages[3]["heard"] == "One,\ntwo, "
    assert messages[3]["until_s"] == 63.25


def test_json_says_where_a_time_is_not_known() -> None:
    [message] = json.loads(saved(Conversation(messages=(Message("u", "user"),)), "json"))[
        "messages"
    ]

    assert message["since_s"] is message["until_s"] is None


def test_captions_name_the_speaker_and_end_before_the_next_begins() -> None:
    assert saved(TALK, "vtt") == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.600\n<v You>Count *to* &lt;ten&gt; &amp; on.\n\n"
        "00:00:01.600 --> 00:01:03.250\n<v Assistant>One, two,\n"
    )


def test_a_caption_stands_long_enough_to_be_read() -> None:
    quick = Message("u", "user", Status.DONE, ("Hi.",), since_s=5.0, until_s=5.0)

    assert "00:00:00.000 --> 00:00:00.500" in saved(Conversation(messages=(quick,)), "vtt")


@pytest.mark.parametrize("message", [NOTE, LOST, Message("u", "user", Status.DONE, ("Hi.",))])
def test_what_nobody_said_and_what_has_no_time_is_no_caption(message: Message) -> None:
    assert saved(Conversation(messages=(message,)), "vtt") == "WEBVTT\n"
