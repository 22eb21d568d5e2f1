"""What a session is asked for: the SDK judges what we send."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.protocol.errors import ServerError
from components.protocol.options import (
    TRANSCRIPTION_FALLBACKS,
    Refused,
    SessionOptions,
    changes,
    relax,
    session_change,
    session_update,
)
from tests.wire import merged, validate_client_event

OPTIONS = SessionOptions(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="Be kind.",
    turn_detection="server_vad",
    transcription_model="gpt-transcribe",
)


TUNED = replace(
    OPTIONS,
    vad_threshold=0.7,
    vad_padding_ms=200,
    vad_silence_ms=900,
    vad_idle_ms=6_000,
    language="de",
    keywords=("Ada", "Babbage"),
    speed=1.2,
    effort="high",
    longest_answer=300,
    retention=0.5,
)


def test_every_figure_can_be_tuned():
    update = session_update(TUNED, "settings_1")
    validate_client_event(update)
    session = update["session"]
    assert session["audio"] == {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "noise_reduction": {"type": "far_field"},
            "transcription": {
                "model": "gpt-transcribe",
                "language": "de",
                "keywords": ["Ada", "Babbage"],
            },
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.7,
                "prefix_padding_ms": 200,
                "silence_duration_ms": 900,
                "create_response": True,
                "interrupt_response": True,
                "idle_timeout_ms": 6_000,
            },
        },
        "output": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "voice": "marin",
            "speed": 1.2,
        },
    }
    assert session["reasoning"] == {"effort": "high"}
    assert session["max_output_tokens"] == 300
    assert session["truncation"]["retention_ratio"] == 0.5


def test_eagerness_belongs_to_the_detection_that_understands_words():
    options = replace(OPTIONS, turn_detection="semantic_vad", eagerness="high")
    detection = session_update(options, "settings_1")["session"]["audio"]["input"]["turn_detection"]
    assert detection["eagerness"] == "high"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gpt-transcribe", {"keywords": ["Ada", "Babbage"]}),
        ("gpt-live-transcribe", {"keywords": ["Ada", "Babbage"]}),
        ("whisper-1", {"prompt": "Ada, Babbage"}),
        ("gpt-realtime-whisper", {}),
    ],
)
def test_keywords_are_given_in_the_form_that_the_model_takes(model, words):
    options = replace(OPTIONS, transcription_model=model, keywords=("Ada", "Babbage"))
    update = session_update(options, "settings_1")
    validate_client_event(update)
    asked = update["session"]["audio"]["input"]["transcription"]
    assert asked == {"model": model, **words}


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


def refusal(param, message="Invalid value."):
    return ServerError("x", "invalid_request_error", message, param)


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
    relaxed = replace(OPTIONS, **left_out)

    for error in (refusal(param), refusal("", f"Unknown parameter: '{param}'.")):
        assert relax(OPTIONS, error) == relaxed
    assert relax(relaxed, refusal(param)) is None


@pytest.mark.parametrize("param", ["session.audio.output.voice", "session.type"])
def test_what_is_not_optional_cannot_be_relaxed(param):
    assert relax(OPTIONS, refusal(param)) is None


@pytest.mark.parametrize("error", [refusal(""), ServerError()])
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

    relaxed = relax(options, ServerError())

    assert relaxed == replace(options, transcription_model="gpt-realtime-whisper")


@given(st.lists(st.sampled_from(["transcription", "reasoning", "noise_reduction", "truncation"])))
def test_relaxing_ends_whatever_is_refused(params):
    options, times = OPTIONS, 0
    for param in params:
        if relaxed := relax(options, refusal(f"session.{param}")):
            options, times = relaxed, times + 1
            validate_client_event(session_update(options, "e"))

    assert times <= 6


# What has changed.

TOOL = {"type": "function", "name": "clock", "parameters": {"type": "object", "properties": {}}}


def change(**changed):
    """The `session` of the update that a change makes; judged by the SDK."""
    event = session_change(OPTIONS, replace(OPTIONS, **changed), "settings_2")
    if event is None:
        return None
    validate_client_event(event)
    assert event["type"] == "session.update"
    assert event["event_id"] == "settings_2"
    return event["session"]


@pytest.mark.parametrize(
    ("changed", "sent"),
    [
        ({"instructions": "Be brief."}, {"instructions": "Be brief."}),
        ({"voice": "cedar"}, {"audio": {"output": {"voice": "cedar"}}}),
        ({"noise_reduction": None}, {"audio": {"input": {"noise_reduction": None}}}),
        (
            {"noise_reduction": "near_field"},
            {"audio": {"input": {"noise_reduction": {"type": "near_field"}}}},
        ),
        ({"transcription_model": None}, {"audio": {"input": {"transcription": None}}}),
        (
            {"transcription_model": "whisper-1"},
            {"audio": {"input": {"transcription": {"model": "whisper-1"}}}},
        ),
        ({"turn_detection": "push_to_talk"}, {"audio": {"input": {"turn_detection": None}}}),
        ({"tools": (TOOL,)}, {"tools": [TOOL]}),
        (
            {"voice": "cedar", "instructions": "Be brief.", "noise_reduction": None},
            {
                "instructions": "Be brief.",
                "audio": {"input": {"noise_reduction": None}, "output": {"voice": "cedar"}},
            },
        ),
    ],
)
def test_a_change_holds_what_has_changed_and_nothing_else(changed, sent):
    assert change(**changed) == {"type": "realtime", **sent}


def test_turn_detection_is_changed_whole():
    """The API reads an object with another type as a new one, so half of it would not do."""
    assert change(turn_detection="semantic_vad")["audio"] == {
        "input": {
            "turn_detection": {
                "type": "semantic_vad",
                "eagerness": "auto",
                "create_response": True,
                "interrupt_response": True,
            }
        }
    }


def test_a_block_that_was_left_out_is_asked_for_whole():
    without = replace(OPTIONS, retention_ratio=False, reasoning=False)

    event = session_change(without, OPTIONS, "settings_2")

    assert event is not None
    validate_client_event(event)
    whole = session_update(OPTIONS, "settings_1")["session"]
    assert event["session"] == {
        "type": "realtime",
        "truncation": whole["truncation"],
        "reasoning": whole["reasoning"],
    }


@pytest.mark.parametrize("changed", [{}, {"model": "gpt-realtime-1.5"}, {"reasoning": False}])
def test_what_no_update_can_change_makes_none(changed):
    assert change(**changed) is None


def test_a_server_that_is_refused_gives_way_and_the_functions_stay():
    server = {"type": "mcp", "server_label": "docs", "server_url": "https://example.com"}
    asked = replace(OPTIONS, tools=(TOOL, server))
    error = ServerError("x", "x", "No such server.", "session.tools[1].server_url")

    assert relax(asked, error) == replace(asked, tools=(TOOL,))
    assert relax(replace(OPTIONS, tools=(TOOL,)), error) is None


def test_changes_name_the_options_that_differ_and_their_new_values():
    after = replace(OPTIONS, voice="cedar", noise_reduction=None)

    assert changes(OPTIONS, after) == {"voice": "cedar", "noise_reduction": None}
    assert changes(OPTIONS, replace(OPTIONS)) == {}


some_options = st.builds(
    SessionOptions,
    model=st.sampled_from(["gpt-realtime-2.1", "gpt-realtime"]),
    voice=st.sampled_from(["marin", "cedar"]),
    instructions=st.text(max_size=3),
    turn_detection=st.sampled_from(["server_vad", "semantic_vad", "push_to_talk"]),
    transcription_model=st.sampled_from([*TRANSCRIPTION_FALLBACKS, None]),
    noise_reduction=st.sampled_from(["far_field", "near_field", None]),
    reasoning=st.booleans(),
    retention_ratio=st.booleans(),
    tools=st.sampled_from([(), (TOOL,)]),
)


@given(some_options, some_options)
def test_a_change_leads_to_what_a_whole_update_would_have_asked_for(before, after):
    after = replace(after, model=before.model)
    event = session_change(before, after, "settings_2")
    if event is None:
        changed = {}
    else:
        validate_client_event(event)
        changed = event["session"]

    held = merged(session_update(before, "e")["session"], changed)

    wanted = session_update(after, "e")["session"]
    assert {name: held[name] for name in wanted} == wanted


# What servers have refused.


def test_what_was_accepted_instead_is_asked_for_from_then_on():
    refused = Refused()
    accepted = replace(OPTIONS, transcription_model="whisper-1", noise_reduction=None)

    assert refused.without(OPTIONS) == OPTIONS
    refused.learn(OPTIONS, accepted)

    assert refused.without(OPTIONS) == accepted
    assert refused.without(replace(OPTIONS, voice="cedar")) == replace(accepted, voice="cedar")


def test_what_was_accepted_instead_may_be_refused_later():
    refused = Refused()
    second = replace(OPTIONS, transcription_model="gpt-realtime-whisper")
    third = replace(OPTIONS, transcription_model="gpt-4o-mini-transcribe")
    refused.learn(OPTIONS, second)
    refused.learn(second, third)

    assert refused.without(OPTIONS) == third
    refused.learn(third, OPTIONS)
    assert refused.without(OPTIONS) == refused.without(second) == OPTIONS


def test_only_the_value_that_was_refused_is_replaced():
    refused = Refused()
    refused.learn(OPTIONS, replace(OPTIONS, noise_reduction=None))

    near = replace(OPTIONS, noise_reduction="near_field")

    assert refused.without(near) == near


def test_another_model_is_asked_all_the_same():
    refused = Refused()
    refused.learn(OPTIONS, replace(OPTIONS, reasoning=False, retention_ratio=False))

    other = replace(OPTIONS, model="gpt-realtime-2")

    assert refused.without(other) == other


def test_nothing_is_learned_of_what_every_server_takes():
    refused = Refused()
    refused.learn(OPTIONS, replace(OPTIONS, voice="cedar", instructions=""))

    assert refused.without(OPTIONS) == OPTIONS
