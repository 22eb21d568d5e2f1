"""Which words were said, when two recognisers disagree, and how they are written.

Rule: the language model's words stand unless the grammar's fit the sound nearly as well *and* share
enough words with them. A grammar always answers something; alone it would put words into mouths.
"""

import math
from typing import Final, NamedTuple

AGREEMENT: Final = 0.25
SCORE_MARGIN: Final = 0.5
"""Measured together on 36 phrases outside the grammar, of which they let none through."""
COVERAGE: Final = 0.75
"""The grammar takes words that it does not know for silence: it must have nearly as many."""

_ASKING: Final = (
    "what what's who who's where where's when how how's why which can could do does did is are "
    "will would"
)
_QUESTIONS: Final = frozenset(_ASKING.split())
_CAPITALISED: Final = (
    "I I'm I've I'll I'd Monday Tuesday Wednesday Thursday Friday Saturday Sunday January "
    "February April June July August September October November December"
)
_CAPITALS: Final = {word.lower(): word for word in _CAPITALISED.split()}


class Hypothesis(NamedTuple):
    """What one recogniser takes the words to be."""

    text: str
    score: float
    """A likelihood, as pocketsphinx reports it: positive, and as small as 1e-40."""


def choose(language: Hypothesis, grammar: Hypothesis, frames: int) -> str:
    """The better of the language model's and the grammar's words, for `frames` of 10 ms."""
    if not grammar.text or min(grammar.score, language.score) <= 0 or frames <= 0:
        return language.text
    margin = 1000 * (math.log(grammar.score) - math.log(language.score)) / frames
    covered = len(grammar.text.split()) >= COVERAGE * len(language.text.split())
    agreed = word_agreement(language.text, grammar.text) >= AGREEMENT
    return grammar.text if covered and agreed and margin > SCORE_MARGIN else language.text


def word_agreement(one: str, other: str) -> float:
    """1 for the same words, 0 for none in common: 1 - edit distance / words of the longer one."""
    first, second = one.split(), other.split()
    longer = max(len(first), len(second))
    return 1 - edit_distance(first, second) / longer if longer else 1.0


def edit_distance(first: list[str], second: list[str]) -> int:
    """Words to insert, delete or replace to turn one list into the other."""
    row = list(range(len(second) + 1))
    for index, word in enumerate(first, start=1):
        diagonal, row[0] = row[0], index
        for at, other in enumerate(second, start=1):
            diagonal, row[at] = (
                row[at],
                min(row[at] + 1, row[at - 1] + 1, diagonal + (word != other)),
            )
    return row[-1]


def sentence(words: str) -> str:
    """Recognised words as a person would write them, without inventing marks inside."""
    if not words.split():
        return ""
    tokens = [_CAPITALS.get(word, word) for word in words.split()]
    first = tokens[0]
    end = "?" if first in _QUESTIONS else "."
    tokens[0] = first[0].upper() + first[1:]
    return " ".join(tokens) + end
