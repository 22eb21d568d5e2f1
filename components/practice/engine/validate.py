"""What each client event may hold.

Rule: well formed is all that is decided here; whether an id exists, or a change is allowed at this
moment, is the engine's business. In a response and in an item null is as good as missing.
"""

from collections.abc import Mapping
from typing import Any, Final

from components.practice.engine.g711 import PCM, PCMA, PCMU
from components.practice.engine.schema import (
    Check,
    RefusedError,
    anything,
    array,
    boolean,
    integer,
    kind,
    lenient,
    mapping,
    nullable,
    number,
    one_of,
    record,
    string,
    tagged,
    without_nulls,
)
from components.settings import VOICES

Event = Mapping[str, Any]

MAX_APPEND_BYTES: Final = 15 * 1024 * 1024
MAX_PAUSE_MS: Final = 60_000
"""The longest padding or silence; so much of a quiet input buffer is kept."""


def _modalities(value: object, path: str) -> None:
    array(one_of("audio", "text"))(value, path)
    if value not in (["audio"], ["text"]):
        raise RefusedError(f"Invalid '{path}': expected either ['audio'] or ['text'].", param=path)


def _max_output_tokens(value: object, path: str) -> None:
    if value != "inf":
        integer(1, 4096)(value, path)


def _tool_choice(value: object, path: str) -> None:
    if isinstance(value, Mapping):
        tagged("type", {"function": record({"type": anything, "name": string(64)})}, NO_MCP)(
            value, path
        )
    else:
        one_of("none", "auto", "required")(value, path)


def _truncation(value: object, path: str) -> None:
    if isinstance(value, Mapping):
        record(
            {"type": one_of("retention_ratio"), "retention_ratio": number(0, 1)},
            {"token_limits": record({}, {"post_instructions": integer(0, 10_000_000)})},
        )(value, path)
    else:
        one_of("auto", "disabled")(value, path)


def _tracing(value: object, path: str) -> None:
    if isinstance(value, Mapping):
        record(
            {},
            {"workflow_name": string(512), "group_id": string(512), "metadata": mapping},
        )(value, path)
    else:
        one_of("auto")(value, path)


def _metadata(value: object, path: str) -> None:
    mapping(value, path)
    assert isinstance(value, Mapping)
    if len(value) > 16:
        raise RefusedError(f"Invalid '{path}': expected at most 16 pairs.", param=path)
    for key, text in value.items():
        string(64)(key, path)
        string(512)(text, f"{path}.{key[:64]}")


def _transcription(value: object, path: str) -> None:
    """A transcription block; each model takes only the fields that it has."""
    record(
        {},
        {
            "model": one_of(*TRANSCRIPTION_MODELS),
            "language": string(35, shortest=2),
            "languages": array(string(35, shortest=2), 100),
            "keywords": array(string(200)),
            "prompt": string(100_000),
            "delay": one_of("minimal", "low", "medium", "high", "xhigh"),
        },
    )(value, path)
    assert isinstance(value, Mapping)
    model = value.get("model", DEFAULT_TRANSCRIPTION_MODEL)
    for field, fits in _TRANSCRIPTION_FIELDS.items():
        if field in value and model not in fits:
            raise RefusedError(f"'{field}' is not supported by '{model}'.", param=f"{path}.{field}")


TRANSCRIPTION_MODELS: Final = (
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
)
DEFAULT_TRANSCRIPTION_MODEL: Final = "whisper-1"
_TRANSCRIPTION_FIELDS: Final = {
    "delay": ("gpt-realtime-whisper",),
    "keywords": ("gpt-transcribe", "gpt-live-transcribe"),
    "languages": ("gpt-transcribe", "gpt-live-transcribe"),
    "prompt": tuple(
        name
        for name in TRANSCRIPTION_MODELS
        if name not in ("gpt-realtime-whisper", "gpt-4o-transcribe-diarize")
    ),
}

NO_MCP: Final = "The practice server calls no MCP servers."
_FORMAT: Final = tagged(
    "type",
    {
        PCM: lenient({"type": anything}, {"rate": integer(24_000, 24_000)}),
        PCMU: lenient({"type": anything}, {}),
        PCMA: lenient({"type": anything}, {}),
    },
)


def _voice(value: object, path: str) -> None:
    if isinstance(value, Mapping):
        record({"id": string(64, shortest=1)})(value, path)
    else:
        one_of(*VOICES)(value, path)


def _or_mapping(check: Check) -> Check:
    """A value of this form, or an object that says it for each tool."""

    def check_either(value: object, path: str) -> None:
        (mapping if isinstance(value, Mapping) else check)(value, path)

    return check_either


_VAD_FLAGS: Final[Mapping[str, Check]] = {
    "create_response": boolean,
    "interrupt_response": boolean,
}
_TURN_DETECTION: Final = tagged(
    "type",
    {
        "server_vad": record(
            {"type": anything},
            {
                **_VAD_FLAGS,
                "threshold": number(0, 1),
                "prefix_padding_ms": integer(0, MAX_PAUSE_MS),
                "silence_duration_ms": integer(0, MAX_PAUSE_MS),
                "idle_timeout_ms": nullable(integer(5000, 30_000)),
            },
        ),
        "semantic_vad": record(
            {"type": anything},
            {**_VAD_FLAGS, "eagerness": one_of("auto", "low", "medium", "high")},
        ),
    },
)
_TOOL: Final = tagged(
    "type",
    {
        "function": lenient(
            {"type": anything, "name": string(pattern="[a-zA-Z0-9_-]{1,64}")},
            {"description": string(), "parameters": mapping},
        ),
        "mcp": lenient(
            {"type": anything, "server_label": string(64, shortest=1)},
            {
                "server_url": string(2000, pattern="https?://.+"),
                **dict.fromkeys(("connector_id", "tunnel_id", "authorization"), string()),
                "server_description": string(),
                "headers": mapping,
                "allowed_tools": _or_mapping(array(string(), 128)),
                "require_approval": _or_mapping(one_of("always", "never")),
                "allowed_callers": array(string()),
                "defer_loading": boolean,
            },
        ),
    },
)
_REASONING: Final = lenient({}, {"effort": one_of("minimal", "low", "medium", "high", "xhigh")})
_PROMPT: Final = lenient(
    {"id": string(256, shortest=1)}, {"variables": mapping, "version": string(256)}
)
_GENERATION: Final[Mapping[str, Check]] = {
    "output_modalities": _modalities,
    "instructions": string(),
    "tools": array(_TOOL, 128),
    "tool_choice": _tool_choice,
    "parallel_tool_calls": boolean,
    "max_output_tokens": _max_output_tokens,
    "reasoning": nullable(_REASONING),
    "prompt": nullable(_PROMPT),
}
_SESSION: Final = record(
    {"type": one_of("realtime", why="This is a realtime session.")},
    {
        **_GENERATION,
        "model": string(256),
        "audio": record(
            {},
            {
                "input": record(
                    {},
                    {
                        "format": _FORMAT,
                        "noise_reduction": nullable(
                            record(
                                {},
                                {
                                    "type": one_of("near_field", "far_field"),
                                    "strength": number(0, 1),
                                },
                            )
                        ),
                        "transcription": nullable(_transcription),
                        "turn_detection": nullable(_TURN_DETECTION),
                    },
                ),
                "output": record(
                    {}, {"format": _FORMAT, "voice": _voice, "speed": number(0.25, 1.5)}
                ),
            },
        ),
        "truncation": _truncation,
        "tracing": nullable(_tracing),
        "include": nullable(array(one_of("item.input_audio_transcription.logprobs"))),
    },
)

_ID: Final = string(64, shortest=1)
_ITEM_ID: Final = string(32, shortest=1)
_TEXT_PART: Final = lenient({"type": anything, "text": string()}, {})
_AUDIO: Final = string(MAX_APPEND_BYTES * 4 // 3 + 4)
_USER_PARTS: Final = tagged(
    "type",
    {
        "input_text": _TEXT_PART,
        "input_audio": lenient({"type": anything, "audio": _AUDIO}, {"transcript": string()}),
        "input_image": lenient(
            {"type": anything, "image_url": string(20_000_000, r"data:image/(png|jpeg);base64,.*")},
            {"detail": one_of("auto", "low", "high")},
        ),
    },
)
_ASSISTANT_PARTS: Final = tagged(
    "type",
    {
        "output_text": _TEXT_PART,
        "output_audio": lenient({"type": anything}, {"audio": _AUDIO, "transcript": string()}),
    },
)
_ITEM_FIELDS: Final[Mapping[str, Check]] = {
    "id": _ITEM_ID,
    "object": one_of("realtime.item"),
    "status": one_of("completed", "incomplete", "in_progress"),
}


def _message(parts: Check) -> Check:
    content = array(parts, least=1)
    return lenient({"type": anything, "role": anything, "content": content}, _ITEM_FIELDS)


_ITEM_KINDS: Final[Mapping[str, Check]] = {
    "message": tagged(
        "role",
        {
            "system": _message(tagged("type", {"input_text": _TEXT_PART})),
            "user": _message(_USER_PARTS),
            "assistant": _message(_ASSISTANT_PARTS),
        },
    ),
    "function_call": lenient(
        {"type": anything, "name": string(64, shortest=1), "arguments": string()},
        {**_ITEM_FIELDS, "call_id": _ID},
    ),
    "function_call_output": lenient(
        {"type": anything, "call_id": _ID, "output": string()}, _ITEM_FIELDS
    ),
}
_REFERENCE: Final = record({"type": anything, "id": _ID})
_RESPONSE: Final = lenient(
    {},
    {
        **_GENERATION,
        "audio": lenient({}, {"output": lenient({}, {"format": _FORMAT, "voice": _voice})}),
        "conversation": one_of("auto", "none"),
        "metadata": _metadata,
        "input": array(tagged("type", {**_ITEM_KINDS, "item_reference": _REFERENCE})),
    },
)


def _event(**fields: Check) -> Check:
    """A client event; a name that ends in an underscore may be missing."""
    required = {name: check for name, check in fields.items() if not name.endswith("_")}
    optional = {name[:-1]: check for name, check in fields.items() if name.endswith("_")}
    return record(required, {**optional, "type": anything, "event_id": anything})


_EVENTS: Final[Mapping[str, Check]] = {
    "session.update": _event(session=_SESSION),
    "input_audio_buffer.append": _event(audio=_AUDIO),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "conversation.item.create": _event(
        item=tagged("type", _ITEM_KINDS), previous_item_id_=nullable(_ID)
    ),
    "conversation.item.truncate": _event(
        item_id=_ID, content_index=integer(0, 1000), audio_end_ms=integer(0, 2**31 - 1)
    ),
    "conversation.item.delete": _event(item_id=_ID),
    "conversation.item.retrieve": _event(item_id=_ID),
    "response.create": _event(response_=nullable(_RESPONSE)),
    "response.cancel": _event(response_id_=nullable(_ID)),
    "output_audio_buffer.clear": _event(),
}


def event_id_of(event: object) -> str | None:
    """The id by which the client will know an error, if it gave a usable one."""
    event_id = event.get("event_id") if isinstance(event, Mapping) else None
    return event_id if isinstance(event_id, str) and len(event_id) <= 512 else None


def check_event(event: object) -> Event:
    """The same event, known to be well formed; else `RefusedError` says what is wrong with it."""
    if not isinstance(event, Mapping):
        raise RefusedError(
            f"Invalid event: expected an object, but got {kind(event)} instead.", "invalid_event"
        )
    if event.get("event_id") is not None:
        string(512)(event["event_id"], "event_id")
    tagged("type", _EVENTS)(event, "")
    return without_nulls(event, _FREE) if event["type"] in _WITH_NULLS else event


_WITH_NULLS: Final = ("response.create", "conversation.item.create")
_FREE: Final = ("parameters", "metadata", "variables")
"""Objects whose fields are the client's own."""
