import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.speech.transcript import (
    Hypothesis,
    choose,
    edit_distance,
    sentence,
    word_agreement,
)

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)


def test_the_grammar_is_believed_when_it_fits_nearly_as_well_and_agrees() -> None:
    language = Hypothesis("what dime is it", 1e-30)
    grammar = Hypothesis("what time is it", 2e-30)
    assert choose(language, grammar, 100) == "what time is it"


@pytest.mark.parametrize(
    ("grammar", "frames"),
    [
        (Hypothesis("", 1e-20), 100),
        (Hypothesis("what time is it", 0.0), 100),
        (Hypothesis("what time is it", 1e-20), 0),
        (Hypothesis("what time is it", 1e-31), 100),
        (Hypothesis("count to twenty eight please", 1e-20), 100),
    ],
)
def test_otherwise_the_language_model_stands(grammar: Hypothesis, frames: int) -> None:
    assert choose(Hypothesis("what dime is it", 1e-30), grammar, frames) == "what dime is it"


def test_the_grammar_is_not_believed_when_it_leaves_words_out() -> None:
    language = Hypothesis("what time is it flip the plan", 0.3)
    grammar = Hypothesis("what time is it please", 0.5)
    assert choose(language, grammar, 393) == language.text


@pytest.mark.parametrize(
    ("one", "other", "agreement"),
    [("", "", 1.0), ("a b", "a b", 1.0), ("a b", "", 0.0), ("a b c d", "a x c", 0.5)],
)
def test_agreement_is_the_share_of_common_words(one: str, other: str, agreement: float) -> None:
    assert word_agreement(one, other) == agreement


@given(WORDS, WORDS)
def test_edit_distance_is_a_distance(first: list[str], second: list[str]) -> None:
    distance = edit_distance(first, second)

    assert distance == edit_distance(second, first)
    assert abs(len(first) - len(second)) <= distance <= max(len(first), len(second))
    assert (distance == 0) == (first == second)


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("", ""),
        (" ", ""),
        ("what time is it", "What time is it?"),
        ("i think i'm late on monday", "I think I'm late on Monday."),
        ("hello", "Hello."),
    ],
)
def test_words_are_written_as_a_sentence(words: str, written: str) -> None:
    assert sentence(words) == written
