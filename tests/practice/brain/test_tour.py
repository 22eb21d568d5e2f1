"""The tour, as a conversation that goes through it: every answer stands in the items again."""

from typing import Any

import pytest

from components.page.view import FOLDED_FROM
from components.practice.brain.rules import GREETING, GUIDED_GREETING, Call, Context, Say
from components.practice.brain.tour import (
    COUNT,
    COUNTING,
    END,
    LEFT,
    NOBODY,
    NOW_TYPE,
    READ,
    SILENCE,
    WELCOME,
    sentences,
)
from components.practice.engine.engine import IDLE_PROMPT

TIME = Say("It is noon.")
LISTENED = "I heard you for 1.4 seconds; half a second after you stopped I knew."
NOW_STOPPED = f"You stopped me at two; what came after … {NOW_TYPE}"
COUNTED = " ".join((LISTENED, COUNTING, COUNT, NOBODY, NOW_TYPE))


def answer(sent: str, heard: str | None = None, status: str = "completed") -> dict[str, Any]:
    """An answer of the server; `heard` is what a client has told to have been heard of it."""
    part = {"type": "output_audio", "transcript": sent if heard is None else heard}
    if heard is not None:
        part["sent"] = sent
    return {"type": "message", "role": "assistant", "status": status, "content": [part]}


def user(text: str = "uh") -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def spoken(
    *items: dict[str, Any], words: str | None = "uh", known: Say | Call | None = None, **turn: Any
) -> tuple[str, ...]:
    """What the tour says to speech of 1.4 s, after these items."""
    context = Context((*items, user()), **{"seconds": 1.42, "silence_s": 0.512, **turn})
    return sentences(words, context, known)


def typed(
    *items: dict[str, Any], words: str = "uh", known: Say | Call | None = None
) -> tuple[str, ...]:
    return sentences(words, Context((*items, user(words))), known)


@pytest.mark.parametrize("asked", [IDLE_PROMPT, IDLE_PROMPT[:14]])
def test_it_keeps_its_place_when_nobody_has_spoken_for_a_while(asked: str) -> None:
    waited = (answer(WELCOME), user(""), answer(asked))
    assert spoken(*waited) == (LISTENED, COUNTING, COUNT, NOBODY, NOW_TYPE)


def counted_to(number: int) -> str:
    """The counting answer as far as a number."""
    return COUNTED[: COUNTED.index(f" {number},") + len(f" {number},")]


@pytest.mark.parametrize(
    "words",
    ["Take the tour.", "take the tour please", "Tour", "show me around", "Can you give me a tour"],
)
def test_it_begins_when_asked_for(words: str) -> None:
    assert typed(words=words) == (WELCOME,)
    assert spoken(answer(COUNTED), words=words) == (WELCOME,)


@pytest.mark.parametrize("words", ["detour", "the tour de france", "what is a tour", "", None])
def test_it_does_not_begin_by_itself(words: str | None) -> None:
    assert spoken(words=words) == ()
    assert spoken(answer("I don't know that. Try: take the tour."), words=words) == ()


@pytest.mark.parametrize("words", ["Not op ed", "", None, "what time is it"])
def test_whatever_was_said_first_it_tells_how_long_and_counts(words: str | None) -> None:
    said = spoken(answer(WELCOME), words=words, known=TIME if words else None)

    assert said == (LISTENED, COUNTING, COUNT, NOBODY, NOW_TYPE)


@pytest.mark.parametrize(
    ("silence_s", "told"),
    [
        (0.512, "; half a second after you stopped I knew."),
        (0.224, "; 0.2 seconds after you stopped I knew."),
        (0.8, "; 0.8 seconds after you stopped I knew."),
        (0.0, "; the end of it you told me."),
    ],
)
def test_it_tells_how_the_end_was_found(silence_s: float, told: str) -> None:
    said = spoken(answer(WELCOME), silence_s=silence_s)

    assert said[0] == f"I heard you for 1.4 seconds{told}"


def test_a_typed_line_in_place_of_speech_is_taken_too() -> None:
    assert typed(answer(WELCOME))[0] == "I can read as well."
    assert typed(answer(WELCOME), known=TIME) == ()


@pytest.mark.parametrize("heard", ["", "I heard you for", f"{LISTENED} {COUNTING}"])
def test_who_speaks_on_before_the_count_is_heard_anew(heard: str) -> None:
    after_all = spoken(answer(WELCOME), user(), answer(COUNTED, heard))
    broken_off = spoken(answer(WELCOME), user(), answer(LISTENED, None, "incomplete"))
    hardly_begun = spoken(answer(WELCOME), user(), answer("I ", None, "incomplete"))

    assert after_all == broken_off == hardly_begun == (LISTENED, COUNTING, COUNT, NOBODY, NOW_TYPE)


@pytest.mark.parametrize(("number", "word"), [(1, "one"), (11, "eleven"), (15, "fifteen")])
def test_the_number_at_which_one_was_stopped_is_the_last_that_was_heard(
    number: int, word: str
) -> None:
    for words in ("stop", "", None):
        said = spoken(answer(WELCOME), answer(COUNTED, counted_to(number)), words=words, known=TIME)
        assert said[0].startswith(f"You stopped me at {word}; what came after is struck through")
        assert said[1:] == (NOW_TYPE,)


def test_a_client_that_does_not_tell_what_was_heard_is_told_no_number() -> None:
    said = spoken(answer(WELCOME), answer(counted_to(15), None, "incomplete"))

    assert said == ("You stopped me, and I was quiet at once.", NOW_TYPE)


@pytest.mark.parametrize("heard", [None, COUNTED, f"{COUNTED.split('Nobody')[0]}Nobody sp"])
def test_after_a_whole_count_a_typed_line_is_awaited(heard: str | None) -> None:
    assert typed(answer(WELCOME), answer(COUNTED, heard)) == (READ, END)


def test_a_typed_line_that_is_known_is_answered_at_the_end() -> None:
    stopped = answer(NOW_STOPPED, "You stopped")

    assert typed(stopped, known=TIME) == ("It is noon.", END)
    assert typed(stopped) == (READ, END)
    assert spoken(stopped) == ("I heard that, too.", END)
    assert typed(stopped, known=Call("look", "{}")) == ()


def test_who_greets_at_the_end_is_not_offered_the_tour_again() -> None:
    assert typed(answer(NOW_STOPPED), known=Say(GUIDED_GREETING)) == (GREETING, END)


def test_what_is_not_heard_from_the_third_number_on_is_shown_in_one_line() -> None:
    assert len(COUNTED) - len(counted_to(3)) <= FOLDED_FROM


def test_after_its_end_it_says_no_more() -> None:
    assert spoken(answer(WELCOME), answer(f"{READ} {END}")) == ()
    assert typed(answer(WELCOME), answer(LEFT)) == ()


@pytest.mark.parametrize("words", ["never mind", "Stop the tour!", "goodbye", "cancel"])
@pytest.mark.parametrize("place", [WELCOME, COUNTED, f"You stopped me at two; … {NOW_TYPE}"])
def test_it_can_be_left_at_any_step(words: str, place: str) -> None:
    assert spoken(answer(place), words=words) == (LEFT,)
    assert typed(answer(place), words=words) == (LEFT,)


def test_stop_leaves_it_except_over_the_count_which_it_stops() -> None:
    assert spoken(answer(WELCOME), words="Stop!") == (LEFT,)
    assert spoken(answer(COUNTED, counted_to(3)), words="Stop!") != (LEFT,)


def test_a_function_that_has_just_spoken_is_not_taken_for_the_user() -> None:
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}

    assert sentences("take the tour", Context((user("take the tour"), output)), TIME) == ()
    assert spoken(answer(WELCOME), output) == ()


def test_after_the_reminder_speech_is_awaited_as_before() -> None:
    reminded = spoken(answer(WELCOME), answer(SILENCE.text))

    assert reminded == (LISTENED, COUNTING, COUNT, NOBODY, NOW_TYPE)
