"""The tokens that an answer is charged with.

Rule: what the last response already had counts as cached, in whole blocks.
"""

from typing import Final

from components.practice.engine.items import Tokens
from components.practice.engine.response import Response, Usage

CACHE_BLOCK: Final = 64
"""Tokens are cached in blocks of this size."""


def usage_of(response: Response, before: Tokens) -> Usage:
    """The figures of `response.done`; `before` is what the last response already had."""
    given, made = response.input_tokens(), response.output_tokens()
    cached = Tokens(
        _cached(before.text, given.text),
        _cached(before.audio, given.audio),
        _cached(before.image, given.image),
    )
    return {
        "total_tokens": given.total + made.total,
        "input_tokens": given.total,
        "output_tokens": made.total,
        "input_token_details": {
            **_by_kind(given),
            "cached_tokens": cached.total,
            "cached_tokens_details": _by_kind(cached),
        },
        "output_token_details": {"text_tokens": made.text, "audio_tokens": made.audio},
    }


def _cached(before: int, now: int) -> int:
    return min(before, now) // CACHE_BLOCK * CACHE_BLOCK


def _by_kind(tokens: Tokens) -> Usage:
    return {
        "text_tokens": tokens.text,
        "audio_tokens": tokens.audio,
        "image_tokens": tokens.image,
    }
