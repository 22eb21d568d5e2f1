"""Calls the functions that a client has declared, with arguments taken only from what was said.

Rule: an argument is never made up. A required one that was not said is asked for, and the answer to
that question completes the call.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.practice.brain.number_words import with_digits

Tool = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """Call a declared function; `arguments` is a JSON object."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for a required argument that was not said."""

    question: str


def wanted(
    turns: Sequence[str], tools: Sequence[Tool], tool_choice: str | Mapping[str, Any]
) -> Call | Ask | None:
    """The call that the user's words ask for; None if they ask for no declared function.

    `turns` is what was said by either side, in order; the last is the user's.
    """
    functions = [tool for tool in tools if tool.get("type") == "function" and tool.get("name")]
    if tool_choice == "none" or not functions:
        return None
    tool, text, given = _answered(turns, functions)
    if tool is None:
        tool = _chosen(text, functions, tool_choice)
    return _completed(tool, text, given) if tool is not None else None


def spoken_name(name: str) -> str:
    """A function's or argument's name as words: "getWeather" and "get_weather" alike."""
    return " ".join(_name_words(name))


def _name_words(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", " ", name).lower().split()


def _question(tool: Tool, name: str) -> str:
    wanted_name = spoken_name(name)
    return f"To {spoken_name(tool['name'])} I need the {wanted_name}. What is the {wanted_name}?"


_ENOUGH_OF_A_QUESTION: Final = 20


def _answered(
    turns: Sequence[str], tools: Sequence[Tool]
) -> tuple[Tool | None, str, dict[str, str]]:
    """The tool whose questions the last turns answer, the request before them, and the answers."""
    asked = {_question(tool, name): (tool, name) for tool in tools for name in _properties(tool)}
    given: dict[str, str] = {}
    tool: Tool | None = None
    at = len(turns) - 1
    while at >= 2:
        said = turns[at - 1].strip()
        # The user may have answered before the question was at its end.
        question = next(
            (q for q in asked if q.startswith(said) and len(said) >= _ENOUGH_OF_A_QUESTION), None
        )
        if question is None or tool not in (None, asked[question][0]):
            break
        tool, name = asked[question]
        given.setdefault(name, turns[at])
        at -= 2
    return tool, turns[at], given


def _chosen(text: str, tools: Sequence[Tool], choice: str | Mapping[str, Any]) -> Tool | None:
    """The function that shares most words with the text, if it shares enough or one must be."""
    if isinstance(choice, Mapping):
        return next((tool for tool in tools if tool["name"] == choice.get("name")), None)
    best = max(tools, key=lambda tool: _shared(text, tool))
    return best if choice == "required" or _shared(text, best) >= _ENOUGH_SHARED else None


_ENOUGH_SHARED: Final = 2
"""One word of the name, or two of the description."""
_IDLE: Final = (
    "a an and any are as at be by can could current do does for from get give has have how i in "
    "into is it its me my new of on or please s set t tell that the their this to use user want "
    "what when which with you your"
)
_IDLE_WORDS: Final = frozenset(_IDLE.split())


def _shared(text: str, tool: Tool) -> int:
    said = _stems(text)
    name = _stems(" ".join(_name_words(tool["name"])))
    description = _stems(str(tool.get("description") or "")) - name
    return 2 * len(said & name) + len(said & description)


def _stems(text: str) -> set[str]:
    words = set(re.findall(r"[a-z0-9]+", text.lower())) - _IDLE_WORDS
    return {re.sub(r"(?<=...)(?:ing|s)$", "", word) for word in words}


def _properties(tool: Tool) -> Mapping[str, Any]:
    parameters = tool.get("parameters")
    found = parameters.get("properties") if isinstance(parameters, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _completed(tool: Tool, text: str, given: Mapping[str, str]) -> Call | Ask:
    """The call with every argument that was said, or the question for the first that is missing."""
    text = text.rstrip(" .!?")
    said = with_digits(text)
    arguments: dict[str, Any] = {}
    for name, schema in _properties(tool).items():
        value = (
            _value_of_answer(given[name], schema)
            if name in given
            else _value(name, schema, said, text)
        )
        if value is not None:
            arguments[name] = value
            said = _without(said, value)
    required = (tool.get("parameters") or {}).get("required")
    for name in required if isinstance(required, list) else ():
        if name not in arguments:
            return Ask(_question(tool, name))
    return Call(tool["name"], json.dumps(arguments, ensure_ascii=False))


def _without(said: str, value: object) -> str:
    """What is left for the other arguments: each number serves one of them only."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return said
    return re.sub(rf"(?<![\d.]){re.escape(str(value))}(?![\d.])", " ", said, count=1)


def _value(name: str, schema: Any, said: str, text: str) -> Any:
    """The argument as the request says it; None if it does not.

    `said` has its numbers as digits, and only those that no other argument has taken.
    """
    match schema:
        case {"enum": [*choices]}:
            return _choice(choices, said)
        case {"type": "boolean"}:
            return _switch(said)
        case {"type": "integer" | "number" as kind}:
            return _number(name, kind, said)
        case {"type": "string"}:
            return _phrase(name, text)
        case _:
            return None


def _value_of_answer(answer: str, schema: Any) -> Any:
    """The argument as the answer to its question gives it."""
    text = answer.strip(" .!?")
    match schema:
        case {"enum": _} | {"type": "boolean" | "integer" | "number"}:
            return _value("", schema, with_digits(text), text)
        case {"type": "string"}:
            return re.sub(_LEAD, "", text, flags=re.IGNORECASE).strip(" ,") or None
        case _:
            return None


_LEAD: Final = r"^(?:it's|it is|in|at|for|to|the)\s+|\s+please$"


def _choice(choices: Sequence[Any], said: str) -> Any:
    """The longest of the choices that was said."""
    spoken = f" {' '.join(_name_words(said))} "
    named = [choice for choice in choices if f" {with_digits(spoken_name(str(choice)))} " in spoken]
    return max(named, key=lambda choice: len(str(choice)), default=None)


def _switch(said: str) -> bool | None:
    if re.search(r"\b(?:off|no|not|false|don't|without)\b", said):
        return False
    return True if re.search(r"\b(?:on|yes|true|with)\b", said) else None


def _number(name: str, kind: str, said: str) -> int | float | None:
    """The number beside the argument's name, else the first one."""
    pattern = (
        r"-?\d{1,15}(?:\.\d{1,9})?" if kind == "number" else r"(?<![\d.])-?\d{1,15}(?![\d.]*\d)"
    )
    beside = "|".join(re.escape(word) for word in _name_words(name)) or r"\Z."
    found = re.search(rf"(?:{beside})s? (?:is |of |to )?({pattern})", said)
    found = found or re.search(rf"({pattern}) (?:{beside})", said)
    found = found or re.search(rf"({pattern})", said)
    if found is None:
        return None
    value = float(found[1])
    return int(value) if value.is_integer() else value


_PREPOSITIONS: Final = "in|for|at|to|from|of|about|called|named|on|near"
_END_OF_PHRASE: Final = (
    rf"(?=\s+(?:{_PREPOSITIONS}|please|today|tomorrow|now|tonight|right|and|with|by)\b|[,;]|$)"
)


def _phrase(name: str, text: str) -> str | None:
    """What stands in quotes, after the argument's name, or after a preposition."""
    beside = "|".join(re.escape(word) for word in _name_words(name)) or r"\Z."
    for pattern in (
        r"[\"\u201c]([^\"\u201d]+)[\"\u201d]",
        rf"\b(?:{beside}) (?:is |of |to )?(\w.*?){_END_OF_PHRASE}",
        rf"\b(?:{_PREPOSITIONS}) (?:the )?(\w.*?){_END_OF_PHRASE}",
    ):
        if found := re.search(pattern, text, re.IGNORECASE):
            return found[1]
    return None
