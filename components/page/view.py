"""What the transcript shows of a conversation.

Rule: every word in it comes from a server or a visitor, so it is escaped here, where it becomes
HTML, and nowhere else. The Chatbot must therefore not read it as Markdown. A word that is spoken is
shown when it has been heard, and not before.
"""

from html import escape
from typing import Literal, TypedDict

from components.core.conversation import Conversation, Message, Status
from components.core.words import heard_words


class Shown(TypedDict):
    """A message as Gradio's Chatbot takes it; `content` is HTML."""

    role: Literal["user", "assistant"]
    content: str


def messages(conversation: Conversation) -> list[Shown]:
    """The messages to show, in order; one that has nothing to show yet is left out."""
    shown = []
    for message in conversation.messages:
        content = _content(message)
        if content:
            role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
            shown.append(Shown(role=role, content=content))
    return shown


def _content(message: Message) -> str:
    match message.role:
        case "user":
            return _user(message)
        case "assistant":
            return _assistant(message)
        case _:  # a tool or a note
            return _span(message.role, escape(message.text)) if message.text.strip() else ""


def _user(message: Message) -> str:
    if message.status is Status.UNTRANSCRIBED:
        return _span("mark", "(not transcribed)")
    if message.text.strip():
        return _span("words", escape(message.text)) + _mark(message)
    unfinished = message.status in (Status.PENDING, Status.STREAMING)
    return _span("waiting", "…") if unfinished else ""


def _assistant(message: Message) -> str:
    match message.status:
        case Status.INTERRUPTED:
            return _interrupted(message)
        case Status.UNTRANSCRIBED:
            return _span("mark", "(not transcribed)")
    mark = _mark(message)
    words = _heard(message)
    return _span("words", escape(words)) + mark if words.strip() or mark else ""


def _heard(message: Message) -> str:
    """The words that have been heard; all of them, where nothing sounds."""
    words = message.text
    return words if message.heard is None else heard_words(words, message.heard)


def _mark(message: Message) -> str:
    """The mark at the end of a message that was cut off, or lost with its connection."""
    if message.status is Status.CUT:
        return _span("mark", "cut off: length limit")
    if message.status is Status.LOST:
        return _span("mark", "the connection broke here")
    return ""


def _interrupted(message: Message) -> str:
    """What was heard, then what was not, struck out; without sound all of it was seen."""
    heard = _heard(message)
    unheard = message.text[len(heard) :]
    struck = f'<del class="unheard">{escape(unheard)}</del>' if unheard.strip() else ""
    return _span("words", escape(heard) + struck) + _span("mark", "interrupted")


def _span(name: str, html: str) -> str:
    return f'<span class="{name}">{html}</span>'
