"""The practice server's engine, whose client says anything.

What must hold: every message is answered by events of the API, never by an exception.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import strategies as st

from components.audio import encode
from components.practice.engine.outputs import Detect, Output, Speak, Think, Transcribe
from tests.fuzz.mutation import as_message, mutated
from tests.fuzz.target import Target
from tests.practice.drive import HOP_MS, Drive, Outputs, audio

MOST_ASKED = 200
"""Of the server's parts, for one message."""

_MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
_TOOL = {
    "type": "function",
    "name": "clock",
    "description": "Tells the time.",
    "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}},
}
CLIENT_EVENTS: Sequence[Any] = [
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "instructions": "Be brief.",
            "output_modalities": ["audio"],
            "tools": [_TOOL],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "truncation": {"type": "retention_ratio", "retention_ratio": 0.8},
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24_000},
                    "transcription": {"model": "gpt-transcribe", "language": "en"},
                    "noise_reduction": {"type": "near_field"},
                    "turn_detection": {"type": "semantic_vad", "eagerness": "low"},
                },
                "output": {"voice": "marin", "speed": 1.1},
            },
        },
    },
    {
        "type": "session.update",
        "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}},
    },
    {"type": "input_audio_buffer.append", "audio": audio(200)},
    {"type": "input_audio_buffer.append", "audio": encode(b"\x10\x27" * 14_400)},
    {"type": "input_audio_buffer.commit", "event_id": "e1"},
    {"type": "input_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": _MESSAGE},
    {
        "type": "conversation.item.create",
        "previous_item_id": "root",
        "item": {**_MESSAGE, "id": "i"},
    },
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "c1", "output": "{}"},
    },
    {"type": "conversation.item.retrieve", "item_id": "i"},
    {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 20},
    {"type": "conversation.item.delete", "item_id": "i"},
    {"type": "response.create"},
    {
        "type": "response.create",
        "response": {
            "conversation": "none",
            "instructions": "Say hi.",
            "output_modalities": ["text"],
            "metadata": {"topic": "a"},
            "input": [_MESSAGE],
        },
    },
    {"type": "response.cancel"},
    {"type": "output_audio_buffer.clear"},
]


def _check(steps: Sequence[tuple[Any, float, bool]]) -> None:
    """Each message comes after a time; the parts of the server do as they are asked, or nothing."""
    drive = Drive()
    for message, pause_s, works in steps:
        drive.tick(drive.now + pause_s)
        outputs: list[Output] = _received(drive, as_message(message))
        for _ in range(MOST_ASKED):
            if not outputs or not works:
                break
            outputs = [*_answer(drive, outputs.pop(0)), *outputs]


def _received(drive: Drive, text: str) -> list[Output]:
    """What follows from a message, read as the server reads it: half a character is no JSON."""
    try:
        return drive.receive(orjson.loads(text))
    except orjson.JSONDecodeError:
        return Outputs(drive.engine.refuse("invalid_json", "This is no JSON."))


def _answer(drive: Drive, output: Output) -> list[Output]:
    """What the server's parts make of a request of the engine, judged as all that it sends."""
    engine, now = drive.engine, drive.now
    match output:
        case Detect(pcm):
            hops = [0.9 if any(pcm) else 0.0] * (len(pcm) // (48 * HOP_MS))
            return Outputs(engine.detected(hops, now))
        case Transcribe(item_id):
            return Outputs(engine.transcript(item_id, "hello there", now))
        case Think(response_id, tools=tools):
            said = engine.say(response_id, "Good day to you.", now)
            called = engine.call(response_id, "clock", "{}", now) if tools else []
            return Outputs([*said, *called, *engine.thought(response_id, now)])
        case Speak(response_id):
            return Outputs([*drive.sound(response_id, "Good day"), *engine.said(response_id, now)])
    return []


ENGINE = Target(
    "engine",
    st.lists(
        st.tuples(
            mutated(CLIENT_EVENTS), st.sampled_from([0.0, 0.0, 0.7, 7.0, 4000.0]), st.booleans()
        ),
        max_size=12,
    ),
    _check,
    80,
)
