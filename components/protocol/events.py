"""Server events, as they are read from a frame.

Rule: what an older, compatible server says is translated here, at the socket's edge; nothing
further in ever sees an old name.
"""

from collections.abc import Mapping
from typing import Final

import orjson

from components.protocol.fields import Event

_GA_NAMES: Final[Mapping[str, str]] = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "conversation.item.created": "conversation.item.added",
}


def parse(text: str | bytes) -> Event:
    """The event of a frame, under its GA name; `ValueError` if it is no JSON object with a type."""
    event = orjson.loads(text)
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ValueError("not an event: no type")
    event["type"] = _GA_NAMES.get(event["type"], event["type"])
    return event
