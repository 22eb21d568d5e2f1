"""The words of an OpenAI-compatible chat endpoint: what is asked, and what its stream says.

Rule: whole sentences come out, so that the first can be spoken while the rest is still being
written; what a screen wants but a voice does not (thoughts, emphasis marks) is left out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.practice.brain.rules import Call, Say

Item = Mapping[str, Any]
MAX_LINE: Final = 1024 * 1024
MAX_ANSWER: Final = 20_000
"""Characters: half an hour of speech. What follows is not read."""
_AN_IMAGE: Final = "(an image)"


class WireError(Exception):
    """The stream is not what a chat endpoint sends; the message is a sentence."""


def request(
    model: str, items: Sequence[Item], instructions: str, tools: Sequence[Item]
) -> dict[str, Any]:
    """The body of a request, from the conversation and the tools in the Realtime API's shape."""
    body: dict[str, Any] = {
        "model": model,
        "stream": True,
        "messages": _messages(items, instructions),
    }
    if functions := [_nested(tool) for tool in tools if tool.get("type") == "function"]:
        body["tools"] = functions
    return body


def _nested(tool: Item) -> dict[str, Any]:
    names = ("name", "description", "parameters")
    return {"type": "function", "function": {n: tool[n] for n in names if tool.get(n) is not None}}


def _messages(items: Sequence[Item], instructions: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if instructions:
        messages.append({"role": "system", "content": instructions})
    answered = {item.get("call_id") for item in items if item.get("type") == "function_call_output"}
    newest = next((item for item in reversed(items) if item.get("role") == "user"), None)
    for item in items:
        match item.get("type"):
            case "message":
                if content := _content(item, shown=item is newest):
                    messages.append({"role": str(item.get("role", "user")), "content": content})
            case "function_call" if item.get("call_id") in answered:
                # An endpoint refuses a call without its output.
                messages.append(_tool_call(item))
            case "function_call_output":
                messages.append(
                    {
                        "role": "tool",
                        "tool_call_id": item.get("call_id", ""),
                        "content": str(item.get("output", "")),
                    }
                )
    return messages


def _content(item: Item, *, shown: bool) -> str | list[dict[str, Any]]:
    """The words of a message, and its images if these are to be `shown`.

    Those of earlier turns are only named: an endpoint that takes none would refuse every later
    turn as well.
    """
    text = _text(item)
    urls = [part["image_url"] for part in item.get("content") or () if "image_url" in part]
    if not urls:
        return text
    if not shown:
        return f"{_AN_IMAGE} {text}".strip()
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return [*([{"type": "text", "text": text}] if text else []), *images]


def _text(item: Item) -> str:
    parts = item.get("content") or ()
    return " ".join(part.get("text") or part.get("transcript") or "" for part in parts).strip()


def _tool_call(item: Item) -> dict[str, Any]:
    function = {"name": item.get("name", ""), "arguments": item.get("arguments", "{}")}
    call = {"id": item.get("call_id", ""), "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


class EventStream:
    """Server-sent events out of text that comes in pieces."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """The data of each line that is complete now."""
        *lines, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > MAX_LINE:
            raise WireError("The chat endpoint sends a line without an end.")
        stripped = [line.strip() for line in lines]
        return [line[5:].strip() for line in stripped if line.startswith("data:")]


class Answer:
    """A chat answer on its way."""

    def __init__(self) -> None:
        self.finished = False
        """The endpoint has said that this is all, or it is more than anyone wants to hear."""
        self._text = ""
        self._length = 0
        self._calls: dict[int, dict[str, str]] = {}

    def feed(self, data: str) -> list[Say]:
        """The sentences that this event of the stream completes; `WireError` if it makes none."""
        if data == "[DONE]":
            self.finished = True
            return []
        delta = _delta(data)
        for position, call in enumerate(_list(delta.get("tool_calls"))):
            self._add_call(call, position)
        content = delta.get("content")
        if not isinstance(content, str):
            return []
        self._length += len(content)
        self.finished = self.finished or self._length > MAX_ANSWER
        self._text += content
        return self._sentences()

    def end(self) -> list[Say | Call]:
        """What remains once the stream is over: the last words, and the calls."""
        rest = _spoken("" if _thinking(self._text) else self._text)
        says: list[Say | Call] = [Say(rest)] if rest else []
        calls = [Call(call["name"], call["arguments"] or "{}") for call in self._calls.values()]
        return [*says, *(call for call in calls if call.name)]

    def _sentences(self) -> list[Say]:
        if _thinking(self._text):
            if "</think>" not in self._text:
                return []
            self._text = self._text.split("</think>", 1)[1]
        said: list[Say] = []
        while found := _SENTENCE.match(self._text):
            self._text = self._text[found.end() :]
            if sentence := _spoken(found[0]):
                said.append(Say(sentence))
        return said

    def _add_call(self, call: Any, position: int) -> None:
        if not isinstance(call, Mapping) or not isinstance(call.get("function"), Mapping):
            raise WireError(_NONSENSE)
        index = call.get("index")
        entry = self._calls.setdefault(
            index if isinstance(index, int) else position, {"name": "", "arguments": ""}
        )
        for name in entry:
            value = call["function"].get(name)
            if isinstance(value, str):
                entry[name] += value


_NONSENSE: Final = "The chat endpoint answers in a form that is not a chat completion."
_SENTENCE: Final = re.compile(r"(?s).{12,}?(?:[.!?…]+[\"'”)\]]*(?=\s)|\n)\s*")
"""At least so long: what ends before is more likely "1." or "Dr." than a sentence."""


def _delta(data: str) -> Mapping[str, Any]:
    """What a chunk adds; empty for one that only counts tokens."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WireError(_NONSENSE) from error
    if not isinstance(chunk, Mapping):
        raise WireError(_NONSENSE)
    if reported := chunk.get("error"):
        raise WireError(f"The chat endpoint reports: {error_text(reported)}")
    if not isinstance(chunk.get("choices"), list):
        raise WireError(_NONSENSE)
    first = chunk["choices"][0] if chunk["choices"] else {}
    delta = first.get("delta") if isinstance(first, Mapping) else None
    return delta if isinstance(delta, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def error_text(error: object) -> str:
    """The message in an `error` field, whatever its form, short enough to show."""
    while isinstance(error, Mapping):
        error = error.get("message") or error.get("error") or "an error without a message"
    return " ".join(str(error).split())[:200]


def _thinking(text: str) -> bool:
    """Whether the text starts with thoughts, as some local models write them."""
    start = text.lstrip()
    return start.startswith("<think>") or ("<think>".startswith(start) and start != "")


def _spoken(text: str) -> str:
    """The text without the marks of Markdown that a voice would read out."""
    text = re.sub(r"\*+|`+|^\s*(?:#+|[-•])\s+", "", text, flags=re.MULTILINE)
    return " ".join(text.split())
