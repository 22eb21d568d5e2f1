"""How many tokens a conversation has used, by the server's own account.

Rule: what is no plain count is counted as none. The figures come from a server and end in a price,
so none is ever negative, endless or more than one response could use.
"""

from dataclasses import astuple, dataclass
from typing import Final

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
    output_text: int = 0
    """Reasoning counts here too."""
    output_audio: int = 0
    transcription_input: int = 0
    """Tokens of sound, where the transcription model is billed by tokens."""
    transcription_output: int = 0
    transcription_s: float = 0.0
    """Seconds of sound, where it is billed by time."""

    def __add__(self, other: "Usage") -> "Usage":
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Usage(*(one + another for one, another in pairs))


def usage_of_response(report: Json) -> Usage:
    """What a `response.done` reports in `response.usage`."""
    given = at(report, "input_token_details")
    text, audio = _split(given, _count(report, "input_tokens"))
    cached_text, cached_audio = _split(
        at(given, "cached_tokens_details"), _count(given, "cached_tokens")
    )
    output_text, output_audio = _split(
        at(report, "output_token_details"), _count(report, "output_tokens")
    )
    return Usage(
        input_text=text,
        input_audio=audio,
        cached_text=min(cached_text, text),
        cached_audio=min(cached_audio, audio),
        output_text=output_text,
        output_audio=output_audio,
    )


def usage_of_transcription(report: Json) -> Usage:
    """What a completed transcription reports in `usage`: tokens, or seconds of sound."""
    return Usage(
        transcription_input=_count(report, "input_tokens"),
        transcription_output=_count(report, "output_tokens"),
        transcription_s=_seconds(report),
    )


def _split(details: Json, total: int) -> tuple[int, int]:
    """Tokens of text and of audio; what a total has beyond the audio, or no detail, is text."""
    audio = _count(details, "audio_tokens")
    return max(_count(details, "text_tokens"), total - audio), audio


def _count(report: Json, name: str) -> int:
    value = report.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return min(max(value, 0), MOST_TOKENS)


def _seconds(report: Json) -> float:
    value = report.get("seconds")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    return float(min(value, MOST_SECONDS)) if value > 0 else 0.0  # 0 for NaN, too
