"""What the tables of the API say of failures, and what compatible servers make of them."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.protocol.errors import MOST_READ, server_error
from components.protocol.failures import (
    OUR_FAULT,
    Severity,
    class_of,
    failure_of_close,
    failure_of_error,
    failure_of_own_close,
    failure_of_status,
    safe,
    without_keys,
)

PERMANENT, TRANSIENT, BENIGN, NOTICE = Severity


def judged(error):
    """The failure of an error object as it is received."""
    return failure_of_error(server_error(error))


@pytest.mark.parametrize(
    ("code", "severity", "words"),
    [
        ("invalid_api_key", PERMANENT, "OPENAI_API_KEY"),
        ("account_deactivated", PERMANENT, "closed"),
        ("beta_api_shape_disabled", PERMANENT, "REALTIME_BASE_URL"),
        ("missing_model", PERMANENT, "REALTIME_MODEL"),
        ("invalid_model", PERMANENT, "REALTIME_MODEL"),
        ("model_not_found", PERMANENT, "REALTIME_MODEL"),
        ("model_load_error", PERMANENT, "server's own log"),
        ("insufficient_quota", PERMANENT, "credit"),
        ("credit_balance_exhausted", PERMANENT, "credit"),
        ("billing_hard_limit_reached", PERMANENT, "credit"),
        ("session_limit_reached", TRANSIENT, "no room"),
        ("session_expired", TRANSIENT, "time limit"),
        ("rate_limit_exceeded", TRANSIENT, "too many requests"),
        ("rate_limit_error", TRANSIENT, "too many requests"),
        ("inference_rate_limit_exceeded", TRANSIENT, "too many requests"),
        ("server_error", TRANSIENT, "Say it again"),
        ("internal_error", TRANSIENT, "Say it again"),
        ("internal_server_error", TRANSIENT, "Say it again"),
        ("overloaded", TRANSIENT, "overloaded"),
        ("overloaded_error", TRANSIENT, "overloaded"),
        ("engine_overloaded", TRANSIENT, "overloaded"),
        ("service_unavailable", TRANSIENT, "overloaded"),
        ("timeout", TRANSIENT, "too long"),
        ("timeout_error", TRANSIENT, "too long"),
        ("request_timeout", TRANSIENT, "too long"),
        ("authentication_error", PERMANENT, "OPENAI_API_KEY"),
        ("invalid_authentication", PERMANENT, "OPENAI_API_KEY"),
        ("unauthorized", PERMANENT, "OPENAI_API_KEY"),
        ("permission_error", PERMANENT, "REALTIME_MODEL"),
        ("unsupported_country_region_territory", PERMANENT, "country"),
        ("call_id_not_found", PERMANENT, "Start a new one"),
        ("response_cancel_not_active", BENIGN, ""),
        ("conversation_already_has_active_response", BENIGN, ""),
        ("input_audio_buffer_commit_empty", BENIGN, ""),
    ],
)
def test_a_known_code_decides_and_stands_in_for_a_type_where_a_server_has_none(
    code, severity, words
):
    by_code = judged({"type": "invalid_request_error", "code": code, "message": "?"})
    by_type = judged({"type": code, "code": None, "message": "?"})
    only_type = judged({"type": code})

    assert by_code.severity is severity
    assert words in by_code.sentence
    assert by_type == only_type == by_code


@pytest.mark.parametrize(
    "error",
    [
        {"code": "item_retrieve_invalid_item_id", "message": "Item not found"},
        {"code": "item_truncate_invalid_item_id", "message": "Item not found"},
        {"code": "item_delete_invalid_item_id", "message": "Item not found"},
        {"message": "Cancellation failed: no active response found"},
        {"message": "Conversation already has an active response in progress: resp_1."},
        {"message": "Audio content of 1200ms is already shorter than 1500ms"},
        {"message": "Only model output audio messages can be truncated"},
        {"message": "Error committing input audio buffer: buffer too small. Expected 100ms"},
    ],
)
def test_races_that_harm_nobody_are_known_by_their_words(error):
    assert judged(error).severity is BENIGN
    assert judged({"type": "invalid_request_error", **error}).severity is BENIGN


@pytest.mark.parametrize(
    ("message", "severity", "words"),
    [
        ("You exceeded your current quota, please check your plan.", PERMANENT, "credit"),
        ("Insufficient balance.", PERMANENT, "credit"),
        ("Incorrect API key provided: abc.", PERMANENT, "OPENAI_API_KEY"),
        ("invalid api_key", PERMANENT, "OPENAI_API_KEY"),
        ("Rate limit reached for requests", TRANSIENT, "too many requests"),
        ("Too Many Requests", TRANSIENT, "too many requests"),
        ("The engine is currently overloaded", TRANSIENT, "overloaded"),
        ("temporarily unavailable", TRANSIENT, "overloaded"),
        ("Request timed out.", TRANSIENT, "too long"),
        ("Gateway Timeout", TRANSIENT, "too long"),
        ("Invalid value for idle_timeout_ms", NOTICE, "idle_timeout_ms"),
        ("Unknown parameter: 'session.truncation'", NOTICE, "session.truncation"),
    ],
)
def test_words_decide_where_a_server_has_no_codes(message, severity, words):
    failure = judged({"message": message})

    assert failure.severity is severity
    assert words in failure.sentence
    assert judged({"message": message, "code": "server_error"}).severity is TRANSIENT


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            {"type": "invalid_request_error", "code": "invalid_value", "message": "Bad  voice."},
            "The server reports: Bad voice.",
        ),
        ({"code": "cannot_update_voice", "message": ""}, "The server reports: cannot_update_voice"),
        ({"type": "unknown_or_invalid_event"}, "The server reports: unknown_or_invalid_event"),
        ({"code": 42, "type": ["x"], "message": None}, "The server reports: an error"),
        ({}, "The server reports: an error"),
        ({"message": "Wrong key sk-abc123"}, "The server reports: Wrong key (key)"),
        ({"code": "x_item_delete_invalid_item_id"}, "The server reports: x_item_delete_invalid_"),
    ],
)
def test_any_other_error_is_shown_in_the_server_s_words(error, sentence):
    failure = judged(error)

    assert failure.severity is NOTICE
    assert failure.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("code", "reason", "severity", "words"),
    [
        (3000, "invalid_request_error.invalid_api_key", PERMANENT, "OPENAI_API_KEY"),
        (4000, "invalid_request_error.beta_api_shape_disabled", PERMANENT, "REALTIME_BASE_URL"),
        (4000, "invalid_request_error.missing_model", PERMANENT, "REALTIME_MODEL"),
        (4000, "invalid_request_error.invalid_model", PERMANENT, "REALTIME_MODEL"),
        (4004, "invalid_request_error.model_not_found", PERMANENT, "REALTIME_MODEL"),
        (1000, "invalid_request_error.session_expired", TRANSIENT, "time limit"),
        (1000, "session_expired", TRANSIENT, "time limit"),
        (1008, "session_limit_reached", TRANSIENT, "no room"),
        (1011, "insufficient_quota.insufficient_quota", PERMANENT, "credit"),
        (3000, "", PERMANENT, "refused the call: close code 3000. Check"),
        (4000, "some reason", PERMANENT, "refused the call: some reason."),
        (4004, "", PERMANENT, "refused the call: close code 4004. Check"),
        (1008, "pool is full", PERMANENT, "refused the call: pool is full."),
        (1008, "", PERMANENT, "refused the call: close code 1008. Check"),
        (1008, "unauthorized", PERMANENT, "OPENAI_API_KEY"),
        (1008, "Request timed out", TRANSIENT, "lost (1008)"),
        (3000, "overloaded_error.overloaded", TRANSIENT, "lost (3000)"),
        (1000, "You exceeded your current quota", PERMANENT, "credit"),
        (3000, "server_error.", TRANSIENT, "lost (3000)"),
        (1013, "rate_limit_error.rate_limit_exceeded", TRANSIENT, "too many requests"),
        (1008, "bad key sk-abc", PERMANENT, "bad key (key)."),
        (1009, "", TRANSIENT, "shorter"),
        *(
            (code, "", TRANSIENT, f"lost ({code}). Start the call again.")
            for code in (1000, 1001, 1005, 1006, 1011, 1012, 1013, 1015, 4999)
        ),
    ],
)
def test_a_close_is_judged_by_its_reason_then_its_code(code, reason, severity, words):
    failure = failure_of_close(code, reason)

    assert failure.severity is severity
    assert words in failure.sentence


def test_a_close_that_names_nothing_is_judged_by_its_code():
    assert "close code 4000. Check" in failure_of_close(4000, ".").sentence


@pytest.mark.parametrize(
    "reason", ["server_error.server_error", "x.input_audio_buffer_commit_empty", "server_error"]
)
def test_no_close_advises_to_go_on(reason):
    """Once the socket is closed, `Say it again` or silence would mislead."""
    assert failure_of_close(1011, reason) == failure_of_close(1011, "")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1009, "too large for a call. Check REALTIME_BASE_URL"),
        (1002, "rules of WebSocket (1002). Check REALTIME_BASE_URL"),
        (1007, "rules of WebSocket (1007). Check REALTIME_BASE_URL"),
        (1008, "rules of WebSocket (1008). Check REALTIME_BASE_URL"),
        (1011, "lost (1011). Start the call again"),
        (1000, "lost (1000). Start the call again"),
    ],
)
def test_a_close_of_our_own_tells_what_the_server_did(code, words):
    failure = failure_of_own_close(code)

    assert failure.severity is TRANSIENT
    assert words in failure.sentence


@pytest.mark.parametrize(
    ("status", "severity", "words"),
    [
        (402, PERMANENT, "credit"),
        (408, TRANSIENT, "too long"),
        (401, PERMANENT, "OPENAI_API_KEY"),
        (403, PERMANENT, "OPENAI_API_KEY"),
        (404, PERMANENT, "no Realtime API at this address (HTTP 404)"),
        (400, PERMANENT, "no Realtime API at this address (HTTP 400)"),
        (200, PERMANENT, "REALTIME_BASE_URL and REALTIME_MODEL"),
        (429, TRANSIENT, "too many requests"),
        (500, TRANSIENT, "HTTP 500"),
        (503, TRANSIENT, "HTTP 503"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"error"',
        b"{}",
        b'{"error":"insufficient_quota"}',
        b'{"error":{"code":"unheard_of"}}',
    ],
)
def test_a_refused_handshake_is_judged_by_its_status(status, severity, words, body):
    failure = failure_of_status(status, body)

    assert failure.severity is severity
    assert words in failure.sentence


@pytest.mark.parametrize(
    ("status", "code", "severity", "words"),
    [
        (429, "insufficient_quota", PERMANENT, "credit"),
        (404, "model_not_found", PERMANENT, "REALTIME_MODEL"),
        (403, "model_not_found", PERMANENT, "REALTIME_MODEL"),
        (503, "session_limit_reached", TRANSIENT, "no room"),
        (404, "call_id_not_found", PERMANENT, "Start a new one"),
        (403, "unsupported_country_region_territory", PERMANENT, "country"),
        (429, "overloaded", TRANSIENT, "too many requests"),
        (503, "overloaded", TRANSIENT, "HTTP 503"),
        (400, "server_error", TRANSIENT, "HTTP 400"),
        (400, "invalid_value", PERMANENT, "refused the call (HTTP 400): No (key) here. Check"),
    ],
)
def test_the_body_of_a_refused_handshake_may_say_more(status, code, severity, words):
    error = {"message": "No sk-123 here", "code": code, "type": "x", "param": None}
    body = orjson.dumps({"error": error})

    failure = failure_of_status(status, body)

    assert failure.severity is severity
    assert words in failure.sentence


def test_who_counts_failures_gets_a_word_for_each():
    assert class_of(OUR_FAULT) == "app"
    assert class_of(failure_of_status(401)) == "key"
    assert class_of(failure_of_status(429)) == "busy"
    assert class_of(failure_of_status(500)) == "other"


def test_only_the_beginning_of_a_server_s_words_is_looked_at():
    assert judged({"message": "x" * MOST_READ + " Rate limit reached"}).severity is NOTICE


def test_a_refusal_without_a_code_is_known_by_its_type():
    body = b'{"error":{"type":"insufficient_quota","code":null,"message":"?"}}'

    assert "credit" in failure_of_status(429, body).sentence


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: sk-proj-Ab_12***wxYZ.", "Incorrect API key provided: (key)"),
        ("ek_68af, then sk_live_1 and 'sk-1'", "(key), then (key) and '(key)'"),
        ("the task-force asks; risk_1 and sky", "the task-force asks; risk_1 and sky"),
        ("  two\n\nlines\tand a tab ", "two lines and a tab"),
        ("a\x1b[31mred\x00\u202eevil", "a[31mredevil"),
        ("naïve 日本 \N{GRINNING FACE}", "naïve 日本 \N{GRINNING FACE}"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        ("x" * 20_000_000, "x" * 299 + "…"),
        ("", ""),
    ],
)
def test_a_server_s_words_are_made_safe(text, shown):
    assert safe(text) == shown


def test_keys_are_taken_out_of_text_that_otherwise_stays_as_it_is():
    assert without_keys("a\n  sk-123 " + "x" * 400) == "a\n  (key) " + "x" * 400


@given(st.text())
def test_a_server_s_words_are_always_one_short_printable_line(text):
    shown = safe(text)

    assert len(shown) <= 300
    assert shown.isprintable()
