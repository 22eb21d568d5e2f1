"""What a conversation costs, against the published prices."""

import pytest

from components.protocol.prices import Cost, cost, has_price, price_table, surcharge_at
from components.protocol.usage import Usage, usage_of_response, usage_of_transcription

MINUTE_OF_USER = 600
MINUTE_OF_ASSISTANT = 1200
"""Tokens of audio."""


def figures(cost: Cost | None) -> tuple[float, int]:
    """Dollars, and how many reports are unknown."""
    assert cost is not None
    return round(cost.dollars, 9), cost.unknown


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
        (Usage(output_text=1_000_000), "gpt-realtime", 16.00),
        (Usage(output_audio=1_000_000), "gpt-realtime-mini", 20.00),
        (Usage(input_image=1_000_000), "gpt-realtime-2.1", 5.00),
        (Usage(input_image=1_000_000, cached_image=1_000_000), "gpt-realtime", 0.50),
        (Usage(input_image=1_000_000), "gpt-realtime-2.1-mini", 0.80),
        (Usage(input_image=1_000_000, cached_image=1_000_000), "gpt-realtime-mini", 0.08),
        (Usage(), "gpt-realtime-2.1", 0.0),
    ],
)
def test_every_kind_of_token_has_its_price(usage, model, dollars):
    assert figures(cost(usage, model, "")) == (dollars, 0)


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
    whole = cost(usage_of_response(report), "gpt-realtime-2.1", "gpt-transcribe")
    assert figures(whole) == (round(parts / 1_000_000, 9), 0)


@pytest.mark.parametrize(
    ("model", "a_minute"),
    [
        ("gpt-transcribe", 0.0045),
        ("gpt-live-transcribe", 0.017),
        ("gpt-realtime-whisper", 0.017),
        ("whisper-1", 0.006),
        ("gpt-4o-transcribe", 0.006),
        ("gpt-4o-mini-transcribe", 0.003),
        ("gpt-4o-mini-transcribe-2025-12-15", 0.003),
    ],
)
def test_a_minute_of_transcription_costs_what_its_model_does(model, a_minute):
    usage = usage_of_transcription({"type": "duration", "seconds": 60})

    assert figures(cost(usage, "gpt-realtime-2.1", model)) == (a_minute, 0)


@pytest.mark.parametrize(
    ("model", "dollars"), [("gpt-4o-transcribe", 18.50), ("gpt-4o-mini-transcribe", 9.25)]
)
def test_transcription_that_reports_tokens_costs_its_tokens(model, dollars):
    details = {"text_tokens": 1_000_000, "audio_tokens": 1_000_000}
    report = {"input_tokens": 2_000_000, "output_tokens": 1_000_000, "input_token_details": details}

    usage = usage_of_transcription({"type": "tokens", **report})
    assert figures(cost(usage, "gpt-realtime-2.1", model)) == (dollars, 0)


@pytest.mark.parametrize(
    ("report", "model"),
    [
        ({"seconds": 60}, "somebody-elses"),
        ({"seconds": 60}, ""),
        ({"input_tokens": 60, "output_tokens": 9}, "gpt-transcribe"),
        ({}, "gpt-transcribe"),
    ],
)
def test_transcription_without_a_price_or_a_report_is_unknown_and_not_free(report, model):
    assert cost(usage_of_transcription(report), "gpt-realtime-2.1", model) == Cost(0.0, unknown=1)


def test_a_response_without_a_report_is_unknown_and_not_free():
    usage = usage_of_response({}) + Usage(output_audio=1_000_000)

    assert cost(usage, "gpt-realtime-2.1", "") == Cost(64.0, unknown=1)


@pytest.mark.parametrize(
    ("base_url", "dollars"),
    [
        ("https://api.openai.com/v1", 64.0),
        ("https://mine.openai.azure.com/openai/v1", 70.4),
        ("http://azure.example/v1", 64.0),
        ("", 64.0),
    ],
)
def test_azure_counts_as_its_data_zones_do(base_url, dollars):
    whole = cost(Usage(output_audio=1_000_000), "gpt-realtime-2.1", "", surcharge_at(base_url))

    assert figures(whole) == (dollars, 0)


@pytest.mark.parametrize(
    ("model", "same_as"),
    [
        ("gpt-realtime-2.1-2026-07-07", "gpt-realtime-2.1"),
        ("gpt-realtime-2.1-mini-2026-07-07", "gpt-realtime-2.1-mini"),
        ("gpt-realtime-1.5-2026-02-23", "gpt-realtime-1.5"),
        ("gpt-realtime-2025-08-28", "gpt-realtime"),
        ("gpt-realtime-mini-2025-12-15", "gpt-realtime-mini"),
    ],
)
def test_a_date_behind_the_name_changes_no_price(model, same_as):
    usage = Usage(input_text=1000, output_text=1000, output_audio=1000)

    assert figures(cost(usage, model, "")) > (0, 0)
    assert cost(usage, model, "") == cost(usage, same_as, "")
    assert has_price(model)


@pytest.mark.parametrize(
    "model",
    ["practice-engine", "gpt-realtime-3", "gpt-realtime-2.1-nano", "2.1", ""],
)
def test_what_has_no_known_price_has_none(model):
    assert cost(Usage(output_audio=1000), model, "gpt-transcribe") is None
    assert not has_price(model)


def test_the_table_of_prices_is_what_is_counted_with():
    table = price_table()
    for model, prices in table["models"].items():
        for field, name in FIELDS.items():
            used = Usage(**{field: 1_000_000, **ALL_CACHED.get(field, {})})
            assert figures(cost(used, model, "")) == (prices[name], 0)
    for model, prices in table["transcription"].items():
        assert figures(cost(Usage(transcription_s=60), "gpt-realtime", model)) == (
            prices["minute"],
            0,
        )
        tokens = Usage(transcription_text=10**6, transcription_audio=10**6)
        known = figures(cost(tokens, "gpt-realtime", model))
        assert known == (prices.get("text", 0) + prices.get("audio", 0), "text" not in prices)


def test_the_table_of_a_dear_server_is_dear():
    assert price_table(1.1)["models"]["gpt-realtime"]["text"] == 4.4
    assert price_table(1.1)["transcription"]["whisper-1"]["minute"] == 0.0066


FIELDS = {
    "input_text": "text",
    "cached_text": "cached_text",
    "output_text": "text_out",
    "input_audio": "audio",
    "cached_audio": "cached_audio",
    "output_audio": "audio_out",
    "input_image": "image",
    "cached_image": "cached_image",
}
ALL_CACHED = {
    "cached_text": {"input_text": 1_000_000},
    "cached_audio": {"input_audio": 1_000_000},
    "cached_image": {"input_image": 1_000_000},
}
