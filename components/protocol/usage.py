"""How many tokens a conversation has used, by the server's own account.

Rule: what is no plain count is counted as none, and a report without any figure as unreported. The
figures come from a server and end in a price, so none is ever negative, endless or more than one
response could use.
"""

from dataclasses import astuple, dataclass
from typing import Final, TypeGuard

from components.protocol.fields import Json, at

MOST_TOKENS: Final = 10_000_000
"""In one event; a figure beyond is a broken server's, and cut down to this."""
MOST_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of responses and of transcriptions, which are billed apart."""

    input_text: int = 0
    input_audio: int = 0
    cached_text: int = 0
    """Of `input_text`: what the server still knew, and bills at a lower price."""
    cached_audio: int = 0
    """Of `input_audio`, likewise."""
    input_image: int = 0
    cached_image: int = 0
    """Of `input_image`, likewise."""
    output_text: int = 0
    """Reasoning counts here too."""
    output_audio: int = 0
    transcription_text: int = 0
    """Tokens of the prompt, where the transcription model is billed by tokens."""
    transcription_audio: int = 0
    """Tokens of sound, likewise."""
    transcription_output: int = 0
    transcription_s: float = 0.0
    """Seconds of sound, where it is billed by time."""
    unreported: int = 0
    """Responses and transcriptions that ended without a figure: `usage` was null or missing."""

    def __add__(self, other: "Usage") -> "Usage":
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Usage(*(one + another for one, another in pairs))


def usage_of_response(report: Json) -> Usage:
    """What a `response.done` reports in `response.usage`."""
    given, made = at(report, "input_token_details"), at(report, "output_token_details")
    if not (_has_count(report) or _has_count(given) or _has_count(made)):
        return Usage(unreported=1)
    audio, image = _count(given, "audio_tokens"), _count(given, "image_tokens")
    text = _rest(given, _count(report, "input_tokens") - audio - image)
    cached = at(given, "cached_tokens_details")
    cached_audio, cached_image = _count(cached, "audio_tokens"), _count(cached, "image_tokens")
    cached_text = _rest(cached, _count(given, "cached_tokens") - cached_audio - cached_image)
    output_audio = _count(made, "audio_tokens")
    return Usage(
        input_text=text,
        input_audio=audio,
        input_image=image,
        cached_text=min(cached_text, text),
        cached_audio=min(cached_audio, audio),
        cached_image=min(cached_image, image),
        output_text=_rest(made, _count(report, "output_tokens") - output_audio),
        output_audio=output_audio,
    )


def usage_of_transcription(report: Json) -> Usage:
    """What a completed transcription reports in `usage`: tokens, or seconds of sound.

    Tokens without details are of sound.
    """
    seconds = _seconds(report)
    if seconds is None and not _has_count(report):
        return Usage(unreported=1)
    text = _count(at(report, "input_token_details"), "text_tokens")
    return Usage(
        transcription_text=text,
        transcription_audio=max(_count(report, "input_tokens") - text, 0),
        transcription_output=_count(report, "output_tokens"),
        transcription_s=seconds or 0.0,
    )


def _rest(details: Json, beyond: int) -> int:
    """Tokens of text: what a total has beyond the other kinds, or no detail, is text."""
    return max(_count(details, "text_tokens"), beyond)


def _has_count(report: Json) -> bool:
    return any(_is_count(report.get(name)) for name in _COUNTS)


_COUNTS: Final = (
    *("input_tokens", "output_tokens", "total_tokens"),
    *("text_tokens", "audio_tokens", "image_tokens"),
)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _count(report: Json, name: str) -> int:
    value = report.get(name)
    return min(value, MOST_TOKENS) if _is_count(value) else 0


def _seconds(report: Json) -> float | None:
    """None if there is no plain figure."""
    value = report.get("seconds")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(min(value, MOST_SECONDS)) if value >= 0 else None  # None for NaN, too
