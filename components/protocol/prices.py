"""What the tokens of a conversation cost, in US dollars.

Rule: a price is known or there is none; nothing is guessed from a similar name. The prices are
those that OpenAI published by 2026-11-22. What the provider bills in the end may differ.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.protocol.usage import Usage


@dataclass(frozen=True, slots=True)
class _Prices:
    """US dollars for a million tokens."""

    text: float
    cached_text: float
    text_out: float
    audio: float
    cached_audio: float
    audio_out: float


_FULL: Final = _Prices(4.00, 0.40, 24.00, 32.00, 0.40, 64.00)
_PRICES: Final[Mapping[str, _Prices]] = {
    "gpt-realtime-2.1": _FULL,
    "gpt-realtime-2": _FULL,
    "gpt-realtime-1.5": _Prices(4.00, 0.40, 16.00, 32.00, 0.40, 64.00),
    "gpt-realtime-2.1-mini": _Prices(0.60, 0.06, 2.40, 10.00, 0.30, 20.00),
}
_TRANSCRIPTION_PER_MINUTE: Final = 0.017
"""Of the one transcription model that is billed by time, `gpt-realtime-whisper`."""
_DATE: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def cost(usage: Usage, model: str) -> float | None:
    """US dollars so far; None where nobody has named us the model's price.

    A dated name costs what the model without its date does. Transcription that is billed by tokens
    has no published price and is left out; what it adds is small beside the rest.
    """
    prices = _PRICES.get(_DATE.sub("", model))
    if prices is None:
        return None
    tokens = (
        (usage.input_text - usage.cached_text, prices.text),
        (usage.cached_text, prices.cached_text),
        (usage.output_text, prices.text_out),
        (usage.input_audio - usage.cached_audio, prices.audio),
        (usage.cached_audio, prices.cached_audio),
        (usage.output_audio, prices.audio_out),
    )
    responses = sum(count * price for count, price in tokens) / 1_000_000
    return responses + usage.transcription_s / 60 * _TRANSCRIPTION_PER_MINUTE
