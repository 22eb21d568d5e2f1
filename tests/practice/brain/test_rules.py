from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.brain.rules import (
    EXAMPLES,
    GREETING,
    GUIDED_GREETING,
    HELP,
    TOUR,
    Call,
    Context,
    Random,
    Say,
    known,
    unsure,
)
from tests.images import jpeg, png, url_of

NOON = datetime(2026, 11, 22, 12, 5)
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def message(role: str, text: str, kind: str = "text") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", kind: text}]}


def call(name: str, call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "name": name, "call_id": call_id, "arguments": "{}"}


def output(call_id: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def reply(words: str | None, context: Context, now: datetime, rng: Random) -> Say | Call:
    return known(words, context, now, rng) or unsure(words, context)


def with_images(text: str, *urls: str) -> dict[str, Any]:
    words = [{"type": "input_text", "text": text}] if text else []
    images = [{"type": "input_image", "image_url": url} for url in urls]
    return {"type": "message", "role": "user", "content": [*words, *images]}


def test_a_picture_is_told_by_its_size_and_nothing_is_pretended() -> None:
    url, other = url_of(png(), "png"), url_of(jpeg(64, 48), "jpeg")

    got = "I got a picture of 640 by 480 points."
    assert said("", with_images("", url)) == f"{got} I can't look into it."
    assert said("what is it", with_images("what is it", url)) == f"{got} I can't look into it."
    assert said("what is 1 + 2", with_images("what is 1 + 2", url)) == f"{got} 1 plus 2 is 3."
    assert said("", with_images("", url, other)).startswith(
        "I got 2 pictures of 640 by 480 and 64 by 48 points."
    )
    assert "picture" not in said("help", with_images("", url), message("user", "help"))


def said(
    words: str | None,
    *items: Mapping[str, Any],
    now: datetime = NOON,
    random: float = 0.0,
    seconds: float = 0.0,
    guided: bool = False,
) -> str:
    context = Context(items, seconds=seconds, guided=guided)
    answer = reply(words, context, now, lambda: random)
    assert isinstance(answer, Say)
    return answer.text


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("What time is it?", "It is 12:05 PM."),
        ("tell me the time please", "It is 12:05 PM."),
        ("What\u2019s the date today?", "It is Sunday, November 22."),
        ("what day is it", "It is Sunday, November 22."),
        ("what year is it", "It is 2026."),
        ("what month is it", "It is November."),
        ("what is twelve plus thirty", "12 plus 30 is 42."),
        ("12 + 30", "12 plus 30 is 42."),
        ("what's 7 times 8?", "7 times 8 is 56."),
        ("roll a dice", "You rolled a 1."),
        ("could you throw two dice please", "1 and 1 make 2."),
        ("roll 3 six-sided dice", "1, 1 and 1 make 3."),
        ("roll a 20 sided die", "You rolled a 1."),
        ("roll 4 dice", "4 dice make 4."),
        ("roll fifty dice", "I roll 1 to 10 dice."),
        ("12345 times 6789 minus 1", "That is 83810204."),
        ("Flip a coin.", "Heads."),
        ("give me a random number", "1."),
        ("a random number between fifty and sixty", "50."),
        ("a random number from 60 to 50", "50."),
        ("count to five", "1, 2, 3, 4, 5."),
        ("count up to 3", "1, 2, 3."),
        ("count from three to one", "3, 2, 1."),
        ("count to one thousand", "I count at most 100 numbers."),
        ("Help!", HELP),
        ("what can you do?", HELP),
        ("Hello there.", GREETING),
        ("good morning", GREETING),
        ("Goodbye.", "Goodbye!"),
        ("thank you very much", "You're welcome."),
        ("Stop.", "All right."),
        ("never mind", "All right."),
        ("how are you today?", "I am only a program, and it runs well."),
        ("", "I missed that. Try: what time is it?"),
        (" \n", "I missed that. Try: what time is it?"),
        ("Not op ed.", "I don't know that. Try: what time is it?"),
    ],
)
def test_the_rules_do_what_they_say(words: str, answer: str) -> None:
    assert said(words) == answer


@pytest.mark.parametrize(
    ("hour", "spoken"), [(0, "12:05 AM"), (9, "9:05 AM"), (12, "12:05 PM"), (23, "11:05 PM")]
)
def test_the_clock_has_twelve_hours(hour: int, spoken: str) -> None:
    assert said("what time is it", now=NOON.replace(hour=hour)) == f"It is {spoken}."


def test_it_says_what_it_is() -> None:
    assert "without a language model" in said("who are you?")


def test_chance_reaches_its_ends() -> None:
    almost_one = 1 - 2**-53

    assert said("roll a die", random=almost_one) == "You rolled a 6."
    assert said("roll a 20-sided die", random=almost_one) == "You rolled a 20."
    assert said("flip a coin", random=0.5) == "Tails."
    assert said("pick a random number", random=almost_one) == "100."


def test_a_long_count_is_long() -> None:
    assert said("count to thirty").endswith("28, 29, 30.")


def test_it_repeats_what_it_said_last() -> None:
    items = [message("assistant", "It is noon.", "transcript"), message("user", "repeat that")]

    assert said("repeat that please", *items) == "I said: It is noon."
    assert said("say that again", message("assistant", "I said: It is noon.")) == (
        "I said: It is noon."
    )
    assert said("what did you say?") == "I have not said anything yet."


def test_what_it_does_not_know_is_answered_with_another_example_each_time() -> None:
    items: list[Mapping[str, Any]] = []
    for example in (*EXAMPLES, EXAMPLES[0]):
        answer = said("trains " * 500, *items)
        items.append(message("assistant", answer, "transcript"))
        assert answer.rstrip(".").endswith(f": {example}")


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_understood(example: str) -> None:
    assert known(example, Context(), NOON, lambda: 0.0) is not None


def test_where_there_is_a_tour_it_is_the_first_example() -> None:
    first = said("trains", guided=True)
    second = said("trains", message("assistant", first), guided=True)

    assert first == f"I don't know that. Try: {TOUR}."
    assert second == f"I don't know that. Try: {EXAMPLES[0]}"
    assert said("hello", guided=True) == said(None, guided=True) == GUIDED_GREETING


def test_without_ears_it_asks_to_type() -> None:
    assert said(None, seconds=2.34) == "I missed that. Type: what time is it?"


def test_asked_to_speak_before_anyone_has_it_greets() -> None:
    assert said(None) == GREETING


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"temperature": 21, "isRaining": false}', "temperature is 21, is raining is no."),
        ('["a", true, null]', "a, yes, nothing."),
        ("Sunny.", "Sunny."),
        ('"Sunny"', "Sunny."),
        ("", "nothing."),
        ("[" * 100_000, "…"),
    ],
)
def test_a_functions_output_is_read_aloud(text: str, read: str) -> None:
    items = [message("user", "weather?"), call("get_weather", "c1"), output("c1", text)]
    assert said("weather?", *items).startswith(f"get weather says: {read}")


def test_outputs_of_several_functions_are_read_in_order() -> None:
    items = [call("one", "c1"), call("two", "c2"), output("c1", "A"), output("c2", "B")]

    assert said("go", *items) == "one says: A. two says: B."
    assert said("go", output("unknown", "A")) == "the function says: A."


def test_once_it_has_been_read_an_output_is_past() -> None:
    items = [call("one", "c1"), output("c1", "A"), message("user", "flip a coin")]
    assert said("flip a coin", *items) == "Heads."


def test_declared_functions_come_before_the_rules() -> None:
    context = Context(tools=[WEATHER])
    answer = reply("what time is the weather nice in Paris", context, NOON, lambda: 0.0)
    assert answer == Call("get_weather", '{"city": "Paris"}')


def test_a_missing_argument_is_asked_for_and_its_answer_completes_the_call() -> None:
    context = Context([message("user", "the weather please")], [WEATHER])
    question = reply("the weather please", context, NOON, lambda: 0.0)
    assert isinstance(question, Say)

    items = [
        message("system", "Be nice."),
        message("user", "the weather please"),
        message("assistant", question.text),
        message("user", "", "transcript"),
    ]
    answer = reply("In Paris.", Context(items, [WEATHER]), NOON, lambda: 0.0)
    assert answer == Call("get_weather", '{"city": "Paris"}')

    stopped = reply("Never mind.", Context(items, [WEATHER]), NOON, lambda: 0.0)
    assert stopped == Say("All right.")


ITEMS = st.lists(
    st.one_of(
        st.builds(message, st.sampled_from(["user", "assistant", "system"]), st.text()),
        st.builds(call, st.text(), st.text(max_size=1)),
        st.builds(output, st.text(max_size=1), st.text()),
        st.just({"type": "message", "role": "user"}),
    )
)


@given(st.none() | st.text(), ITEMS, st.floats(0, 1, exclude_max=True))
def test_there_is_always_something_to_say(
    words: str | None, items: list[dict[str, Any]], random: float
) -> None:
    assert said(words, *items, random=random)


def test_words_that_have_led_to_a_call_lead_to_no_second_one() -> None:
    asked = message("user", "what is the weather in Paris")
    done = (asked, call("get_weather", "c1"), output("c1", "rain"), message("assistant", "Rain."))
    words = "what is the weather in Paris"

    def answer(items: Any, choice: Any = "auto") -> Any:
        return reply(words, Context(items, [WEATHER], choice), NOON, lambda: 0.0)

    assert isinstance(answer([asked]), Call)
    assert isinstance(answer(done), Say)
    assert isinstance(answer(done[:2]), Say)
    assert isinstance(answer([*done, asked]), Call)
    assert isinstance(answer(done, "required"), Call)
    assert isinstance(answer(done, {"type": "function", "name": "get_weather"}), Call)
