"""What the assistant may call, and what it is told when that fails."""

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from components import tools
from components.tools import MOST_CHARACTERS, TOOLS, Tool, ToolError, definitions, run


def tool(function, required=(), **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return Tool("probe", "A probe.", schema, function)


async def asked(function, arguments="{}", **options):
    return await run("probe", arguments, (tool(function, **options),))


def error_in(text):
    (sentence,) = json.loads(text).values()
    assert list(json.loads(text)) == ["error"]
    return sentence


def test_the_definitions_are_those_of_the_session_schema():
    for definition in definitions():
        assert set(definition) == {"type", "name", "description", "parameters"}
        assert definition["type"] == "function"
        properties = definition["parameters"]["properties"]
        assert set(definition["parameters"]["required"]) <= set(properties)
    assert json.loads(json.dumps(definitions())) == definitions()


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
    result = json.loads(await run("world_clock", json.dumps({"place": place})))
    here = datetime.now(ZoneInfo(zone))
    told = datetime.strptime(f"{result['date']} {result['time']}", "%A, %d %B %Y %H:%M")

    assert result["time_zone"] == zone
    assert timedelta(0) <= here.replace(tzinfo=None) - told < timedelta(minutes=2)
    assert datetime.strptime(result["utc_offset"], "%z").utcoffset() == here.utcoffset()


@pytest.mark.parametrize("arguments", ["", "{}", '{"place": " "}'])
async def test_the_clock_of_no_place_is_the_servers(arguments):
    result = json.loads(await run("world_clock", arguments))

    assert result["utc_offset"] == datetime.now(UTC).astimezone().isoformat()[-6:]


@pytest.mark.parametrize("place", ["Atlantis", "../../etc/passwd", "GMT+5", "x" * 5_000])
async def test_a_place_without_a_zone_is_an_error_that_helps(place):
    sentence = error_in(await run("world_clock", json.dumps({"place": place})))

    assert "America/Los_Angeles" in sentence
    assert len(sentence) < 300


async def test_plain_and_async_functions_are_called_with_their_arguments():
    async def later(a, b):
        await asyncio.sleep(0)
        return {"sum": a + b}

    numbers = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    for function in (later, lambda a, b: {"sum": a + b}):
        assert json.loads(await asked(function, '{"a": 1, "b": 2}', **numbers)) == {"sum": 3}


async def test_text_is_given_as_it_is_and_what_json_does_not_know_as_text():
    assert await asked(lambda: "It rains.") == "It rains."
    assert await asked(lambda: "half: \ud83d") == "half: ?"
    assert json.loads(await asked(lambda: [datetime(2026, 11, 22), 1j])) == [
        "2026-11-22T00:00:00",
        "1j",
    ]


async def test_a_function_that_is_not_there_is_told_with_those_that_are():
    assert "There are: world_clock." in error_in(await run("rm", "{}"))
    assert "There are: none." in error_in(await run("rm", "{}", ()))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "a JSON object"),
        ("null", "a JSON object"),
        ("{}", "'place' is missing"),
        ('{"place": "here", "colour": 1}', "no argument 'colour'"),
        ('{"place": 1}', "'place' must be of type string"),
        ('{"place": "here", "count": true}', "'count' must be of type integer"),
        ('{"place": "here", "count": 1.5}', "'count' must be of type integer"),
        ('{"place": "here", "unit": "K"}', "'unit' must be one of C, F"),
        ('{"place": "here", "maybe": 1}', "'maybe' must be of type string or null"),
    ],
)
async def test_arguments_that_do_not_fit_are_told(arguments, sentence):
    told = await asked(
        lambda **_: pytest.fail("called"),
        arguments,
        required=["place"],
        place={"type": "string"},
        count={"type": "integer"},
        unit={"enum": ["C", "F"]},
        maybe={"type": ["string", "null"]},
    )

    assert sentence in error_in(told)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "number"}, 1),
        ({"type": "number"}, 1.5),
        ({"type": "boolean"}, True),
        ({"type": "array"}, [1]),
        ({"type": "object"}, {"a": 1}),
        ({"type": ["string", "null"]}, None),
        ({"type": "of another draft"}, 1),
        ({}, 1),
    ],
)
async def test_arguments_that_fit_are_passed(schema, value):
    told = await asked(lambda value: [value], json.dumps({"value": value}), value=schema)

    assert json.loads(told) == [value]


async def test_what_a_function_says_of_its_failure_is_passed_on():
    def refuse():
        raise ToolError("The shop is closed.")

    assert error_in(await asked(refuse)) == "The shop is closed."


async def test_a_failure_is_logged_and_its_words_are_kept_from_the_model(caplog):
    for failure in (OSError("secret"), TimeoutError("secret"), SystemExit("secret")):
        caplog.clear()

        def fail(failure=failure):
            raise failure

        with caplog.at_level(logging.ERROR):
            told = await asked(fail)

        assert "probe failed" in error_in(told)
        assert "secret" not in told
        assert "secret" in caplog.text


async def test_a_result_that_is_no_json_is_a_failure():
    assert "probe failed" in error_in(await asked(lambda: {1j: 1}))


async def test_a_function_that_takes_too_long_is_left(monkeypatch):
    monkeypatch.setattr(tools, "LIMIT_S", 0.01)

    assert "did not answer within 0.01 seconds" in error_in(await asked(asyncio.Event().wait))


async def test_a_long_result_is_cut():
    told = await asked(lambda: "x" * 100_000)

    assert len(told) == MOST_CHARACTERS
    assert told.endswith("…")


async def test_a_call_that_is_given_up_ends():
    call = asyncio.create_task(asked(asyncio.Event().wait))
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
