"""What the tokens and the minutes of a conversation cost, in US dollars.

Rule: a price is known or there is none; nothing is guessed from a similar name, and what has no
known price is counted as unknown, never as free. What the provider bills in the end may differ.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlsplit

from components.protocol.usage import Usage

PRICES_AS_OF: Final = "2026-11-25"
"""The prices below are those that were published on this day."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What is known of a cost."""

    dollars: float = 0.0
    unknown: int = 0
    """Responses and transcriptions whose cost is not in `dollars`, or not wholly."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.dollars + other.dollars, self.unknown + other.unknown)


@dataclass(frozen=True, slots=True)
class _Prices:
    """US dollars for a million tokens."""

    text: float
    cached_text: float
    text_out: float
    audio: float
    cached_audio: float
    audio_out: float
    image: float
    cached_image: float


_LARGE: Final = _Prices(4.00, 0.40, 24.00, 32.00, 0.40, 64.00, 5.00, 0.50)
_OLDER: Final = _Prices(4.00, 0.40, 16.00, 32.00, 0.40, 64.00, 5.00, 0.50)
_MINI: Final = _Prices(0.60, 0.06, 2.40, 10.00, 0.30, 20.00, 0.80, 0.08)
_PRICES: Final[Mapping[str, _Prices]] = {
    "gpt-realtime-2.1": _LARGE,
    "gpt-realtime-2.1-mini": _MINI,
    "gpt-realtime-2": _LARGE,
    "gpt-realtime-1.5": _OLDER,
    "gpt-realtime": _OLDER,
    "gpt-realtime-mini": _MINI,
}
_MINUTE: Final[Mapping[str, float]] = {
    "gpt-transcribe": 0.0045,
    "gpt-live-transcribe": 0.017,
    "gpt-realtime-whisper": 0.017,
    "whisper-1": 0.006,
    "gpt-4o-transcribe": 0.006,
    "gpt-4o-mini-transcribe": 0.003,
}
"""US dollars for a minute of transcribed sound."""
_TRANSCRIPTION_TOKENS: Final[Mapping[str, tuple[float, float, float]]] = {
    "gpt-4o-transcribe": (2.50, 6.00, 10.00),
    "gpt-4o-mini-transcribe": (1.25, 3.00, 5.00),
}
"""US dollars for a million tokens of text in, sound in and text out, where those are billed."""
_DATE: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def has_price(model: str) -> bool:
    """Whether somebody has named us what a model costs; its date does not matter."""
    return _DATE.sub("", model) in _PRICES


def cost(usage: Usage, model: str, transcription_model: str, surcharge: float = 1.0) -> Cost | None:
    """What was used, all of it by these two models; None if nobody has named us the first's price.

    A dated name costs what the model without its date does. `surcharge` is what the prices are
    multiplied by, as `surcharge_at` says it.
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
        (usage.input_image - usage.cached_image, prices.image),
        (usage.cached_image, prices.cached_image),
    )
    transcription = _transcription(usage, _DATE.sub("", transcription_model))
    dollars = _dollars(tokens) + transcription.dollars
    return Cost(dollars * surcharge, usage.unreported + transcription.unknown)


def price_table(surcharge: float = 1.0) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Every known price in US dollars, by kind of model and by model, as a page shows it.

    `minute` is for a minute of sound, all else for a million tokens.
    """
    transcription: dict[str, dict[str, float]] = {}
    for model, minute in _MINUTE.items():
        tokens = _TRANSCRIPTION_TOKENS.get(model, ())
        named = dict(zip(("text", "audio", "text_out"), tokens, strict=False))
        transcription[model] = {"minute": minute, **named}
    kinds = {
        "models": {model: asdict(prices) for model, prices in _PRICES.items()},
        "transcription": transcription,
    }
    return {
        kind: {
            model: {name: round(price * surcharge, 6) for name, price in prices.items()}
            for model, prices in models.items()
        }
        for kind, models in kinds.items()
    }


def surcharge_at(base_url: str) -> float:
    """What the prices are multiplied by on this server.

    Azure's data zones cost a tenth more, and no address tells them from its other places, so all of
    Azure counts as dear.
    """
    return 1.1 if (urlsplit(base_url).hostname or "").endswith(".openai.azure.com") else 1.0


def _transcription(usage: Usage, model: str) -> Cost:
    """What is billed by time and by tokens, each as far as the model has a price for it."""
    dollars, unknown = 0.0, 0
    if usage.transcription_s:
        unknown += model not in _MINUTE
        dollars += usage.transcription_s / 60 * _MINUTE.get(model, 0.0)
    counts = (usage.transcription_text, usage.transcription_audio, usage.transcription_output)
    if any(counts):
        unknown += model not in _TRANSCRIPTION_TOKENS
        prices = _TRANSCRIPTION_TOKENS.get(model, (0.0, 0.0, 0.0))
        dollars += _dollars(zip(counts, prices, strict=True))
    return Cost(dollars, unknown)


def _dollars(tokens: Iterable[tuple[int, float]]) -> float:
    return sum(count * price for count, price in tokens) / 1_000_000
