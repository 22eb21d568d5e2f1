"""What the number words of English mean, from zero to 999,999,999."""

import re
from typing import Final

_BELOW_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_SMALL: Final = tuple(_BELOW_TWENTY.split())
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES: Final = {"million": 1_000_000, "thousand": 1_000}
MAX_NUMBER: Final = 999_999_999

_VALUE_OF: Final = {
    **{word: value for value, word in enumerate(_SMALL)},
    **{word: 20 + 10 * index for index, word in enumerate(_TENS)},
}


def words(number: int) -> str:
    """The number in words, without "and"; `ValueError` outside 0 to `MAX_NUMBER`."""
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError(f"no words for {number}")
    for name, scale in _SCALES.items():
        if number >= scale:
            return _joined(words(number // scale), name, number % scale)
    if number >= 100:
        return _joined(_SMALL[number // 100], "hundred", number % 100)
    if number >= 20:
        return _joined(_TENS[number // 10 - 2], "", number % 10)
    return _SMALL[number]


def _joined(head: str, name: str, rest: int) -> str:
    return " ".join(part for part in (head, name, words(rest) if rest else "") if part)


def with_digits(text: str) -> str:
    """The text, lower case, with its number words written as digits: "forty-two" becomes "42".

    Numbers said one after another stay apart ("one two" is "1 2"), and "point" followed by single
    digits makes a decimal.
    """
    tokens = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower()).split()
    out: list[str] = []
    at = 0
    while at < len(tokens):
        value, after = _number(tokens, at)
        if value is None:
            out.append(tokens[at])
            at += 1
            continue
        decimals, after = _decimals(tokens, after)
        # A mark at the end of the last word ("twenty.") stays where it was.
        out.append(f"{value}{decimals}{_mark(tokens[after - 1])}")
        at = after
    return " ".join(out)


def _bare(tokens: list[str], at: int) -> str:
    """The word at a place, without a mark at its end; empty beyond the end."""
    return tokens[at].rstrip(".,;:!?") if at < len(tokens) else ""


def _mark(token: str) -> str:
    return token[len(token.rstrip(".,;:!?")) :]


def _goes_on(tokens: list[str], at: int) -> bool:
    """Whether the word before `at` has no mark at its end, so that a number may continue."""
    return at < len(tokens) and not _mark(tokens[at - 1])


def _number(tokens: list[str], at: int) -> tuple[int | None, int]:
    """The number that starts at a place and the place after it; None if none starts there."""
    total, start = 0, at
    for name, scale in _SCALES.items():
        value, after = _below_thousand(tokens, at)
        if value is not None and _goes_on(tokens, after) and _bare(tokens, after) == name:
            total, at = total + value * scale, after + 1
    if at == start:
        return _below_thousand(tokens, at)
    value, after = _rest(tokens, at, _below_thousand(tokens, _skip_and(tokens, at)))
    return total + value, after


def _below_thousand(tokens: list[str], at: int) -> tuple[int | None, int]:
    value, after = _below_hundred(tokens, at)
    if value is None and _bare(tokens, at) == "a" and _bare(tokens, at + 1) in _LARGE:
        value, after = 1, at + 1
    if value is None or not 1 <= value <= 9 or not _goes_on(tokens, after):
        return value, after
    if _bare(tokens, after) != "hundred":
        return value, after
    at = after + 1
    rest, after = _rest(tokens, at, _below_hundred(tokens, _skip_and(tokens, at)))
    return value * 100 + rest, after


_LARGE: Final = frozenset(("hundred", *_SCALES))


def _below_hundred(tokens: list[str], at: int) -> tuple[int | None, int]:
    value = _VALUE_OF.get(_bare(tokens, at))
    if value is None or value < 20 or not _goes_on(tokens, at + 1):
        return value, at + 1
    unit = _VALUE_OF.get(_bare(tokens, at + 1), 0)
    return (value + unit, at + 2) if 1 <= unit <= 9 else (value, at + 1)


def _skip_and(tokens: list[str], at: int) -> int:
    return at + 1 if _bare(tokens, at) == "and" and _goes_on(tokens, at + 1) else at


def _rest(tokens: list[str], at: int, found: tuple[int | None, int]) -> tuple[int, int]:
    """The smaller part that follows "hundred" or "thousand", if one does."""
    value, after = found
    if not value or not _goes_on(tokens, at):
        return 0, at
    return value, after


def _decimals(tokens: list[str], at: int) -> tuple[str, int]:
    """The digits said after "point", as they are written."""
    if not (_goes_on(tokens, at) and _bare(tokens, at) == "point"):
        return "", at
    digits, after = "", at + 1
    while _goes_on(tokens, after) and _VALUE_OF.get(_bare(tokens, after), 10) < 10:
        digits += str(_VALUE_OF[_bare(tokens, after)])
        after += 1
    return (f".{digits}", after) if digits else ("", at)
