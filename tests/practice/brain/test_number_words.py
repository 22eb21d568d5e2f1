import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.brain.number_words import MAX_NUMBER, with_digits, words


@given(st.integers(0, MAX_NUMBER))
def test_a_number_said_is_the_number_understood(number: int) -> None:
    assert with_digits(words(number)) == str(number)


@given(st.integers(0, 999), st.integers(0, 999))
def test_numbers_in_a_sum_stay_apart(first: int, second: int) -> None:
    assert with_digits(f"{words(first)} plus {words(second)}") == f"{first} plus {second}"


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(with_digits(text), str)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("what's ninety times fifty-five", "what's 90 times 55"),
        ("one two three", "1 2 3"),
        ("a hundred and one", "101"),
        ("a hundred and a half", "100 and a half"),
        ("two thousand and twenty six", "2026"),
        ("a thousand", "1000"),
        ("five hundred million", "500000000"),
        ("one million two thousand", "1002000"),
        ("Twenty. Two.", "20. 2."),
        ("two, hundred", "2, hundred"),
        ("one hundred, five", "100, 5"),
        ("three point one four", "3.14"),
        ("three point", "3 point"),
        ("to the point", "to the point"),
        ("twenty zero", "20 0"),
        ("twenty twenty", "20 20"),
        ("zero hundred", "0 hundred"),
        ("hundred", "hundred"),
        ("a dog and a cat", "a dog and a cat"),
        ("12 + 30", "12 + 30"),
        ("one and two", "1 and 2"),
        ("one hundred and", "100 and"),
        ("", ""),
    ],
)
def test_number_words_become_digits(said: str, written: str) -> None:
    assert with_digits(said) == written


@pytest.mark.parametrize("number", [-1, MAX_NUMBER + 1])
def test_there_are_words_only_for_some_numbers(number: int) -> None:
    with pytest.raises(ValueError, match="no words"):
        words(number)
