"""The effective session: its defaults, and what an update makes of it.

Rule: an update is applied whole or not at all, and only the keys that it names change;
`turn_detection`, `transcription` and `noise_reduction` count as one key each.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.practice.engine.g711 import PCM
from components.practice.engine.items import Formats
from components.practice.engine.schema import RefusedError
from components.practice.engine.validate import DEFAULT_TRANSCRIPTION_MODEL
from components.settings import PRACTICE_MODEL

Session = Mapping[str, Any]

DEFAULT_INSTRUCTIONS: Final = "You are a helpful voice assistant. Answer in short sentences."
_FORMAT: Final = {"type": PCM, "rate": 24_000}
_SERVER_VAD: Final = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    # The API documents 500 and reports 200 in `session.created`; clients should send their own.
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD: Final = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
_RULES_REMARK: Final = "The practice server has no language model; it ignores the instructions."
_SEMANTIC_REMARK: Final = "Semantic turn detection is approximated by a pause of fixed length."
_FIXED_REMARK: Final = (
    "Noise reduction, truncation, tracing, stored prompts and voices of one's own are accepted, "
    "but not used."
)


def is_realtime_model(model: str) -> bool:
    """Whether the server answers to this name."""
    return model == PRACTICE_MODEL or model.startswith("gpt-realtime")


def is_reasoning_model(model: str) -> bool:
    """Whether a model takes `reasoning`; `gpt-realtime-2025-08-28` does not."""
    return model == "gpt-realtime-2" or model.startswith(("gpt-realtime-2.", "gpt-realtime-2-"))


def initial_session(
    model: str, session_id: str, expires_at: int, notes: Sequence[str], rules: bool
) -> Session:
    """The session of a new connection.

    `notes` are sentences about parts that are missing; `rules` says that no language model thinks.
    A client may read both, and what the server only approximates, under `practice`.
    """
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "expires_at": expires_at,
        "output_modalities": ["audio"],
        "instructions": DEFAULT_INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "include": None,
        **({"reasoning": {"effort": "low"}} if is_reasoning_model(model) else {}),
        "audio": {
            "input": {
                "format": _FORMAT,
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": _SERVER_VAD,
            },
            "output": {"format": _FORMAT, "voice": "marin", "speed": 1.0},
        },
        "practice": {
            "notes": list(notes),
            "remarks": [*([_RULES_REMARK] if rules else []), _SEMANTIC_REMARK, _FIXED_REMARK],
        },
    }


def updated_session(session: Session, change: Session, has_spoken: bool) -> Session:
    """The session after a well-formed `session.update`; raises `RefusedError`."""
    model = session["model"]
    if change.get("model", model) != model:
        raise RefusedError(
            f"The model of a session cannot be changed; it is '{model}'.", param="session.model"
        )
    if (
        session["tracing"] is not None
        and change.get("tracing", session["tracing"]) != (session["tracing"])
    ):
        raise RefusedError("Tracing cannot be changed once it is enabled.", param="session.tracing")
    check_generation(session, change, has_spoken, "session")
    audio = change.get("audio", {})
    merged = {
        "input": {**session["audio"]["input"], **_input_blocks(audio.get("input", {}))},
        "output": {**session["audio"]["output"], **with_format(audio.get("output", {}))},
    }
    return {**session, **change, "audio": merged}


def check_generation(session: Session, change: Session, has_spoken: bool, path: str) -> None:
    """What a session and a single response may both set, held against the session."""
    if change.get("reasoning") is not None and not is_reasoning_model(session["model"]):
        raise RefusedError(
            f"'reasoning' is not supported by '{session['model']}'.", param=f"{path}.reasoning"
        )
    voice = change.get("audio", {}).get("output", {}).get("voice")
    if has_spoken and voice not in (None, session["audio"]["output"]["voice"]):
        raise RefusedError(
            "Cannot update a conversation's voice if assistant audio is present.",
            "cannot_update_voice",
            f"{path}.audio.output.voice",
        )
    choice = change.get("tool_choice")
    tools = change.get("tools", session["tools"])
    if isinstance(choice, Mapping) and not any(t.get("name") == choice["name"] for t in tools):
        raise RefusedError(
            f"Tool choice '{choice['name']}' not found in 'tools'.", param=f"{path}.tool_choice"
        )


def _input_blocks(change: Session) -> Session:
    blocks = dict(with_format(change))
    if (transcription := change.get("transcription")) is not None:
        blocks["transcription"] = {"model": DEFAULT_TRANSCRIPTION_MODEL, **transcription}
    if turn_detection := change.get("turn_detection"):
        is_server_vad = turn_detection["type"] == "server_vad"
        blocks["turn_detection"] = {
            **(_SERVER_VAD if is_server_vad else _SEMANTIC_VAD),
            **turn_detection,
        }
    return blocks


def with_format(change: Session) -> Session:
    """PCM may leave out its rate; G.711 has none."""
    is_pcm = change.get("format", {}).get("type") == PCM
    return {**change, "format": _FORMAT} if is_pcm else change


def formats(session: Session) -> Formats:
    """What the sound of each kind of content is coded as."""
    audio = session["audio"]
    return {
        "input_audio": audio["input"]["format"]["type"],
        "output_audio": audio["output"]["format"]["type"],
    }
