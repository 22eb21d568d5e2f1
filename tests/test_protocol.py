"""The words of the wire: the SDK judges what we send."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audio import decode
from components.protocol import (
    SessionOptions,
    append_audio,
    headers,
    parse,
    realtime_url,
    relax,
    session_update,
    truncate,
    user_text,
)
from tests.wire import validate_client_event

OPTIONS = SessionOptions(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="Be kind.",
    turn_detection="server_vad",
    transcription_model="gpt-transcribe",
)


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
