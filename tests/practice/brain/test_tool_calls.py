import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.brain.tool_calls import Ask, Call, spoken_name, wanted


def tool(name: str, required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required or []}
    return {"type": "function", "name": name, "description": "", "parameters": parameters}


WEATHER = tool(
    "get_weather",
    ["city"],
    city={"type": "string"},
    unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
TIMER = tool("setTimer", ["minutes"], minutes={"type": "integer"}, loud={"type": "boolean"})
LIGHT = tool("switch_light", ["on"], on={"type": "boolean"}, room={"type": "string"})


def arguments(text: str, *tools: dict[str, Any]) -> Any:
    found = wanted([text], tools, "auto")
    assert isinstance(found, Call)
    return json.loads(found.arguments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what is the weather in Paris?", {"city": "Paris"}),
        ("weather in new york today in celsius please", {"city": "new york", "unit": "celsius"}),
        ("weather for the city of Berlin tomorrow", {"city": "Berlin"}),
        ('the weather "Rio de Janeiro" now', {"city": "Rio de Janeiro"}),
        ("city Oslo, weather", {"city": "Oslo"}),
    ],
)
def test_words_are_taken_from_what_was_said(text: str, expected: Any) -> None:
    assert arguments(text, TIMER, WEATHER) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set a timer for twenty five minutes", {"minutes": 25}),
        ("set a timer with minutes of 5", {"minutes": 5, "loud": True}),
        ("timer 3, not loud", {"minutes": 3, "loud": False}),
        ("timer 5.5 or 7", {"minutes": 7}),
    ],
)
def test_numbers_and_switches_are_taken_from_what_was_said(text: str, expected: Any) -> None:
    assert arguments(text, WEATHER, TIMER) == expected


def test_a_number_serves_one_argument_only() -> None:
    dice = tool("roll", ["low", "high"], low={"type": "number"}, high={"type": "number"})

    assert arguments("roll from 1.5 to six", dice) == {"low": 1.5, "high": 6}
    assert isinstance(wanted(["roll from 3"], [dice], "auto"), Ask)


def test_the_longest_choice_wins() -> None:
    size = tool("order_pizza", ["size"], size={"enum": ["large", "extra_large", 2]})

    assert arguments("order an extra large pizza", size) == {"size": "extra_large"}
    assert arguments("order pizza size two", size) == {"size": 2}


def test_what_cannot_be_said_is_not_made_up() -> None:
    odd = tool("paint", ["points"], points={"type": "array"}, shape={"type": "object"})

    found = wanted(["paint it"], [odd], "auto")
    assert found == Ask("To paint I need the points. What is the points?")
    later = wanted(["paint it", found.question, "one and two"], [odd], "auto")
    assert later == found


def test_a_boolean_that_was_not_said_is_asked_for() -> None:
    found = wanted(["switch the light"], [LIGHT], "auto")
    assert isinstance(found, Ask)

    assert wanted(["switch the light", found.question, "yes"], [LIGHT], "auto") == Call(
        "switch_light", '{"on": true}'
    )


def test_several_answers_complete_one_call() -> None:
    trip = tool("book_trip", ["city", "days"], city={"type": "string"}, days={"type": "integer"})
    first = wanted(["book a trip"], [trip], "auto")
    assert isinstance(first, Ask)
    turns = ["hello", "Hi!", "book a trip", first.question, "It's Rome, please."]
    second = wanted(turns, [trip], "auto")
    assert isinstance(second, Ask)
    assert second != first

    done = wanted([*turns, second.question, "three days"], [trip], "auto")
    assert done == Call("book_trip", '{"city": "Rome", "days": 3}')


def test_a_question_may_be_answered_before_its_end() -> None:
    question = wanted(["the weather"], [WEATHER], "auto")
    assert isinstance(question, Ask)

    cut = question.question[:25]
    assert wanted(["the weather", cut, "Paris"], [WEATHER], "auto") == Call(
        "get_weather", '{"city": "Paris"}'
    )
    assert wanted(["the weather", "To", "Paris"], [WEATHER], "auto") is None


def test_an_answer_that_is_none_is_asked_for_again() -> None:
    question = wanted(["start the timer"], [TIMER], "auto")
    assert isinstance(question, Ask)
    assert wanted(["start the timer", question.question, "soon"], [TIMER], "auto") == question


def test_an_empty_answer_is_none() -> None:
    question = wanted(["the weather"], [WEATHER], "auto")
    assert isinstance(question, Ask)
    assert wanted(["the weather", question.question, "..., "], [WEATHER], "auto") == question


def test_questions_of_two_functions_are_not_mixed() -> None:
    weather, timer = (
        wanted([text], [WEATHER, TIMER], "auto") for text in ("the weather", "start the timer")
    )
    assert isinstance(weather, Ask)
    assert isinstance(timer, Ask)
    turns = ["the weather", weather.question, "start the timer", timer.question, "five"]
    assert wanted(turns, [WEATHER, TIMER], "auto") == Call("setTimer", '{"minutes": 5}')


@pytest.mark.parametrize("text", ["what time is it", "tell me a story", "", "?"])
def test_other_words_call_nothing(text: str) -> None:
    assert wanted([text], [WEATHER, TIMER], "auto") is None


def test_a_description_helps_to_find_the_function() -> None:
    described = {"type": "function", "name": "fx", "description": "Converts foreign currencies."}

    assert wanted(["convert this foreign money"], [described], "auto") == Call("fx", "{}")
    assert wanted(["foreign money"], [described], "auto") is None


def test_the_client_may_choose() -> None:
    tools = [WEATHER, TIMER]

    assert wanted(["weather in Paris"], tools, "none") is None
    assert wanted(["hm 5"], tools, {"type": "function", "name": "setTimer"}) == Call(
        "setTimer", '{"minutes": 5}'
    )
    assert wanted(["hm"], tools, {"type": "function", "name": "unknown"}) is None
    assert isinstance(wanted(["hm"], tools, "required"), Ask)


def test_what_is_no_function_is_passed_over() -> None:
    assert (
        wanted(["weather"], [{"type": "mcp", "name": "weather"}, {"type": "function"}], "auto")
        is None
    )


@pytest.mark.parametrize(
    "parameters", [None, {}, {"properties": None}, {"properties": {"x": None}, "required": None}]
)
def test_a_function_may_have_no_usable_parameters(parameters: Any) -> None:
    ping = {"type": "function", "name": "ping", "parameters": parameters}
    assert wanted(["ping"], [ping], "auto") == Call("ping", "{}")


def test_names_are_spoken_as_words() -> None:
    assert spoken_name("getWeatherFor_city-name2") == "get weather for city name2"


SCHEMAS = st.sampled_from(
    [{"type": kind} for kind in ("string", "integer", "number", "boolean", "array")]
    + [{"enum": ["a", 1]}, {}]
)
TOOLS = st.lists(
    st.builds(
        lambda name, properties: tool(name, list(properties), **properties),
        st.text(min_size=1),
        st.dictionaries(st.text(), SCHEMAS, max_size=3),
    ),
    max_size=3,
)


@given(st.lists(st.text(), min_size=1), TOOLS, st.sampled_from(["auto", "required", "none"]))
def test_any_words_and_any_functions_are_taken(
    turns: list[str], tools: list[dict[str, Any]], choice: str
) -> None:
    found = wanted(turns, tools, choice)
    if isinstance(found, Call):
        assert isinstance(json.loads(found.arguments), dict)
