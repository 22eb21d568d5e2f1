"""Where the words of a text are in its sound, from how long each symbol of its pronunciation lasts.

Rule: words are spoken in their order. Where a text is pronounced in as many words as it has, each
begins exactly where it is heard; "12:45" or "of the" are not, and then a word begins as far into
the sounds as into the letters.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from components.practice.speech.framing import Mark


class Symbol(NamedTuple):
    """A symbol of a pronunciation, and how many samples it lasts; a space parts words."""

    symbol: str
    samples: int


def marks(text: str, symbols: Sequence[Symbol]) -> list[Mark]:
    """Where each word of the text begins in the sound of these symbols."""
    words = [found.start() for found in re.finditer(r"\S+", text)]
    begins = _begins(symbols)
    spoken = [at for at, first in begins if first]
    if not begins or len(spoken) == len(words):
        return [Mark(*mark) for mark in zip(words, spoken, strict=False)]
    return [Mark(word, begins[word * len(begins) // len(text)][0]) for word in words]


def _begins(symbols: Sequence[Symbol]) -> list[tuple[int, bool]]:
    """Where each symbol begins that is no space, and whether a word begins with it."""
    begins, at, first = [], 0, True
    for symbol, samples in symbols:
        if symbol == " ":
            first = True
        else:
            begins.append((at, first))
            first = False
        at += samples
    return begins
