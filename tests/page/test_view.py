from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.conversation import Conversation, Message, Role, Status
from components.page.view import messages
from components.protocol.images import Image


class Reader(HTMLParser):
    """What a browser would make of it: the tags, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def contents(*shown: Message) -> list[str]:
    return [Reader(each["content"]).text for each in messages(Conversation(messages=shown))]


def content(shown: Message) -> str:
    return messages(Conversation(messages=(shown,)))[0]["content"]


def user(status: Status, *parts: str) -> Message:
    return Message("u", "user", status, parts)


def reply(status: Status, text: str, heard: int | None = None) -> Message:
    return Message("a", "assistant", status, (text,), heard)


def test_an_empty_conversation_shows_nothing() -> None:
    assert messages(Conversation()) == []


def with_image(text: str = "", name: str = "abc") -> Message:
    return Message("u", "user", Status.DONE, (text,), image=Image(640, 480, "data:,", name))


def test_an_image_is_shown_by_its_size_before_the_words() -> None:
    assert content(with_image("What <is> it?")) == (
        '<span class="picture picture-abc">Image, 640 × 480</span>'
        '<span class="words">What &lt;is&gt; it?</span>'
    )
    assert content(with_image()) == '<span class="picture picture-abc">Image, 640 × 480</span>'


def test_an_image_that_only_the_server_has_seen_is_named_by_its_item() -> None:
    shown = Message("u1", "user", Status.DONE, image=Image())
    assert content(shown) == '<span class="picture picture-u1">Image</span>'


def test_the_name_of_an_image_brings_nothing_along() -> None:
    assert content(with_image(name='"><b>')) == '<span class="picture">Image, 640 × 480</span>'


def test_sides_keep_their_order_and_tools_stand_on_the_assistants() -> None:
    shown = messages(
        Conversation(
            messages=(
                user(Status.DONE, "What time is it?"),
                Message("t", "tool", Status.DONE, ("clock",)),
                reply(Status.DONE, "Noon."),
            )
        )
    )

    assert [message["role"] for message in shown] == ["user", "assistant", "assistant"]
    assert shown[1]["content"] == '<span class="tool">clock</span>'


def test_a_tool_without_a_name_is_left_out() -> None:
    assert contents(Message("t", "tool")) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (user(Status.PENDING), ["…"]),
        (user(Status.STREAMING, " "), ["…"]),
        (user(Status.STREAMING, "Hel"), ["Hel"]),
        (user(Status.DONE, "Hello."), ["Hello."]),
        (user(Status.DONE), []),
        (user(Status.UNTRANSCRIBED), ["(not transcribed)"]),
        (reply(Status.PENDING, ""), []),
        (reply(Status.STREAMING, "Good mor"), ["Good mor"]),
        (reply(Status.DONE, "Good morning."), ["Good morning."]),
        (reply(Status.UNTRANSCRIBED, ""), ["(not transcribed)"]),
        (reply(Status.CUT, "Once upon a"), ["Once upon acut off: length limit"]),
        (reply(Status.CUT, ""), ["cut off: length limit"]),
        (reply(Status.LOST, "Once upon a"), ["Once upon athe connection broke here"]),
        (user(Status.LOST, "Hel"), ["Helthe connection broke here"]),
    ],
)
def test_what_a_message_shows(message: Message, expected: list[str]) -> None:
    assert contents(message) == expected


@pytest.mark.parametrize(
    ("heard", "expected"),
    [(0, []), (3, []), (4, ["Good"]), (7, ["Good "]), (13, ["Good morning."])],
)
def test_a_streaming_reply_shows_only_heard_words(heard: int, expected: list[str]) -> None:
    assert contents(reply(Status.STREAMING, "Good morning.", heard)) == expected


def test_words_are_withheld_until_they_are_heard_though_the_server_is_done() -> None:
    assert contents(reply(Status.DONE, "Good morning.", 4)) == ["Good"]
    assert contents(reply(Status.DONE, "Good morning.", 13)) == ["Good morning."]


def test_a_note_stands_among_the_assistants_entries() -> None:
    note = Message("n", "note", Status.DONE, ("reconnected",))

    [shown] = messages(Conversation(messages=(note,)))

    assert shown == {"role": "assistant", "content": '<span class="note">reconnected</span>'}


def test_an_interrupted_reply_strikes_what_was_not_heard() -> None:
    assert content(reply(Status.INTERRUPTED, "Good morning to you.", 14)) == (
        '<span class="words">Good morning <del class="unheard">to you.</del></span>'
        '<span class="mark">interrupted</span>'
    )


def test_an_interrupted_reply_that_was_heard_out_strikes_nothing() -> None:
    assert "<del" not in content(reply(Status.INTERRUPTED, "Good morning.", 13))


def test_an_interrupted_reply_without_sound_was_seen_whole() -> None:
    assert "<del" not in content(reply(Status.INTERRUPTED, "Good morning."))


@given(st.text(), st.sampled_from(Status), st.sampled_from(["user", "assistant", "tool", "note"]))
def test_no_text_becomes_markup(text: str, status: Status, role: Role) -> None:
    shown = messages(Conversation(messages=(Message("m", role, status, (text,), len(text) // 2),)))

    for message in shown:
        assert set(Reader(message["content"]).tags) <= {"span", "del", "details", "summary"}


@given(st.text(min_size=1))
def test_all_words_of_a_finished_message_are_shown_unchanged(text: str) -> None:
    shown = messages(Conversation(messages=(user(Status.DONE, text),)))

    if text.strip():
        assert Reader(shown[0]["content"]).text == text
    else:
        assert shown == []


def test_more_than_a_line_that_was_not_heard_is_folded() -> None:
    rest = "and so on " * 73

    html = content(reply(Status.INTERRUPTED, f"Good morning {rest}", 13))

    assert html == (
        '<span class="words">Good morning </span>'
        '<details class="unheard"><summary>… 730 characters not heard</summary>'
        f'<del>{rest}</del></details><span class="mark">interrupted</span>'
    )


CLOCK = Message(
    "f",
    "tool",
    Status.DONE,
    ('clock {"in": "<Oslo>"}',),
    call_id="c1",
    name="clock",
    arguments='{"in": "<Oslo>"}',
    since_s=1.0,
    until_s=1.5,
)
NOON = Message("o", "tool", Status.DONE, ("<noon>",), call_id="c1", since_s=1.75, until_s=1.75)


def test_a_call_and_its_result_are_one_entry_that_opens() -> None:
    [shown] = messages(Conversation(messages=(CLOCK, NOON)))

    assert shown == {
        "role": "assistant",
        "content": '<span class="tool">Arguments: {&quot;in&quot;: &quot;&lt;Oslo&gt;&quot;}</span>'
        '<span class="tool">Result: &lt;noon&gt;</span>',
        "metadata": {"title": "clock", "status": "done", "duration": 0.25},
    }


def test_a_call_without_a_result_is_under_way() -> None:
    [shown] = messages(Conversation(messages=(CLOCK,)))

    assert shown["metadata"] == {"title": "clock", "status": "pending"}
    assert "Result" not in shown["content"]


def test_a_call_by_an_mcp_server_holds_its_result_itself() -> None:
    found = Message("m", "tool", Status.DONE, ("three",), name="search", arguments="{}")

    [shown] = messages(Conversation(messages=(found,)))

    assert shown["metadata"] == {"title": "search", "status": "done"}
    assert shown["content"].endswith("Result: three</span>")


def test_a_result_whose_call_is_unknown_stands_alone() -> None:
    [shown] = messages(Conversation(messages=(NOON,)))

    assert shown["content"] == '<span class="tool">&lt;noon&gt;</span>'


def test_a_call_whose_times_nobody_knows_has_no_duration() -> None:
    call = Message("f", "tool", Status.DONE, ("clock",), call_id="c1", name="clock")

    [shown] = messages(Conversation(messages=(call, NOON)))

    assert shown["metadata"] == {"title": "clock", "status": "done"}
    assert "Arguments: none" in shown["content"]


def test_a_call_by_an_mcp_server_names_it_and_says_how_long_it_took_and_that_it_failed() -> None:
    failed = Message(
        "m",
        "tool",
        Status.DONE,
        ('{"error":"<Bad> gateway"}',),
        name="search",
        arguments="{}",
        kind="mcp_call",
        server="docs",
        since_s=1.0,
        until_s=1.25,
    )

    [shown] = messages(Conversation(messages=(failed,)))

    assert shown["metadata"] == {
        "title": "docs: search (failed)",
        "status": "done",
        "duration": 0.25,
    }
    assert "&lt;Bad&gt; gateway" in shown["content"]


def test_what_a_server_lists_is_not_in_the_transcript() -> None:
    listed = Message("l", "tool", Status.DONE, ("result",), kind="mcp_list_tools", server="docs")

    assert messages(Conversation(messages=(listed,))) == []


ASKED = Message(
    "mcpr_1",
    "tool",
    Status.DONE,
    ("search {}",),
    name="search",
    arguments='{"for": "<b>"}',
    kind="mcp_approval_request",
    server="<docs>",
)


def test_a_request_is_asked_in_the_open_until_it_is_answered() -> None:
    [shown] = messages(Conversation(messages=(ASKED,)))

    assert "metadata" not in shown
    assert "&lt;docs&gt; asks to run <b>search</b>." in shown["content"]
    assert "&lt;b&gt;" in shown["content"]
    assert shown["content"].endswith('<span class="approval ask-mcpr_1"></span>')

    answer = Message(
        "r", "tool", Status.DONE, ("allowed",), call_id="mcpr_1", kind="mcp_approval_response"
    )
    [shown] = messages(Conversation(messages=(ASKED, answer)))
    assert shown["content"].endswith('<span class="mark">allowed</span>')
    assert "approval" not in shown["content"]


def test_a_request_whose_id_could_break_out_of_its_place_has_no_buttons() -> None:
    [shown] = messages(Conversation(messages=(replace(ASKED, item_id='x" onclick="y'),)))

    assert "onclick" not in shown["content"]
