"""What the transcript shows of a conversation.

Rule: every word in it comes from a server or a visitor, so it is escaped here, where it becomes
HTML, and nowhere else. The Chatbot must therefore not read it as Markdown.
"""

from html import escape
from typing import Literal, TypedDict

from components.conversation import Assistant, Conversation, Message, Status, heard_words


class Shown(TypedDict):
    """A message as Gradio's Chatbot takes it; `content` is HTML."""

    role: Literal["user", "assistant"]
    content: str


def messages(conversation: Conversation) -> list[Shown]:
    """The messages to show, in order; one that has nothing to show yet is left out."""
    shown = []
    sounding = _sounding(conversation)
    for index, message in enumerate(conversation.messages):
        content = _content(message, index >= sounding)
        if content:
            role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
            shown.append(Shown(role=role, content=content))
    return shown


def _sounding(conversation: Conversation) -> int:
    """The index from which on an assistant message may still be sounding.

    A server is done with the words of an answer long before the loudspeaker is, so the status of
    the message does not tell.
    """
    count = len(conversation.messages)
    if conversation.assistant is Assistant.IDLE:
        return count
    while count and conversation.messages[count - 1].role != "user":
        count -= 1
    return count


def _content(message: Message, sounding: bool) -> str:
    match message.role:
        case "user":
            return _user(message)
        case "assistant":
            return _assistant(message, sounding)
        case _:
            return _span("tool", escape(message.text)) if message.text.strip() else ""


def _user(message: Message) -> str:
    if message.status is Status.UNTRANSCRIBED:
        return _span("mark", "(not transcribed)")
    if message.text.strip():
        return _span("words", escape(message.text)) + _mark(message)
    unfinished = message.status in (Status.PENDING, Status.STREAMING)
    return _span("waiting", "…") if unfinished else ""


def _assistant(message: Message, sounding: bool) -> str:
    match message.status:
        case Status.INTERRUPTED:
            return _interrupted(message)
        case Status.UNTRANSCRIBED:
            return _span("mark", "(not transcribed)")
    mark = _mark(message)
    words = message.text
    if message.heard is not None and (sounding or message.status is Status.STREAMING):
        words = heard_words(words, message.heard)
    return _span("words", escape(words)) + mark if words.strip() or mark else ""


def _mark(message: Message) -> str:
    """Why there is no more of it."""
    if message.status is Status.CUT:
        return _span("mark", "cut off: length limit")
    if message.status is Status.LOST:
        return _span("mark", "the connection broke here")
    return ""


def _interrupted(message: Message) -> str:
    """What was heard, then what was not, struck out; without sound all of it was seen."""
    words = message.text
    heard = words if message.heard is None else heard_words(words, message.heard)
    unheard = words[len(heard) :]
    struck = f'<del class="unheard">{escape(unheard)}</del>' if unheard.strip() else ""
    return _span("words", escape(heard) + struck) + _span("mark", "interrupted")


def _span(name: str, html: str) -> str:
    return f'<span class="{name}">{html}</span>'
