"""Words that were heard, cut at spaces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.words import LONGEST_WORD, heard_words


@pytest.mark.parametrize(
    ("characters", "heard"), [(0, ""), (3, ""), (4, "Good"), (5, "Good "), (7, "Good "), (99, None)]
)
def test_word_that_was_begun_is_not_yet_heard(characters, heard):
    text = "Good morning."

    assert heard_words(text, characters) == (text if heard is None else heard)


def test_text_without_spaces_is_cut_at_the_character():
    assert heard_words("おはようございます", 4) == "おはよう"


def test_text_that_begins_without_spaces_is_not_held_back_for_one_far_away():
    text = "x" * (2 * LONGEST_WORD) + " y"

    assert heard_words(text, 7) == "x" * 7


def test_run_of_characters_too_long_for_a_word_is_cut_at_the_character():
    text = "One " + "x" * 500

    assert heard_words(text, 4 + LONGEST_WORD - 1) == "One "
    assert heard_words(text, 4 + LONGEST_WORD + 1) == text[: 4 + LONGEST_WORD + 1]


TEXTS = st.text(st.sampled_from("ab \n日"), max_size=4 * LONGEST_WORD)


@given(TEXTS, st.integers(0, 250), st.integers(0, 250))
def test_heard_words_only_grow(text, characters, more):
    first = heard_words(text, characters)

    assert text.startswith(first)
    assert len(first) <= characters
    assert heard_words(text, characters + more).startswith(first)
