"""What a conversation has used, from what the server reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.protocol.usage import (
    MOST_SECONDS,
    MOST_TOKENS,
    Usage,
    usage_of_response,
    usage_of_transcription,
)

REPORT = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "image_tokens": 0,
        "cached_tokens": 74,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 10, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}


def test_usage_of_a_response_is_told_apart_by_kind():
    assert usage_of_response(REPORT) == Usage(
        input_text=119,
        input_audio=13,
        cached_text=64,
        cached_audio=10,
        output_text=30,
        output_audio=91,
    )


def test_images_are_told_apart_and_are_no_text():
    details = {
        "text_tokens": 20,
        "audio_tokens": 13,
        "image_tokens": 99,
        "cached_tokens": 74,
        "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 10, "image_tokens": 64},
    }

    assert usage_of_response({"input_tokens": 132, "input_token_details": details}) == Usage(
        input_text=20, input_audio=13, input_image=99, cached_audio=10, cached_image=64
    )


def test_responses_add_up():
    once = usage_of_response(REPORT)
    twice = once + once

    assert (twice.input_text, twice.cached_audio, twice.output_audio) == (238, 20, 182)


def test_tokens_without_details_are_text():
    report = {"input_tokens": 50, "output_tokens": 7, "input_token_details": {"audio_tokens": 20}}

    assert usage_of_response(report) == Usage(input_text=30, input_audio=20, output_text=7)


def test_cached_tokens_without_details_are_text_and_never_more_than_there_was():
    details = {"text_tokens": 50, "audio_tokens": 20, "cached_tokens": 60}

    usage = usage_of_response({"input_token_details": details})

    assert (usage.cached_text, usage.cached_audio) == (50, 0)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            {"type": "tokens", "input_tokens": 26, "output_tokens": 9, "total_tokens": 35},
            Usage(transcription_audio=26, transcription_output=9),
        ),
        ({"type": "duration", "seconds": 4.5}, Usage(transcription_s=4.5)),
        ({"type": "duration", "seconds": 4}, Usage(transcription_s=4.0)),
        (
            {"input_tokens": 26, "output_tokens": 9, "input_token_details": {"text_tokens": 6}},
            Usage(transcription_text=6, transcription_audio=20, transcription_output=9),
        ),
        ({"seconds": 0}, Usage()),
        ({"type": "duration"}, Usage(unreported=1)),
        ({}, Usage(unreported=1)),
    ],
)
def test_transcription_counts_by_tokens_or_by_time(report, expected):
    assert usage_of_transcription(report) == expected


def test_all_kinds_of_usage_add_up():
    counts = range(1, len(Usage.__dataclass_fields__) + 1)

    assert Usage(*counts) + Usage(*counts) == Usage(*(2 * count for count in counts))
    assert Usage() + Usage(*counts) == Usage(*counts)


@pytest.mark.parametrize("odd", [-5, 1.5, True, "9", None, [9], {"a": 9}])
def test_what_is_no_count_counts_as_none(odd):
    assert usage_of_response({"input_tokens": odd}) == Usage(unreported=1)
    assert usage_of_response({"input_tokens": odd, "output_tokens": 0}) == Usage()


def test_a_response_that_reports_no_tokens_has_been_reported():
    nothing = {"total_tokens": 0, "input_tokens": 0, "output_tokens": 0}

    assert usage_of_response(nothing) == Usage()
    assert usage_of_response({}) == Usage(unreported=1)


@pytest.mark.parametrize("odd", [-0.5, True, "9", None, float("nan")])
def test_what_is_no_time_counts_as_none(odd):
    assert usage_of_transcription({"seconds": odd}) == Usage(unreported=1)


def test_absurd_figures_are_cut_down():
    assert usage_of_response({"output_tokens": 10**400}).output_text == MOST_TOKENS
    assert usage_of_transcription({"seconds": 10**400}).transcription_s == MOST_SECONDS


def reports(values):
    names = [
        *("seconds", "input_tokens", "output_tokens", "input_token_details", "text_tokens"),
        *("output_token_details", "audio_tokens", "cached_tokens", "cached_tokens_details"),
        "image_tokens",
    ]
    return st.dictionaries(st.sampled_from(names), values, max_size=6)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | reports(inner),
    max_leaves=20,
)


@given(reports(VALUES))
def test_whatever_a_server_reports_usage_only_grows_and_caching_stays_a_part(report):
    before = usage_of_response(REPORT)

    for used in (usage_of_response(report), usage_of_transcription(report)):
        after = before + used
        for name in Usage.__dataclass_fields__:
            assert getattr(after, name) >= getattr(before, name)
        assert after.cached_text <= after.input_text
        assert after.cached_audio <= after.input_audio
        assert after.cached_image <= after.input_image
