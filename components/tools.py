"""Functions that the assistant may call in a conversation.

Rule: whatever a model asks for, `run` answers with a text it can use: a result, or `{"error": …}`
in words. To give the assistant another function, write it and add it to `TOOLS`. What it returns
is spoken to the visitor; what it may do, every visitor may ask for.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import orjson

log = logging.getLogger(__name__)

LIMIT_S: Final = 10.0
"""For one call; nobody waits longer for an answer."""
MOST_CHARACTERS: Final = 8_000
"""Of one result; the model reads all of it again with every later turn."""


class ToolError(Exception):
    """A function cannot do what was asked; the text tells the model why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One function, as the model sees it and as we run it."""

    name: str
    description: str
    """When to call it, and what for."""
    parameters: Mapping[str, Any]
    """JSON schema of an object: `type`, `enum` and `required` are checked before a call."""
    function: Callable[..., Any]
    """Takes the parameters by name; plain (it gets a thread) or async. Any JSON value or text."""


def world_clock(place: str = "") -> Mapping[str, str]:
    """The time and date, now, at a place that a time zone is named after; here without one."""
    zone = ZoneInfo(_zone(place)) if place.strip() else None
    now = datetime.now(zone).astimezone(zone)
    return {
        "time": now.strftime("%H:%M"),
        "date": now.strftime("%A, %d %B %Y"),
        "time_zone": str(zone or now.tzname()),
        "utc_offset": now.isoformat()[-6:],
    }


def _zone(place: str) -> str:
    """The IANA name for "Europe/Berlin", "berlin" or "New York"."""
    wanted = "_".join(place.split()).casefold()
    if wanted not in _zones():
        raise ToolError(
            f"No time zone is named {place[:100]!r}. Give the IANA name of the place's time zone, "
            "such as America/Los_Angeles."
        )
    return _zones()[wanted]


@cache
def _zones() -> Mapping[str, str]:
    """Each zone by its whole name and, unless another has it for its own, by its city's."""
    names = sorted(available_timezones(), key=lambda name: (name.count("/"), name), reverse=True)
    cities = {
        name.rpartition("/")[2].casefold(): name
        for name in names
        if not name.startswith("Etc/")  # whose GMT+5 is what people call GMT-5
    }
    return {**cities, **{name.casefold(): name for name in names}}


TOOLS: Final[tuple[Tool, ...]] = (
    Tool(
        name="world_clock",
        description="Tells the time and the date, now, in any city or time zone.",
        parameters={
            "type": "object",
            "properties": {
                "place": {
                    "type": "string",
                    "description": "An IANA time zone such as Europe/Berlin, or its city. "
                    "Left out: where the server is.",
                }
            },
            "required": [],
        },
        function=world_clock,
    ),
)


def definitions(tools: Sequence[Tool] = TOOLS) -> list[Mapping[str, Any]]:
    """What goes into `session.tools` (protocol digest 3.3)."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        for tool in tools
    ]


async def run(name: str, arguments: str, tools: Sequence[Tool] = TOOLS) -> str:
    """Call a function with a JSON object; its result as text, or `{"error": …}`. Never raises."""
    try:
        tool = _named(name, tools)
        return _text(await _call(tool, _checked(tool, arguments)))
    except ToolError as error:
        return _error(str(error))
    except (Exception, SystemExit):
        # Its words may hold what is not for the visitor's ears.
        log.exception("! the function %s failed", name)
        return _error(f"{name} failed. Do not try it again with the same arguments.")


async def _call(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    try:
        async with asyncio.timeout(LIMIT_S) as limit:
            if inspect.iscoroutinefunction(tool.function):
                return await tool.function(**arguments)
            return await asyncio.to_thread(tool.function, **arguments)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise ToolError(f"{tool.name} did not answer within {LIMIT_S:g} seconds.") from error


def _named(name: str, tools: Sequence[Tool]) -> Tool:
    for tool in tools:
        if tool.name == name:
            return tool
    known = ", ".join(tool.name for tool in tools) or "none"
    raise ToolError(f"There is no function {name[:100]!r}. There are: {known}.")


def _checked(tool: Tool, arguments: str) -> Mapping[str, Any]:
    """The arguments, if they are what the schema asks for; some servers send none as ""."""
    try:
        given = orjson.loads(arguments or "{}")
    except ValueError as error:
        raise ToolError("The arguments are not JSON.") from error
    if not isinstance(given, dict):
        raise ToolError("The arguments must be a JSON object.")
    properties = tool.parameters.get("properties", {})
    for missing in set(tool.parameters.get("required", ())) - given.keys():
        raise ToolError(f"The argument {missing!r} is missing.")
    for name, value in given.items():
        if name not in properties:
            raise ToolError(f"There is no argument {name[:100]!r}.")
        _check(name, value, properties[name])
    return given


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def _check(name: str, value: object, schema: Mapping[str, Any]) -> None:
    wanted = schema.get("type")
    kinds = [wanted] if isinstance(wanted, str) else wanted or ()
    if kinds and not any(_is_of(kind, value) for kind in kinds):
        raise ToolError(f"The argument {name!r} must be of type {' or '.join(kinds)}.")
    choices = schema.get("enum")
    if choices is not None and value not in choices:
        raise ToolError(f"The argument {name!r} must be one of {', '.join(map(str, choices))}.")


def _is_of(kind: str, value: object) -> bool:
    # To Python, true is a whole number as well.
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, object))


def _text(result: object) -> str:
    text = result if isinstance(result, str) else orjson.dumps(result, default=str).decode()
    text = text.encode(errors="replace").decode()  # half a character cannot be sent
    if len(text) <= MOST_CHARACTERS:
        return text
    return text[: MOST_CHARACTERS - 1] + "…"


def _error(sentence: str) -> str:
    return orjson.dumps({"error": sentence}).decode()
