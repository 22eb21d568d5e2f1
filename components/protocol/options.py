"""What a session is asked for: its options, the `session.update` they make, and what gives way.

Rule: the first update of a session holds every option, as no default of the API is stable; a later
one holds what has changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from components.audio import SAMPLE_RATE
from components.protocol.errors import ServerError
from components.protocol.fields import Json
from components.protocol.toolbox import servers_in

TRANSCRIPTION_FALLBACKS: Final = ("gpt-realtime-whisper", "gpt-4o-mini-transcribe")
"""Tried in this order after the chosen transcription model is refused; then none."""

_TAKE_KEYWORDS: Final = ("gpt-transcribe", "gpt-live-transcribe")
_TAKE_NO_PROMPT: Final = ("gpt-realtime-whisper", "gpt-4o-transcribe-diarize")
"""All other transcription models take the same words as a prompt."""

_PCM: Final = {"type": "audio/pcm", "rate": SAMPLE_RATE}


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session is asked for; every field but the last is sent, as no default of the API is
    stable."""

    model: str
    voice: str
    instructions: str
    turn_detection: str
    """`server_vad`, `semantic_vad` or `push_to_talk`."""
    transcription_model: str | None
    vad_threshold: float = 0.5
    """0 to 1: how loud a voice has to be, for `server_vad`, as the next three."""
    vad_padding_ms: int = 300
    """Sound from before the voice that belongs to the turn."""
    vad_silence_ms: int = 500
    """So long a silence ends a turn."""
    vad_idle_ms: int | None = None
    """After so long a silence the assistant speaks by itself; None for never."""
    eagerness: str = "auto"
    """How soon a turn is taken to be over, for `semantic_vad`."""
    language: str | None = None
    """What the user speaks (ISO 639-1), a hint for the transcription."""
    keywords: tuple[str, ...] = ()
    """Words that the transcription should know."""
    speed: float = 1.0
    """Of the assistant's voice, 0.25 to 1.5."""
    effort: str = "low"
    """Of the reasoning, where it is asked for."""
    longest_answer: int | None = None
    """In tokens; None for no limit."""
    retention: float = 0.8
    """The share of a full conversation that is kept, where that is asked for."""
    noise_reduction: str | None = "far_field"
    reasoning: bool = True
    """Ask for an effort, where the model is one that reasons."""
    retention_ratio: bool = True
    """Keep the cost of a long call bounded."""
    tools: tuple[Json, ...] = ()
    """The functions that the model may call, and MCP servers, as `session.tools` declares them."""
    functions: tuple[Json, ...] = ()
    """All that the app has, as above; what is not in `tools` is switched off."""
    first_word: str = "user"
    """Who begins: `user`, or `assistant`, who is then asked for a response."""

    @property
    def push_to_talk(self) -> bool:
        return self.turn_detection == "push_to_talk"


def session_update(options: SessionOptions, event_id: str) -> Json:
    """The complete `session.update`: what a new session is asked for."""
    return {"type": "session.update", "event_id": event_id, "session": _session(options)}


def session_change(before: SessionOptions, after: SessionOptions, event_id: str) -> Json | None:
    """The `session.update` that holds only what has changed; None if nothing of it is in one.

    A model belongs to the connection and is no part of an update.
    """
    changed = _changed(_session(before), _session(after))
    if not changed:
        return None
    session = {"type": "realtime", **changed}
    return {"type": "session.update", "event_id": event_id, "session": session}


def changes(before: SessionOptions, after: SessionOptions) -> Mapping[str, Any]:
    """The options whose values differ, by name, with their new values."""
    names = (field.name for field in fields(SessionOptions))
    return {n: getattr(after, n) for n in names if getattr(before, n) != getattr(after, n)}


def relax(options: SessionOptions, error: ServerError) -> SessionOptions | None:
    """What to ask for after an update was refused; None if what was refused is not optional.

    The API rejects a whole update for one bad field, so the block that the error names is replaced
    or left out, and the rest is sent again. If it names none, one after the other goes, what is
    missed least first: the transcript lasts longest.
    """
    named = f"{error.param} {error.message}"
    if "transcription" in named and options.transcription_model is not None:
        return replace(options, transcription_model=_next_model(options.transcription_model))
    if "reasoning" in named and options.reasoning:
        return replace(options, reasoning=False)
    if "noise_reduction" in named and options.noise_reduction is not None:
        return replace(options, noise_reduction=None)
    if "truncation" in named and options.retention_ratio:
        return replace(options, retention_ratio=False)
    if "tools" in named and servers_in(options.tools):
        functions = tuple(each for each in options.tools if each["type"] != "mcp")
        return replace(options, tools=functions)
    if error.param:
        return None
    return _with_less(options)


class Refused:
    """Which optional parts servers have refused, so that they are not asked for again.

    It belongs to a process: every call and every token of it asks here before it asks a server.
    """

    def __init__(self) -> None:
        self._instead: dict[tuple[str, str, Any], Any] = {}
        """By model, option and refused value: what was accepted in its place."""

    def without(self, options: SessionOptions) -> SessionOptions:
        """The options with what was accepted in the place of what was refused."""
        instead = {
            name: self._instead[options.model, name, getattr(options, name)]
            for name in _OPTIONAL
            if (options.model, name, getattr(options, name)) in self._instead
        }
        return replace(options, **instead)

    def learn(self, asked: SessionOptions, accepted: SessionOptions) -> None:
        """A server has refused `asked`, and taken `accepted`, also for what led to `asked`."""
        for name in _OPTIONAL:
            refused, taken = getattr(asked, name), getattr(accepted, name)
            if refused == taken:
                continue
            self._instead[asked.model, name, refused] = taken
            for key, value in self._instead.items():
                if key[:2] == (asked.model, name) and value == refused:
                    self._instead[key] = taken


_OPTIONAL: Final = ("transcription_model", "noise_reduction", "reasoning", "retention_ratio")


def _session(options: SessionOptions) -> dict[str, Any]:
    session: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": options.instructions,
        "audio": {
            "input": {
                "format": _PCM,
                "noise_reduction": _typed(options.noise_reduction),
                "transcription": _transcription(options),
                "turn_detection": _turn_detection(options),
            },
            "output": {"format": _PCM, "voice": options.voice, "speed": options.speed},
        },
        "tools": list(options.tools),
        "tool_choice": "auto",
        "max_output_tokens": options.longest_answer or "inf",
    }
    if options.retention_ratio:
        session["truncation"] = {
            "type": "retention_ratio",
            "retention_ratio": options.retention,
            "token_limits": {"post_instructions": 16_000},
        }
    if options.reasoning and _reasons(options.model):
        session["reasoning"] = {"effort": options.effort}
    return session


_GROUPS: Final = ("audio", "input", "output")
"""Objects that only hold others together; every other object is sent whole or not at all."""


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in after.items():
        if name in _GROUPS:
            if inner := _changed(before[name], value):
                changed[name] = inner
        elif name not in before or before[name] != value:
            changed[name] = value
    return changed


def _turn_detection(options: SessionOptions) -> Json | None:
    by_server = {"create_response": True, "interrupt_response": True}
    match options.turn_detection:
        case "server_vad":
            detection: dict[str, Any] = {
                "type": "server_vad",
                "threshold": options.vad_threshold,
                "prefix_padding_ms": options.vad_padding_ms,
                "silence_duration_ms": options.vad_silence_ms,
                **by_server,
            }
            if options.vad_idle_ms is not None:
                detection["idle_timeout_ms"] = options.vad_idle_ms
            return detection
        case "semantic_vad":
            return {"type": "semantic_vad", "eagerness": options.eagerness, **by_server}
    return None


def _typed(type_: str | None) -> Json | None:
    return {"type": type_} if type_ else None


def _transcription(options: SessionOptions) -> Json | None:
    model = options.transcription_model
    if not model:
        return None
    asked: dict[str, Any] = {"model": model}
    if options.language:
        asked["language"] = options.language
    if options.keywords:
        if model in _TAKE_KEYWORDS:
            asked["keywords"] = list(options.keywords)
        elif model not in _TAKE_NO_PROMPT:
            asked["prompt"] = ", ".join(options.keywords)
    return asked


def _next_model(refused: str) -> str | None:
    """The transcription model to ask for after one was refused."""
    remaining: Sequence[str] = TRANSCRIPTION_FALLBACKS
    if refused in remaining:
        remaining = remaining[remaining.index(refused) + 1 :]
    return remaining[0] if remaining else None


def _with_less(options: SessionOptions) -> SessionOptions | None:
    """The options without the optional block that is missed least; None if there is none left."""
    if options.noise_reduction is not None:
        return replace(options, noise_reduction=None)
    if options.retention_ratio:
        return replace(options, retention_ratio=False)
    if options.reasoning and _reasons(options.model):
        return replace(options, reasoning=False)
    if options.transcription_model is not None:
        return replace(options, transcription_model=_next_model(options.transcription_model))
    return None


def _reasons(model: str) -> bool:
    """Whether the model takes `reasoning`: not by the prefix alone, which an older one shares."""
    return model == "gpt-realtime-2" or model.startswith(("gpt-realtime-2.", "gpt-realtime-2-"))
