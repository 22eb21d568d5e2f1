"""What a conversation costs, against the published prices."""

import pytest

from components.protocol.prices import cost
from components.protocol.usage import Usage, usage_of_response

MINUTE_OF_USER = 600
MINUTE_OF_ASSISTANT = 1200
"""Tokens of audio."""


@pytest.mark.parametrize(
    ("usage", "model", "dollars"),
    [
        # The minutes that the provider's own guide works out.
        (Usage(input_audio=MINUTE_OF_USER), "gpt-realtime-2.1", 0.0192),
        (Usage(output_audio=MINUTE_OF_ASSISTANT), "gpt-realtime-2.1", 0.0768),
        (Usage(input_audio=MINUTE_OF_USER), "gpt-realtime-2.1-mini", 0.006),
        (Usage(output_audio=MINUTE_OF_ASSISTANT), "gpt-realtime-2.1-mini", 0.024),
        # Each kind of token alone.
        (Usage(input_text=1_000_000), "gpt-realtime-2", 4.00),
        (Usage(output_text=1_000_000), "gpt-realtime-2", 24.00),
        (Usage(output_text=1_000_000), "gpt-realtime-1.5", 16.00),
        (Usage(output_text=1_000_000), "gpt-realtime-2.1-mini", 2.40),
        (Usage(input_text=1_000_000, cached_text=1_000_000), "gpt-realtime-2.1", 0.40),
        (Usage(input_audio=1_000_000, cached_audio=1_000_000), "gpt-realtime-2.1", 0.40),
        (Usage(input_audio=1_000_000, cached_audio=1_000_000), "gpt-realtime-2.1-mini", 0.30),
        (Usage(transcription_s=60.0), "gpt-realtime-2.1", 0.017),
        (Usage(), "gpt-realtime-2.1", 0.0),
    ],
)
def test_every_kind_of_token_has_its_price(usage, model, dollars):
    assert cost(usage, model) == pytest.approx(dollars)


def test_a_whole_response_costs_the_sum_of_its_parts():
    report = {
        "total_tokens": 150,
        "input_tokens": 110,
        "output_tokens": 40,
        "input_token_details": {
            "text_tokens": 90,
            "audio_tokens": 20,
            "cached_tokens": 64,
            "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0},
        },
        "output_token_details": {"text_tokens": 10, "audio_tokens": 30},
    }
    parts = 26 * 4.00 + 64 * 0.40 + 20 * 32.00 + 10 * 24.00 + 30 * 64.00
    assert cost(usage_of_response(report), "gpt-realtime-2.1") == pytest.approx(parts / 1_000_000)


@pytest.mark.parametrize(
    ("model", "same_as"),
    [
        ("gpt-realtime-2.1-2026-07-07", "gpt-realtime-2.1"),
        ("gpt-realtime-2.1-mini-2026-07-07", "gpt-realtime-2.1-mini"),
        ("gpt-realtime-1.5-2026-02-23", "gpt-realtime-1.5"),
    ],
)
def test_a_date_behind_the_name_changes_no_price(model, same_as):
    usage = Usage(input_text=1000, output_text=1000, output_audio=1000)

    assert cost(usage, model) == cost(usage, same_as)


@pytest.mark.parametrize(
    "model",
    ["practice-engine", "gpt-realtime", "gpt-realtime-mini", "gpt-realtime-2.1-nano", "2.1", ""],
)
def test_what_has_no_known_price_has_none(model):
    assert cost(Usage(output_audio=1000), model) is None
