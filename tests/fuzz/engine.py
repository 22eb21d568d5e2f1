"""The practice server's engine, whose client says anything.

What must hold: every message is answered by events of the API, never by an exception.
"""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target
from tests.practice.drive import Drive, audio

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


def _check(messages: Sequence[Any]) -> None:
    drive = Drive()
    for number, message in enumerate(messages, 1):
        drive.receive(message)
        drive.tick(number * 0.7)


ENGINE = Target("engine", st.lists(mutated(CLIENT_EVENTS), max_size=12), _check, 80)
