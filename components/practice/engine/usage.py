"""The tokens that an answer is charged with.

Rule: what the last response already had counts as cached, in whole blocks.
"""

from typing import Final

from components.practice.engine.response import Response, Usage

CACHE_BLOCK: Final = 64
"""Tokens are cached in blocks of this size."""


def usage_of(response: Response, cached: tuple[int, int]) -> Usage:
    """The figures of `response.done`; `cached` is what the last response already had, by kind."""
    text_in, audio_in = response.input_tokens()
    text_out, audio_out = response.output_tokens()
    cached_text, cached_audio = (
        min(old, new) // CACHE_BLOCK * CACHE_BLOCK
        for old, new in zip(cached, (text_in, audio_in), strict=True)
    )
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": cached_text + cached_audio,
            "cached_tokens_details": {
                "text_tokens": cached_text,
                "audio_tokens": cached_audio,
                "image_tokens": 0,
            },
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }
