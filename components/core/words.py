"""Which words of a text lie within its first characters.

Rule: a word is shown whole or not at all, and what was shown once stays. Looking costs the same
however long the text is, as it happens many times a second.
"""

from typing import Final

LONGEST_WORD: Final = 50
"""Characters without a space beyond which a text is taken for one that uses none."""


def heard_words(text: str, characters: int) -> str:
    """The words of `text` that lie within its first `characters`; a word cut in two is left out."""
    heard = text[:characters]
    if heard == text or text[characters].isspace() or heard[-1:].isspace():
        return heard
    start = _last_word(heard)
    if start is not None:
        return heard[:start]
    if len(heard) <= LONGEST_WORD and _has_space(text[: 2 * LONGEST_WORD]):
        return ""
    return heard  # some languages put no space between words


def _last_word(text: str) -> int | None:
    """Where the last word begins; None if no space shows it nearby."""
    for index in range(len(text) - 1, max(len(text) - 1 - LONGEST_WORD, -1), -1):
        if text[index].isspace():
            return index + 1
    return None


def _has_space(text: str) -> bool:
    return any(character.isspace() for character in text)
