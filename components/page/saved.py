"""What was said, as a file for its owner: Markdown, JSON or WebVTT.

Rule: of what the assistant said only that counts which was heard. Times are seconds from the first
message of the file; a message without one is left out of captions, as nothing says when it was.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from components.core.conversation import Conversation, Message, Status
from components.page.view import Call, calls, heard_words_of

_SPEAKERS: Final = {"user": "You", "assistant": "Assistant"}
_LEAST_S: Final = 0.5
"""A caption stands for so long, however quickly its words came."""


def saved(conversation: Conversation, form: str) -> str:
    """The text of the file; `form` is `md`, `json` or `vtt`, anything else means `md`."""
    return {"json": as_json, "vtt": as_webvtt}.get(form, as_markdown)(conversation)


def files(conversation: Conversation) -> Mapping[str, str]:
    """The files for a recording; the times of the messages are those of its sound."""
    return {
        "transcript.md": as_markdown(conversation),
        "transcript.json": as_json(conversation, 0.0),
        "transcript.vtt": as_webvtt(conversation, 0.0),
    }


def as_markdown(conversation: Conversation) -> str:
    """A heading, and a paragraph for each message; struck through what was not heard."""
    return "\n\n".join(["# Conversation", *_paragraphs(conversation)]) + "\n"


def as_json(conversation: Conversation, start: float | None = None) -> str:
    """A list of messages, oldest first; `since_s` and `until_s` are null where nobody knows.

    They are seconds from `start`, on the clock of the messages, or from the first of these.
    """
    start = _start(conversation) if start is None else start
    entries = [_entry(conversation, message, start) for message in conversation.messages]
    return json.dumps({"messages": entries}, ensure_ascii=False, indent=2) + "\n"


def as_webvtt(conversation: Conversation, start: float | None = None) -> str:
    """A caption for each message of the two sides, from when it began to when it ended.

    Times count from `start`, on the clock of the messages, or from the first of these.
    """
    spoken = [m for m in conversation.messages if _captioned(m)]
    nexts = [*(message.since_s for message in spoken[1:]), None]
    start = _start(conversation) if start is None else start
    cues = [_cue(message, start, until) for message, until in zip(spoken, nexts, strict=False)]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _paragraphs(conversation: Conversation) -> Iterator[str]:
    known = calls(conversation)
    for message in conversation.messages:
        call = known.get(message.item_id)
        if message.role in _SPEAKERS:
            if words := _markdown_words(message):
                yield f"**{_SPEAKERS[message.role]}:** {words}"
        elif call is not None:
            yield _markdown_call(call)
        elif message.role == "note":
            yield f"*{_escaped(message.text)}*"


def _markdown_words(message: Message) -> str:
    if message.status is Status.UNTRANSCRIBED:
        return "*(not transcribed)*"
    heard = heard_words_of(message)
    rest = message.text[len(heard) :].strip() if message.status is Status.INTERRUPTED else ""
    shown = f"*({message.image.label})* " if message.image else ""
    return f"{shown}{_escaped(heard.strip())} {f'~~{_escaped(rest)}~~' if rest else ''}".strip()


def _markdown_call(call: Call) -> str:
    took = "" if call.duration_s is None else f" ({call.duration_s:.2f} s)"
    text = f"{call.name} {call.arguments}\n{call.result}".strip()
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"Function{took}:\n\n{fence}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    """Of backticks, which a fence must outdo."""
    return max(map(len, re.findall("`+", text)), default=0)


def _escaped(text: str) -> str:
    """The text so that Markdown shows it as it is, in one paragraph."""
    special = "\\`*_{}[]<>#~|"
    return " ".join("".join(f"\\{c}" if c in special else c for c in text).split())


def _entry(conversation: Conversation, message: Message, start: float) -> dict[str, object]:
    entry: dict[str, object] = {
        "role": message.role,
        "text": message.text,
        "status": message.status.value,
        "since_s": _after(message.since_s, start),
        "until_s": _after(message.until_s, start),
    }
    if message.heard is not None:
        entry["heard"] = heard_words_of(message)
    if message.image:
        entry["image"] = {"width": message.image.width, "height": message.image.height}
    if message.name:
        entry |= {"name": message.name, "arguments": message.arguments}
    if message.call_id:
        entry["call_id"] = message.call_id
    return entry


def _captioned(message: Message) -> bool:
    known = message.since_s is not None and message.role in _SPEAKERS
    return known and bool(heard_words_of(message).strip())


def _cue(message: Message, start: float, next_s: float | None) -> str:
    since = message.since_s or 0.0
    until = max(message.until_s or since, since + _LEAST_S)
    # The words of a turn come after its end, when the answer may have begun.
    if next_s is not None and since < next_s < until:
        until = next_s
    words = " ".join(heard_words_of(message).split())
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        words = words.replace(plain, entity)
    speaker = _SPEAKERS[message.role]
    return f"{_clock(since - start)} --> {_clock(until - start)}\n<v {speaker}>{words}"


def _clock(seconds: float) -> str:
    thousandths = round(max(0.0, seconds) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _start(conversation: Conversation) -> float:
    return min((m.since_s for m in conversation.messages if m.since_s is not None), default=0.0)


def _after(moment: float | None, start: float) -> float | None:
    return None if moment is None else round(moment - start, 3)
