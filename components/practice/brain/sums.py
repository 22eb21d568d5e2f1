"""Works out a sum as it is said or typed: "7 times 8", "12 + 30", "what's 100 divided by 4"."""

import itertools
import re
from fractions import Fraction
from typing import Final

_WORDS: Final = (
    (r"\bplus\b|\badd(?:ed to)?\b", "+"),
    (r"\bminus\b|\bless\b|\btake away\b", "-"),
    (r"\btimes\b|\bmultiplied by\b|\u00d7|(?<=\d)\s*x\s*(?=\d)", "*"),
    (r"\bdivided by\b|\bover\b|\u00f7", "/"),
)
_SPOKEN: Final = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_NUMBER: Final = r"-?\d{1,12}(?:\.\d{1,6})?"
_SUM: Final = re.compile(rf"{_NUMBER}(?:\s*[-+*/]\s*{_NUMBER})+")
_TERM: Final = re.compile(rf"({_NUMBER})\s*([-+*/]?)\s*")
_MOST: Final = 10**15
MAX_TERMS: Final = 20
_MOST_SAID: Final = 36
"""Characters; of a longer sum only the result is said."""


def answer(text: str) -> str | None:
    """The sum in the text and its result as one sentence; None if there is none.

    `text` has its numbers as digits (`number_words.with_digits`). Times and divided by go before
    plus and minus.
    """
    for pattern, sign in _WORDS:
        text = re.sub(pattern, f" {sign} ", text)
    found = _SUM.search(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
    # A date or a telephone number looks like a sum, but has no space around its signs.
    if found is None or re.fullmatch(r"\d+(?:[-/]\d+){2,}", found[0]):
        return None
    terms = _TERM.findall(found[0])
    if len(terms) > MAX_TERMS:
        return "That sum is too long for me."
    try:
        result = _worked_out([(Fraction(number), sign) for number, sign in terms])
    except ZeroDivisionError:
        return "Nothing can be divided by zero."
    if abs(result) >= _MOST:
        return "The result is too large for me to say."
    said = " ".join(f"{_said(number)} {_SPOKEN.get(sign, '')}".strip() for number, sign in terms)
    sentence = f"{said} {_result(result)}."
    return sentence if len(sentence) <= _MOST_SAID else f"That {_result(result)}."


def _worked_out(terms: list[tuple[Fraction, str]]) -> Fraction:
    total, product, add = Fraction(0), terms[0][0], 1
    for (_, sign), (number, _) in itertools.pairwise(terms):
        if sign == "*":
            product *= number
        elif sign == "/":
            product /= number
        else:
            total += add * product
            product, add = number, 1 if sign == "+" else -1
    return total + add * product


def _result(value: Fraction) -> str:
    rounded = round(value, 3)
    text = f"{float(rounded):f}".rstrip("0").rstrip(".")
    return f"is {_said(text)}" if rounded == value else f"is about {_said(text)}"


def _said(number: str) -> str:
    """A leading minus in words: a voice may pass over the sign."""
    return f"minus {number[1:]}" if number.startswith("-") else number
