"""What the assistant may call, and what it is told when that fails."""

import asyncio
import json
import logging
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from openai.types.realtime import RealtimeFunctionTool
from pydantic import BaseModel, Field

from components import tools
from components.tools import MOST_CHARACTERS, TOOLS, Threads, ToolError, definitions, run, tool


async def asked(function, arguments="{}"):
    """What a model is told that calls this function, under the name `probe`."""
    function.__name__ = "probe"
    function.__doc__ = "A probe."
    return await run("probe", arguments, Threads(), (tool(function),))


def error_in(text):
    (sentence,) = json.loads(text).values()
    assert list(json.loads(text)) == ["error"]
    return sentence


def test_the_definitions_are_those_of_the_session_schema():
    clock, *_ = definitions()

    assert clock == {
        "type": "function",
        "name": "world_clock",
        "description": "Tells the time and the date, now, in any city or time zone.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {
                    "type": "string",
                    "description": "An IANA time zone such as Europe/Berlin, or its city. "
                    "Left out: where the server is.",
                    "default": "",
                }
            },
            "additionalProperties": False,
        },
    }


def test_the_api_s_own_types_take_the_definitions():
    given = definitions((*TOOLS, tool(everything)))

    read = [RealtimeFunctionTool.model_validate(each) for each in given]

    assert [each.model_dump(exclude_unset=True) for each in read] == given
    assert json.loads(json.dumps(given)) == given


class Seat(BaseModel):
    """A seat."""

    row: int
    title: str = ""


def everything(
    place: Annotated[str, Field(description="Where.")],
    count: int = 1,
    *,
    ratio: float = 1.0,
    sure: bool = False,
    unit: Literal["C", "F"] = "C",
    maybe: str | None = None,
    several: tuple[int, ...] = (),
    anything: Any = None,
    seat: Seat | None = None,
):
    """Takes all kinds of arguments.

    In many words.
    """
    return [place, count, ratio, sure, unit, maybe, several, anything, seat]


def test_a_schema_is_made_of_types_and_holds_no_titles():
    (definition,) = definitions((tool(everything),))
    schema = definition["parameters"]
    properties = schema["properties"]

    assert definition["description"] == "Takes all kinds of arguments. In many words."
    assert schema["required"] == ["place"]
    assert properties["place"] == {"type": "string", "description": "Where."}
    assert properties["unit"] == {"type": "string", "enum": ["C", "F"], "default": "C"}
    assert properties["several"]["items"] == {"type": "integer"}
    assert schema["$defs"]["Seat"]["properties"]["title"] == {"type": "string", "default": ""}
    assert '"title": "' not in json.dumps(schema)


def test_a_function_that_the_model_could_not_understand_is_refused_at_once():
    def without_words(place: str):
        return place

    def without_a_type(place):
        """A probe."""

    def without_names(*places: str):
        """A probe."""

    for function, why in (
        (without_words, "docstring"),
        (without_a_type, "place of without_a_type has no type"),
        (without_names, "places of without_names cannot be given by name"),
    ):
        with pytest.raises(TypeError, match=why):
            tool(function)


def test_every_function_has_a_name_of_its_own():
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        (" tokyo ", "Asia/Tokyo"),
        ("UTC", "UTC"),
    ],
)
async def test_the_clock_of_a_place(place, zone):
    result = json.loads(await run("world_clock", json.dumps({"place": place}), Threads()))
    here = datetime.now(ZoneInfo(zone))
    told = datetime.strptime(f"{result['date']} {result['time']}", "%A, %d %B %Y %H:%M")

    assert result["time_zone"] == zone
    assert timedelta(0) <= here.replace(tzinfo=None) - told < timedelta(minutes=2)
    assert datetime.strptime(result["utc_offset"], "%z").utcoffset() == here.utcoffset()


@pytest.mark.parametrize("arguments", ["", "{}", '{"place": " "}'])
async def test_the_clock_of_no_place_is_the_servers(arguments):
    result = json.loads(await run("world_clock", arguments, Threads()))

    assert result["utc_offset"] == datetime.now(UTC).astimezone().isoformat()[-6:]


@pytest.mark.parametrize("place", ["Atlantis", "../../etc/passwd", "GMT+5", "x" * 5_000])
async def test_a_place_without_a_zone_is_an_error_that_helps(place):
    sentence = error_in(await run("world_clock", json.dumps({"place": place}), Threads()))

    assert "America/Los_Angeles" in sentence
    assert len(sentence) < 300


async def test_plain_and_async_functions_are_called_with_their_arguments():
    async def later(a: int, b: int):
        await asyncio.sleep(0)
        return {"sum": a + b}

    def now(a: int, b: int):
        return {"sum": a + b}

    for function in (later, now):
        assert json.loads(await asked(function, '{"a": 1, "b": 2}')) == {"sum": 3}


async def test_text_is_given_as_it_is_and_what_json_does_not_know_as_text():
    assert await asked(lambda: "It rains.") == "It rains."
    assert await asked(lambda: "half: \ud83d") == "half: ?"
    assert json.loads(await asked(lambda: [datetime(2026, 11, 22), 1j])) == [
        "2026-11-22T00:00:00",
        "1j",
    ]


async def test_a_function_that_is_not_there_is_told_with_those_that_are():
    names = ", ".join(tool.name for tool in TOOLS)
    assert f"There are: {names}." in error_in(await run("rm", "{}", Threads()))
    assert "There are: none." in error_in(await run("rm", "{}", Threads(), ()))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("{", "not JSON"),
        ('{"place": ' + "[" * 100_000, "not JSON"),
        ('{"place": "\\ud83d"}', "not JSON"),
        ("[" * 100_000, "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ("berlin", "must be a JSON object"),
        ("{}", "'place' is missing"),
        ('{"place": "here", "colour": 1}', "no argument 'colour'. There are: place, count,"),
        ('{"__args__": ["here"]}', "no argument '__args__'"),
        ('{"place": 1}', "'place' does not fit: it should be a valid string."),
        ('{"place": "here", "count": true}', "'count' does not fit: it should be a valid integer."),
        ('{"place": "here", "count": 1.5}', "'count' does not fit: it should be a valid integer"),
        ('{"place": "here", "count": "1"}', "'count' does not fit: it should be a valid integer."),
        ('{"place": "here", "sure": 1}', "'sure' does not fit: it should be a valid boolean."),
        ('{"place": "here", "unit": "K"}', "'unit' does not fit: it should be 'C' or 'F'."),
        ('{"place": "here", "maybe": 1}', "'maybe' does not fit: it should be a valid string."),
        ('{"place": "here", "several": [1, ""]}', "'several.1' does not fit"),
        ('{"place": "here", "seat": {}}', "'seat.row' is missing"),
    ],
)
async def test_arguments_that_do_not_fit_are_told(arguments, sentence):
    told = error_in(await run("everything", arguments, Threads(), (tool(everything),)))

    assert sentence in told
    assert len(told) < 400


async def test_what_is_told_of_wrong_arguments_is_bounded():
    wrong = json.dumps({"x" * 5_000 + str(n): n for n in range(1_000)})

    assert len(error_in(await run("everything", wrong, Threads(), (tool(everything),)))) < 1_000


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, {}),
        ({"count": 2}, {"count": 2}),
        ({"ratio": 1}, {"ratio": 1.0}),
        ({"sure": True}, {"sure": True}),
        ({"unit": "F"}, {"unit": "F"}),
        ({"maybe": None}, {"maybe": None}),
        ({"several": [1]}, {"several": [1]}),
        ({"anything": {"a": [1]}}, {"anything": {"a": [1]}}),
        ({"seat": {"row": 1}}, {"seat": Seat(row=1)}),
    ],
)
async def test_arguments_that_fit_are_passed(given, taken):
    taken_by_name = {"place": "here", **taken}
    passed = everything(**taken_by_name)
    told = await run(
        "everything", json.dumps({"place": "here", **given}), Threads(), (tool(everything),)
    )

    assert json.loads(told) == json.loads(json.dumps(passed, default=str))


async def test_what_a_function_says_of_its_failure_is_passed_on():
    def refuse():
        raise ToolError("The shop is closed.")

    assert error_in(await asked(refuse)) == "The shop is closed."


async def test_a_failure_is_logged_and_its_words_are_kept_from_the_model(caplog):
    for failure in (OSError("secret"), TimeoutError("secret"), SystemExit("secret")):
        caplog.clear()

        def fail():
            raise failure  # noqa: B023  # called before the next one

        with caplog.at_level(logging.ERROR):
            told = await asked(fail)

        assert "probe failed" in error_in(told)
        assert "secret" not in told
        assert "secret" in caplog.text


async def test_a_result_that_is_no_json_is_a_failure():
    assert "probe failed" in error_in(await asked(lambda: {1j: 1}))


async def never():
    await asyncio.Event().wait()


async def test_a_function_that_takes_too_long_is_left(monkeypatch):
    monkeypatch.setattr(tools, "LIMIT_S", 0.01)

    assert "did not answer within 0.01 seconds" in error_in(await asked(never))


async def test_a_long_result_is_cut():
    told = await asked(lambda: "x" * 100_000)

    assert len(told) == MOST_CHARACTERS
    assert told.endswith("…")


async def test_a_call_that_is_given_up_ends():
    call = asyncio.create_task(asked(never))
    await asyncio.sleep(0)
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_plain_function_does_not_hold_up_the_others():
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def block():
        asyncio.run_coroutine_threadsafe(reached.wait(), loop).result(5)
        return sys.version

    call = asyncio.create_task(asked(block))
    await asyncio.sleep(0)
    reached.set()

    assert await call == sys.version


# The examples.


def convert(amount, unit, into):
    given = json.dumps({"amount": amount, "unit": unit, "into": into})
    return run("convert_units", given, Threads())


@pytest.mark.parametrize(
    ("amount", "unit", "into", "expected"),
    [
        (72, "fahrenheit", "celsius", 22.2222),
        (-40, "celsius", "fahrenheit", -40),
        (32, "fahrenheit", "celsius", 0),
        (0, "kelvin", "celsius", -273.15),
        (3, "mile", "kilometre", 4.82803),
        (1, "millimetre", "mile", 6.21e-7),
        (2, "cup", "millilitre", 473.176),
        (5, "pound", "gram", 2267.96),
    ],
)
async def test_an_amount_is_converted(amount, unit, into, expected):
    assert json.loads(await convert(amount, unit, into)) == {"amount": expected, "unit": into}


async def test_what_measures_something_else_cannot_be_converted():
    sentence = error_in(await convert(1, "mile", "pound"))
    assert sentence == "A mile measures length, a pound measures mass."
    assert "'unit' does not fit" in error_in(await convert(1, "league", "mile"))
    too_much = '{"amount": 1e400, "unit": "mile", "into": "kilometre"}'
    assert "finite" in error_in(await run("convert_units", too_much, Threads()))


async def test_the_days_between_two_dates_are_counted_both_ways():
    given = '{"since": "2026-11-26", "until": "2026-12-24"}'
    assert json.loads(await run("days_between", given, Threads())) == {
        "days": 28,
        "weeks_and_days": "4 weeks and 0 days",
        "since": "Thursday, 26 November 2026",
        "until": "Thursday, 24 December 2026",
    }
    back = '{"since": "2026-12-24", "until": "2026-12-14"}'
    assert json.loads(await run("days_between", back, Threads()))["days"] == -10
    today = json.loads(await run("days_between", '{"until": "9999-12-31"}', Threads()))
    assert today["days"] > 0
    assert "'until' does not fit" in error_in(
        await run("days_between", '{"until": "soon"}', Threads())
    )


def with_the_readmes_function():
    """The source of `tools.py` after what the README says was done to it."""
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    section = readme.partition("## Your own function\n")[2].partition("\n## ")[0]
    block = section.partition("```python\n")[2].partition("```")[0]
    source = Path(tools.__file__).read_text()
    whole, found = re.subn(r"^TOOLS.*?\)\n(?=\n)", lambda _: block, source, flags=re.M | re.S)
    assert found == 1
    return whole


async def test_the_readmes_function_works_as_it_is_written():
    own = ModuleType("own_tools")
    sys.modules["own_tools"] = own  # dataclasses look their module up
    try:
        exec(compile(with_the_readmes_function(), "own_tools", "exec"), own.__dict__)
        assert [each["name"] for each in own.definitions()] == ["world_clock", "order_status"]
        threads = own.Threads()
        told = await own.run("order_status", '{"number": 17}', threads)
        assert told == "Order 17 is on its way."
        refused = await own.run("order_status", '{"number": 5000}', threads)
        assert error_in(refused) == "There is no order 5000."
        assert "does not fit" in error_in(await own.run("order_status", '{"number": "x"}', threads))
    finally:
        del sys.modules["own_tools"]
