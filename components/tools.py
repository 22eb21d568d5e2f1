"""Functions that the assistant may call in a conversation.

Rule: whatever a model asks for, `run` answers with a text that it can use: a result, or
`{"error": …}` in words. A function that never comes back keeps a thread of its own, of which there
are so many, and nothing else. To give the assistant another function, write one with types and a
docstring, and add it to `TOOLS`. What it returns is spoken to the visitor; what it may do, every
visitor may ask for.
"""

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial, wraps
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, core_schema

log = logging.getLogger(__name__)

LIMIT_S: Final = 10.0
"""For one function; nobody waits longer for an answer."""
MOST_THREADS: Final = 64
"""In which plain functions run, for all calls together."""
MOST_OF_A_CALL: Final = 8
"""Of these threads; what a call's model asks for beyond waits for one of them."""
FULL: Final = "Too many functions of this app run already. Try it again in a minute."
MOST_CHARACTERS: Final = 8_000
"""Of one result; the model reads all of it again with every later turn."""
MOST_PROBLEMS: Final = 3
"""With a call's arguments that are told at once."""


class ToolError(Exception):
    """A function cannot do what was asked; the text tells the model why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One function, as the model sees it and as we run it; made by `tool`."""

    name: str
    description: str
    """When to call it, and what for."""
    parameters: Mapping[str, Any]
    """JSON schema of an object."""
    function: Callable[..., Any]
    checked: TypeAdapter[Mapping[str, Any]]
    """Turns a JSON object into the function's arguments, or says what is wrong with it."""


def tool(function: Callable[..., Any]) -> Tool:
    """A function as a tool: its name, its docstring, and its parameters with their types.

    It may be plain (it then runs in a thread) or async, and return any JSON value or text. Every
    parameter can be given by name, and has a type; `Annotated[str, Field(description=…)]` tells the
    model what it means. `TypeError` for a function that is not like that.
    """
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    name, description = function.__name__, inspect.getdoc(function)
    if description is None:
        raise TypeError(f"{name} needs a docstring: it tells the model when to call it")
    for each in parameters:
        if each.kind not in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
            raise TypeError(f"the parameter {each.name} of {name} cannot be given by name")
        if each.annotation is each.empty:
            raise TypeError(f"the parameter {each.name} of {name} has no type")

    @wraps(function)
    def arguments(**given: Any) -> Mapping[str, Any]:
        return given

    by_name = [each.replace(kind=each.KEYWORD_ONLY) for each in parameters]
    setattr(arguments, "__signature__", signature.replace(parameters=by_name))  # noqa: B010
    checked = TypeAdapter[Mapping[str, Any]](arguments, config=ConfigDict(strict=True))
    schema = checked.json_schema(schema_generator=_WithoutTitles)
    return Tool(name, " ".join(description.split()), schema, function, checked)


class _WithoutTitles(GenerateJsonSchema):
    """A title says no more than the name beside it, and the model reads it with every turn."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return {key: value for key, value in super().model_schema(schema).items() if key != "title"}


def world_clock(
    place: Annotated[
        str,
        Field(
            description="An IANA time zone such as Europe/Berlin, or its city. "
            "Left out: where the server is."
        ),
    ] = "",
) -> Mapping[str, str]:
    """Tells the time and the date, now, in any city or time zone."""
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


def days_between(
    until: Annotated[date, Field(description="Such as 2030-12-24.")],
    since: Annotated[date | None, Field(description="Left out: today.")] = None,
) -> Mapping[str, Any]:
    """Counts the days from one calendar date to another, and names their weekdays."""
    start = since or datetime.now().astimezone().date()
    days = (until - start).days
    return {
        "days": days,
        "weeks_and_days": f"{abs(days) // 7} weeks and {abs(days) % 7} days",
        "since": start.strftime("%A, %d %B %Y"),
        "until": until.strftime("%A, %d %B %Y"),
    }


_Length = Literal["millimetre", "centimetre", "metre", "kilometre", "inch", "foot", "yard", "mile"]
_MassOrVolume = Literal[
    "gram", "kilogram", "ounce", "pound", "millilitre", "litre", "cup", "gallon"
]
Unit = Literal[_Length, _MassOrVolume, "celsius", "fahrenheit", "kelvin"]
_UNITS: Final[Mapping[str, tuple[str, float, float]]] = {
    "millimetre": ("length", 0.001, 0.0),
    "centimetre": ("length", 0.01, 0.0),
    "metre": ("length", 1.0, 0.0),
    "kilometre": ("length", 1000.0, 0.0),
    "inch": ("length", 0.0254, 0.0),
    "foot": ("length", 0.3048, 0.0),
    "yard": ("length", 0.9144, 0.0),
    "mile": ("length", 1609.344, 0.0),
    "gram": ("mass", 0.001, 0.0),
    "kilogram": ("mass", 1.0, 0.0),
    "ounce": ("mass", 0.028349523125, 0.0),
    "pound": ("mass", 0.45359237, 0.0),
    "millilitre": ("volume", 0.001, 0.0),
    "litre": ("volume", 1.0, 0.0),
    "cup": ("volume", 0.2365882365, 0.0),
    "gallon": ("volume", 3.785411784, 0.0),
    "kelvin": ("temperature", 1.0, 0.0),
    "celsius": ("temperature", 1.0, 273.15),
    "fahrenheit": ("temperature", 5 / 9, 459.67 * 5 / 9),
}
"""What each measures, and of which scale: `factor * value + offset` in that measure's own unit."""


def convert_units(
    amount: Annotated[float, Field(allow_inf_nan=False)],
    unit: Unit,
    into: Annotated[Unit, Field(description="The unit that is wanted.")],
) -> Mapping[str, Any]:
    """Converts an amount from one unit of measurement into another; cups and gallons are US."""
    (kind, factor, offset), (wanted, divisor, shift) = _UNITS[unit], _UNITS[into]
    if kind != wanted:
        raise ToolError(f"A {unit} measures {kind}, a {into} measures {wanted}.")
    converted = (factor * amount + offset - shift) / divisor
    return {"amount": round(float(f"{converted:.6g}"), 9), "unit": into}


TOOLS: Final[tuple[Tool, ...]] = (tool(world_clock), tool(days_between), tool(convert_units))


def definitions(tools: Sequence[Tool] = TOOLS) -> list[Mapping[str, Any]]:
    """What goes into `session.tools` of the Realtime API."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        for tool in tools
    ]


_free_threads: Final = threading.BoundedSemaphore(MOST_THREADS)


class Threads:
    """Those in which the plain functions of one call run, some of them perhaps for ever.

    Not the threads of the event loop, which finds names with them and waits for them at its end.
    """

    def __init__(self) -> None:
        self._own = asyncio.Semaphore(MOST_OF_A_CALL)

    async def free(self) -> None:
        """Wait until the call may have another thread; `run` or nothing is to follow at once."""
        await self._own.acquire()

    async def run(self, function: Callable[[], Any]) -> Any:
        """What the function returns or raises; `ToolError` if no thread is free."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

        def end(result: Any, error: BaseException | None) -> None:
            self._own.release()
            if not ended.done():
                ended.set_result((result, error))

        def work(context: Callable[..., Any]) -> None:
            result, error = None, None
            try:
                result = context(function)
            except BaseException as raised:  # of whatever kind: the call waits for it
                error = raised
            _free_threads.release()
            with suppress(RuntimeError):  # the event loop has ended
                loop.call_soon_threadsafe(end, result, error)

        if not _free_threads.acquire(blocking=False):
            self._own.release()
            log.warning("! all %d threads for functions are taken", MOST_THREADS)
            raise ToolError(FULL)
        # A daemon, as nothing is to wait for it at the end of the app.
        thread = threading.Thread(target=work, args=(copy_context().run,), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left
            _free_threads.release()
            self._own.release()
            raise ToolError(FULL) from None
        result, error = await ended
        if error is not None:
            raise error
        return result


async def run(name: str, arguments: str, threads: Threads, tools: Sequence[Tool] = TOOLS) -> str:
    """Call a function with a JSON object; its result as text, or `{"error": …}`. Never raises.

    `threads` are those of the call.
    """
    try:
        tool = _named(name, tools)
        return _text(await _call(tool, _checked(tool, arguments), threads))
    except ToolError as error:
        return _error(str(error))
    except (Exception, SystemExit):
        # Its words may hold what is not for the visitor's ears.
        log.exception("! the function %s failed", name)
        return _error(f"{name} failed. Do not try it again with the same arguments.")


async def _call(tool: Tool, arguments: Mapping[str, Any], threads: Threads) -> Any:
    begun = False
    try:
        async with asyncio.timeout(LIMIT_S) as limit:
            if inspect.iscoroutinefunction(tool.function):
                begun = True
                return await tool.function(**arguments)
            await threads.free()
            begun = True
            return await threads.run(partial(tool.function, **arguments))
    except TimeoutError as error:
        if not limit.expired():
            raise
        sentence = f"{tool.name} did not answer within {LIMIT_S:g} seconds."
        if not begun:
            sentence = f"{tool.name} was not begun: functions that were called before still run."
        raise ToolError(sentence) from error


def _named(name: str, tools: Sequence[Tool]) -> Tool:
    for tool in tools:
        if tool.name == name:
            return tool
    known = ", ".join(tool.name for tool in tools) or "none"
    raise ToolError(f"There is no function {name[:100]!r}. There are: {known}.")


def _checked(tool: Tool, arguments: str) -> Mapping[str, Any]:
    """The arguments by name; some servers send none as ""."""
    given = arguments.strip() or "{}"
    if not given.startswith("{"):  # pydantic would take a list as well
        raise ToolError("The arguments must be a JSON object.")
    try:
        return tool.checked.validate_json(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)[:MOST_PROBLEMS]
        raise ToolError(" ".join(_problem(tool, each) for each in problems)) from error


def _problem(tool: Tool, problem: ErrorDetails) -> str:
    """What is wrong with one argument, in words that help to call again."""
    name = ".".join(map(str, problem["loc"]))[:100]
    match problem["type"]:
        case "json_invalid":
            return "The arguments are not JSON."
        case "missing_keyword_only_argument" | "missing":
            return f"The argument {name!r} is missing."
        case "unexpected_keyword_argument" | "extra_forbidden":
            known = ", ".join(tool.parameters["properties"]) or "none"
            return f"There is no argument {name!r}. There are: {known}."
    told = problem["msg"][:200].replace("Input should", "it should")
    return f"The argument {name!r} does not fit: {told}."


def _text(result: object) -> str:
    text = result if isinstance(result, str) else orjson.dumps(result, default=str).decode()
    text = text.encode(errors="replace").decode()  # half a character cannot be sent
    if len(text) <= MOST_CHARACTERS:
        return text
    return text[: MOST_CHARACTERS - 1] + "…"


def _error(sentence: str) -> str:
    return orjson.dumps({"error": sentence}).decode()
