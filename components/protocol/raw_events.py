"""An event that a person has written by hand, to be sent as it is.

Rule: it is a JSON object of bounded size with the type of a client event of the API; what looks
like a key is not sent, as keys do not belong into events.
"""

from collections.abc import Collection
from typing import Final

import orjson

from components.protocol.failures import without_keys
from components.protocol.fields import Json

CLIENT_EVENTS: Final = (
    *("session.update", "input_audio_buffer.append", "input_audio_buffer.commit"),
    *("input_audio_buffer.clear", "output_audio_buffer.clear", "conversation.item.create"),
    *("conversation.item.retrieve", "conversation.item.truncate", "conversation.item.delete"),
    *("response.create", "response.cancel"),
)
"""The types of all events that a client may send."""
MOST_CHARACTERS: Final = 16_000
DEEPEST: Final = 50
"""Levels of objects and lists; ten times what the API has."""
NO_OBJECT: Final = 'An event is a JSON object with a type, such as {"type": "response.create"}.'
TOO_LONG: Final = f"An event has {MOST_CHARACTERS:,} characters at most."
TOO_DEEP: Final = "The event is nested too deeply."
NO_TYPE: Final = f"The API has no such event. Its types are: {', '.join(CLIENT_EVENTS)}."
HOLDS_KEY: Final = "The event holds what looks like a key. Keys do not belong into events."


def raw_event(text: str, event_id: str, keys: Collection[str] = ()) -> Json:
    """The event of a text; one without an id of its own gets this one, by which the server names
    it when it refuses it. `ValueError` with a sentence if it is not to be sent, as when one of
    these keys is in it."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(TOO_LONG)
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"That is not JSON: {error.msg}, line {error.lineno}.") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ValueError(NO_OBJECT)
    if event["type"] not in CLIENT_EVENTS:
        raise ValueError(NO_TYPE)
    if _depth_exceeds(event, DEEPEST):
        raise ValueError(TOO_DEEP)
    written = orjson.dumps(event).decode()
    if without_keys(written) != written or any(key in written for key in keys):
        raise ValueError(HOLDS_KEY)
    return {"event_id": event_id, **event}


def _depth_exceeds(value: object, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_depth_exceeds(each, most - 1) for each in inner)
