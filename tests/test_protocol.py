"""The words of the wire: the SDK judges what we send, the tables of the API what we understand."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audio import decode
from components.protocol import (
    MOST_READ,
    SessionOptions,
    Severity,
    append_audio,
    failure_of_close,
    failure_of_error,
    failure_of_own_close,
    failure_of_status,
    headers,
    parse,
    realtime_url,
    reason_of_error,
    relax,
    safe,
    session_update,
    truncate,
    user_text,
    without_keys,
)
from tests.wire import validate_client_event

OPTIONS = SessionOptions(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="Be kind.",
    turn_detection="server_vad",
    transcription_model="gpt-transcribe",
)
PERMANENT, TRANSIENT, BENIGN, NOTICE = Severity


# What we send.


def test_the_session_update_is_complete():
    assert session_update(OPTIONS, "settings_1") == {
        "type": "session.update",
        "event_id": "settings_1",
        "session": {
            "type": "realtime",
            "output_modalities": ["audio"],
            "instructions": "Be kind.",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24_000},
                    "noise_reduction": {"type": "far_field"},
                    "transcription": {"model": "gpt-transcribe"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.5,
                        "prefix_padding_ms": 300,
                        "silence_duration_ms": 500,
                        "create_response": True,
                        "interrupt_response": True,
                    },
                },
                "output": {
                    "format": {"type": "audio/pcm", "rate": 24_000},
                    "voice": "marin",
                    "speed": 1.0,
                },
            },
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "truncation": {
                "type": "retention_ratio",
                "retention_ratio": 0.8,
                "token_limits": {"post_instructions": 16_000},
            },
            "reasoning": {"effort": "low"},
        },
    }


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (
            "semantic_vad",
            {
                "type": "semantic_vad",
                "eagerness": "auto",
                "create_response": True,
                "interrupt_response": True,
            },
        ),
        ("push_to_talk", None),
    ],
)
def test_other_ways_to_end_a_turn(mode, expected):
    options = replace(OPTIONS, turn_detection=mode)

    assert session_update(options, "e")["session"]["audio"]["input"]["turn_detection"] == expected
    assert options.push_to_talk is (mode == "push_to_talk")
    assert not OPTIONS.push_to_talk


@pytest.mark.parametrize("turn_detection", ["server_vad", "semantic_vad", "push_to_talk"])
@pytest.mark.parametrize("transcription_model", ["gpt-transcribe", "whisper-1", None])
@pytest.mark.parametrize("noise_reduction", ["far_field", "near_field", None])
@pytest.mark.parametrize("model", ["gpt-realtime-2.1", "gpt-realtime"])
@pytest.mark.parametrize("retention_ratio", [True, False])
def test_every_session_update_is_one_of_the_api(
    turn_detection, transcription_model, noise_reduction, model, retention_ratio
):
    options = SessionOptions(
        model=model,
        voice="marin",
        instructions="",
        turn_detection=turn_detection,
        transcription_model=transcription_model,
        noise_reduction=noise_reduction,
        retention_ratio=retention_ratio,
    )

    validate_client_event(session_update(options, "settings_1"))


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ({"type": "session.update", "session": {"voice": "marin"}}, "validation error"),
        ({"type": "session.update", "session": {"type": "realtime", "voice": "x"}}, "voice"),
        ({"type": "session.updated", "session": {"type": "realtime"}}, "validation error"),
        ({"type": "response.cancel", "id": "1"}, "no id"),
        ({"type": "input_audio_buffer.append", "audio": 7}, "validation error"),
        (
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "hi", "colour": 1}],
                },
            },
            "item.content.colour",
        ),
    ],
)
def test_the_judge_refuses_what_the_api_would(event, what):
    with pytest.raises(ValueError, match=what):
        validate_client_event(event)


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("gpt-realtime-2", True),
        ("gpt-realtime-2.1", True),
        ("gpt-realtime-2.1-mini", True),
        ("gpt-realtime-2-preview", True),
        ("gpt-realtime-2025-08-28", False),
        ("gpt-realtime", False),
        ("gpt-realtime-mini", False),
        ("my-deployment", False),
    ],
)
def test_only_models_that_reason_are_asked_for_effort(model, reasons):
    session = session_update(replace(OPTIONS, model=model), "e")["session"]

    assert ("reasoning" in session) is reasons


def test_audio_a_typed_turn_and_a_truncate_are_events_of_the_api():
    text = append_audio(b"\x01\x02\xff\xfe")

    append = validate_client_event(text)
    said = validate_client_event(user_text("item_1", 'a "quote" and ü', "say_1"))
    cut = validate_client_event(truncate("item_2", 0, 1234, "cut_1"))

    assert decode(append.audio) == b"\x01\x02\xff\xfe"
    assert (said.item.id, said.item.role) == ("item_1", "user")
    assert said.item.content[0].text == 'a "quote" and ü'
    assert (cut.item_id, cut.content_index, cut.audio_end_ms) == ("item_2", 0, 1234)
    assert (said.event_id, cut.event_id) == ("say_1", "cut_1")


# What we ask for when something was refused.


def refusal(param, message="Invalid value."):
    return {"type": "invalid_request_error", "code": "x", "param": param, "message": message}


@pytest.mark.parametrize(
    ("refused", "tried"),
    [
        ("gpt-transcribe", ["gpt-realtime-whisper", "gpt-4o-mini-transcribe", None]),
        ("whisper-1", ["gpt-realtime-whisper", "gpt-4o-mini-transcribe", None]),
        ("gpt-realtime-whisper", ["gpt-4o-mini-transcribe", None]),
        ("gpt-4o-mini-transcribe", [None]),
    ],
)
def test_a_refused_transcription_model_is_replaced_and_at_last_left_out(refused, tried):
    options = replace(OPTIONS, transcription_model=refused)
    error = refusal("session.audio.input.transcription.model")
    seen = []
    while relaxed := relax(options, error):
        assert replace(relaxed, transcription_model=refused) == replace(
            options, transcription_model=refused
        )
        options = relaxed
        seen.append(options.transcription_model)

    assert seen == tried


@pytest.mark.parametrize(
    ("param", "left_out"),
    [
        ("session.reasoning", {"reasoning": False}),
        ("session.reasoning.effort", {"reasoning": False}),
        ("session.audio.input.noise_reduction", {"noise_reduction": None}),
        ("session.truncation.retention_ratio", {"retention_ratio": False}),
    ],
)
def test_a_refused_optional_block_is_left_out_once(param, left_out):
    for error in (refusal(param), refusal(None, f"Unknown parameter: '{param}'.")):
        relaxed = relax(OPTIONS, error)

        assert relaxed == replace(OPTIONS, **left_out)
    assert relax(relaxed, refusal(param)) is None


@pytest.mark.parametrize("param", ["session.audio.output.voice", "session.type"])
def test_what_is_not_optional_cannot_be_relaxed(param):
    assert relax(OPTIONS, refusal(param)) is None


@pytest.mark.parametrize("error", [refusal(None), {}])
def test_refusal_that_names_nothing_leaves_out_one_block_after_the_other(error):
    """The transcript, which is missed most, goes last, and its models are all tried before."""
    options, left_out = OPTIONS, []
    while relaxed := relax(options, error):
        left_out.append(
            [name for name in relaxed.__slots__ if getattr(relaxed, name) != getattr(options, name)]
        )
        options = relaxed

    assert left_out == [
        ["noise_reduction"],
        ["retention_ratio"],
        ["reasoning"],
        *[["transcription_model"]] * 3,
    ]
    assert options == replace(
        OPTIONS,
        transcription_model=None,
        noise_reduction=None,
        reasoning=False,
        retention_ratio=False,
    )


def test_refusal_that_names_nothing_leaves_out_nothing_that_was_not_asked_for():
    """An update that differs in nothing would be refused again, at the cost of a round trip."""
    options = replace(OPTIONS, model="gpt-realtime", noise_reduction=None, retention_ratio=False)

    relaxed = relax(options, {})

    assert relaxed == replace(options, transcription_model="gpt-realtime-whisper")


@given(st.lists(st.sampled_from(["transcription", "reasoning", "noise_reduction", "truncation"])))
def test_relaxing_ends_whatever_is_refused(params):
    options, times = OPTIONS, 0
    for param in params:
        if relaxed := relax(options, refusal(f"session.{param}")):
            options, times = relaxed, times + 1
            validate_client_event(session_update(options, "e"))

    assert times <= 6


# Where we connect.


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?model=m"),
        ("https://api.openai.com/v1/", "wss://api.openai.com/v1/realtime?model=m"),
        ("http://localhost:8080/v1", "ws://localhost:8080/v1/realtime?model=m"),
        ("ws://127.0.0.1:8765/v1/realtime", "ws://127.0.0.1:8765/v1/realtime?model=m"),
        ("wss://h/v1/realtime/", "wss://h/v1/realtime?model=m"),
        ("HTTPS://h/v1", "wss://h/v1/realtime?model=m"),
        ("ws://h", "ws://h/realtime?model=m"),
        ("ws://[::1]:9", "ws://[::1]:9/realtime?model=m"),
        ("wss://user:pass@h/v1", "wss://user:pass@h/v1/realtime?model=m"),
        ("wss://h/v1?key=1&b=2", "wss://h/v1/realtime?key=1&b=2&model=m"),
        ("wss://h/v1/realtime?model=other", "wss://h/v1/realtime?model=other"),
        ("wss://h/v1/realtime?a=1&model=other", "wss://h/v1/realtime?a=1&model=other"),
        ("wss://h/v1/realtime?submodel=x", "wss://h/v1/realtime?submodel=x&model=m"),
        ("wss://h/v1/realtime?call_id=rtc_1", "wss://h/v1/realtime?call_id=rtc_1"),
        ("wss://h/v1#part", "wss://h/v1/realtime?model=m"),
        (
            "https://r.openai.azure.com/openai/v1",
            "wss://r.openai.azure.com/openai/v1/realtime?model=m",
        ),
        (
            "https://r.openai.azure.com/openai/realtime?api-version=2025-04-01&deployment=d",
            "wss://r.openai.azure.com/openai/realtime?api-version=2025-04-01&deployment=d",
        ),
    ],
)
def test_every_usual_form_of_a_base_url_leads_to_its_socket(base_url, expected):
    assert realtime_url(base_url, "m") == expected


def test_a_model_s_name_is_quoted():
    assert realtime_url("ws://h", "a/b c&d=é").endswith("?model=a%2Fb%20c%26d%3D%C3%A9")


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        ("wss://api.openai.com/v1/realtime", "sk-1", {"Authorization": "Bearer sk-1"}),
        ("ws://127.0.0.1:8765/v1/realtime", "", {}),
        ("wss://r.openai.azure.com/openai/v1/realtime", "k", {"api-key": "k"}),
        ("wss://R.OpenAI.Azure.com/openai/v1/realtime", "k", {"api-key": "k"}),
        ("wss://openai.azure.com.evil.org/v1", "k", {"Authorization": "Bearer k"}),
        ("wss://evilopenai.azure.com/v1", "k", {"Authorization": "Bearer k"}),
        ("nonsense", "k", {"Authorization": "Bearer k"}),
    ],
)
def test_the_key_travels_as_the_server_expects_it(url, key, expected):
    assert headers(url, key) == expected


# What we understand.


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("response.text.delta", "response.output_text.delta"),
        ("response.text.done", "response.output_text.done"),
        ("response.audio.delta", "response.output_audio.delta"),
        ("response.audio.done", "response.output_audio.done"),
        ("response.audio_transcript.delta", "response.output_audio_transcript.delta"),
        ("response.audio_transcript.done", "response.output_audio_transcript.done"),
        ("conversation.item.created", "conversation.item.added"),
        ("response.output_audio.delta", "response.output_audio.delta"),
        ("response.done", "response.done"),
        ("ping", "ping"),
        ("", ""),
    ],
)
def test_old_names_become_new_ones_and_the_rest_stays(old, new):
    frame = orjson.dumps({"type": old, "delta": "x", "type_": old})

    for form in (frame, frame.decode()):
        assert parse(form) == {"type": new, "delta": "x", "type_": old}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "null",
        "7",
        "[]",
        '["type"]',
        '"type"',
        "{}",
        '{"type":null}',
        '{"type":7}',
        '{"type":["session.created"]}',
        '{"type":"error"',
        '{"type":"error"}{"type":"error"}',
        '{"type":"error","x":NaN}',
        '{"type":"\\ud800"}',
        "\ud800",
        b"\x00\x01\x02",
        b"\xff\xfe{}",
        b"",
        '{"type":"a","x":' + "[" * 100_000 + "]" * 100_000 + "}",
        "<html><body>Welcome</body></html>",
    ],
    ids=lambda frame: repr(frame[:20]),
)
def test_what_is_no_event_is_refused(frame):
    with pytest.raises(ValueError, match=r"\w"):
        parse(frame)


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none(), st.lists).map(orjson.dumps)))
def test_no_frame_breaks_the_reader(frame):
    try:
        event = parse(frame)
    except ValueError:
        return
    assert isinstance(event["type"], str)


# What failures mean.


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
    by_code = failure_of_error({"type": "invalid_request_error", "code": code, "message": "?"})
    by_type = failure_of_error({"type": code, "code": None, "message": "?"})
    only_type = failure_of_error({"type": code})

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
    assert failure_of_error(error).severity is BENIGN
    assert failure_of_error({"type": "invalid_request_error", **error}).severity is BENIGN


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
    failure = failure_of_error({"message": message})

    assert failure.severity is severity
    assert words in failure.sentence
    assert failure_of_error({"message": message, "code": "server_error"}).severity is TRANSIENT


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
    failure = failure_of_error(error)

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


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "error", "error": {"type": "a", "code": "b", "message": "c"}}, "a.b"),
        ({"type": "error", "error": {"type": None, "code": 7}}, "."),
        ({"type": "error", "error": "a.b"}, ""),
        ({"type": "error"}, ""),
        ({"type": "response.done", "error": {"type": "a", "code": "b"}}, ""),
    ],
)
def test_an_error_gives_the_reason_for_a_close_that_has_none(event, reason):
    assert reason_of_error(event) == reason
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


def test_only_the_beginning_of_a_server_s_words_is_looked_at():
    long = "x" * MOST_READ + " Rate limit reached"

    assert failure_of_error({"message": long}).severity is NOTICE
    assert len(reason_of_error({"type": "error", "error": {"type": long, "code": long}})) < 5000


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
