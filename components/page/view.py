"""What the transcript shows of a conversation.

Rule: every word in it comes from a server or a visitor, so it is escaped here, where it becomes
HTML, and nowhere else. The Chatbot must therefore not read it as Markdown. A word that is spoken is
shown when it has been heard, and not before. A function's call and its result are one entry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Literal, NotRequired, TypedDict

from components.core.conversation import Conversation, Message, Status
from components.core.words import heard_words

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
FOLDED_FROM: Final = 80
"""Characters that were not heard; more than a line of them is folded."""


class Entry(TypedDict):
    """What Gradio's Chatbot shows in the head of an entry that can be opened; `title` is HTML."""

    title: str
    status: Literal["pending", "done"]
    duration: NotRequired[float]
    """Seconds."""


class Shown(TypedDict):
    """A message as Gradio's Chatbot takes it; `content` is HTML."""

    role: Literal["user", "assistant"]
    content: str
    metadata: NotRequired[Entry]


@dataclass(frozen=True, slots=True)
class Call:
    """A function that the assistant has called."""

    name: str
    arguments: str
    result: str
    """Empty as long as there is none."""
    duration_s: float | None
    """From the call to its result; None if that is not known."""


def messages(conversation: Conversation) -> list[Shown]:
    """The messages to show, in order; one that has nothing to show yet is left out."""
    called = calls(conversation)
    results = _results(conversation)
    shown = []
    for message in conversation.messages:
        if message.kind == "mcp_approval_request":
            shown.append(_request(message, results.get(message.item_id)))
        elif call := called.get(message.item_id):
            shown.append(_entry(call))
        elif results.get(message.call_id) is not message and (content := _content(message)):
            role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
            shown.append(Shown(role=role, content=content))
    return shown


def calls(conversation: Conversation) -> Mapping[str, Call]:
    """The functions that were called, by the ids of the messages that call them."""
    results = _results(conversation)
    return {
        message.item_id: _call(message, results.get(message.call_id))
        for message in conversation.messages
        if message.role == "tool" and message.name and message.kind != "mcp_approval_request"
    }


def heard_words_of(message: Message) -> str:
    """The words that have been heard; all of them, where nothing sounds."""
    words = message.text
    return words if message.heard is None else heard_words(words, message.heard)


def _results(conversation: Conversation) -> Mapping[str, Message]:
    """The results of functions whose calls are known, by the ids of the calls."""
    called = {m.call_id for m in conversation.messages if m.call_id and m.name}
    called |= {m.item_id for m in conversation.messages if m.kind == "mcp_approval_request"}
    return {
        m.call_id: m
        for m in conversation.messages
        if m.role == "tool" and not m.name and m.call_id in called
    }


def _call(message: Message, result: Message | None) -> Call:
    """A call and its result; one that an MCP server has answered holds its result itself."""
    if result is None:
        own = not f"{message.name} {message.arguments}".startswith(message.text)
        took_s = _took_s(message) if own else None
        return Call(_name(message), message.arguments, message.text if own else "", took_s)
    duration_s = None
    if message.until_s is not None and result.since_s is not None:
        duration_s = max(0.0, result.since_s - message.until_s)
    return Call(message.name, message.arguments, result.text, duration_s)


def _name(message: Message) -> str:
    """Of a function; of a server's tool, with the server's label."""
    return f"{message.server}: {message.name}" if message.server else message.name


def _took_s(message: Message) -> float | None:
    """From the first that was told of a server's call to its result."""
    if message.since_s is None or message.until_s is None:
        return None
    return max(0.0, message.until_s - message.since_s)


def _request(message: Message, answer: Message | None) -> Shown:
    """A server's tool is to be called, and somebody has to allow it; tools.js adds the buttons."""
    asked = f"{escape(message.server)} asks to run <b>{escape(message.name)}</b>."
    content = _span("words", asked)
    content += _span("tool", f"Arguments: {escape(message.arguments) or 'none'}")
    if answer is not None:
        content += _span("mark", escape(answer.text))
    elif _PLAIN_ID.fullmatch(message.item_id):
        content += _span(f"approval ask-{message.item_id}", "")
    return Shown(role="assistant", content=content)


def _entry(call: Call) -> Shown:
    failed = " (failed)" if call.result.startswith('{"error"') else ""
    title = escape(call.name) + failed
    head = Entry(title=title, status="done" if call.result else "pending")
    if call.duration_s is not None:
        head["duration"] = round(call.duration_s, 3)
    content = _span("tool", f"Arguments: {escape(call.arguments) or 'none'}")
    if call.result:
        content += _span("tool", f"Result: {escape(call.result)}")
    return Shown(role="assistant", content=content, metadata=head)


def _content(message: Message) -> str:
    match message.role:
        case "user":
            return _user(message)
        case "assistant":
            return _assistant(message)
        case "tool" if message.kind:  # what a server lists is in the drawer
            return ""
        case _:  # a note, or an item of another kind
            return _span(message.role, escape(message.text)) if message.text.strip() else ""


def _user(message: Message) -> str:
    if message.status is Status.UNTRANSCRIBED:
        return _span("mark", "(not transcribed)")
    if message.text.strip() or message.image:
        words = _span("words", escape(message.text)) if message.text.strip() else ""
        return _picture(message) + words + _mark(message)
    unfinished = message.status in (Status.PENDING, Status.STREAMING)
    return _span("waiting", "…") if unfinished else ""


def _picture(message: Message) -> str:
    """Words in the place of an image; the page that has sent it shows it, by its name or, in a
    call that is only watched, by its item's."""
    if message.image is None:
        return ""
    name = message.image.name or message.item_id
    named = f" picture-{name}" if _PLAIN_ID.fullmatch(name) else ""
    return _span(f"picture{named}", escape(message.image.label))


def _assistant(message: Message) -> str:
    match message.status:
        case Status.INTERRUPTED:
            return _interrupted(message)
        case Status.UNTRANSCRIBED:
            return _span("mark", "(not transcribed)")
    mark = _mark(message)
    words = heard_words_of(message)
    return _span("words", escape(words)) + mark if words.strip() or mark else ""


def _mark(message: Message) -> str:
    """The mark at the end of a message that was cut off, or lost with its connection."""
    if message.status is Status.CUT:
        return _span("mark", "cut off: length limit")
    if message.status is Status.LOST:
        return _span("mark", "the connection broke here")
    return ""


def _interrupted(message: Message) -> str:
    """What was heard, then what was not, struck out; without sound all of it was seen."""
    heard = heard_words_of(message)
    unheard = message.text[len(heard) :]
    struck, folded = "", ""
    if len(unheard) > FOLDED_FROM:
        folded = (
            f'<details class="unheard"><summary>… {len(unheard):,} characters not heard</summary>'
            f"<del>{escape(unheard)}</del></details>"
        )
    elif unheard.strip():
        struck = f'<del class="unheard">{escape(unheard)}</del>'
    return _span("words", escape(heard) + struck) + folded + _span("mark", "interrupted")


def _span(name: str, html: str) -> str:
    return f'<span class="{name}">{html}</span>'
