import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.brain.sums import MAX_TERMS, answer


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12 + 30", "12 plus 30 is 42."),
        ("what's 7 times 8?", "7 times 8 is 56."),
        ("7x8", "7 times 8 is 56."),
        ("3 \u00d7 4", "3 times 4 is 12."),
        ("100 divided by 4", "100 divided by 4 is 25."),
        ("10 over 4", "10 divided by 4 is 2.5."),
        ("10 / 3", "10 divided by 3 is about 3.333."),
        ("5 minus 8", "5 minus 8 is minus 3."),
        ("5 - -8", "5 minus minus 8 is 13."),
        ("2 plus 3 times 4", "2 plus 3 times 4 is 14."),
        ("20 / 2 - 3 * 2 + 1", "That is 5."),
        ("1,000 plus 1", "1000 plus 1 is 1001."),
        ("0.5 plus 0.25", "0.5 plus 0.25 is 0.75."),
        ("1 divided by 0", "Nothing can be divided by zero."),
        ("999999999999 times 999999999999", "The result is too large for me to say."),
        (" + ".join(["1"] * (MAX_TERMS + 1)), "That sum is too long for me."),
    ],
)
def test_a_sum_is_worked_out(text: str, said: str) -> None:
    assert answer(text) == said


@pytest.mark.parametrize("text", ["", "what time is it", "12", "2026-11-22", "1/2/2026", "plus 5"])
def test_what_is_no_sum_is_left_alone(text: str) -> None:
    assert answer(text) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_results_are_right(first: int, second: int) -> None:
    assert answer(f"{first} plus {second}") == f"{first} plus {second} is {first + second}."
