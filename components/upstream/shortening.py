"""A raw event as people read it: without audio, images and keys, and of bounded size.

Rule: no audio, no image and no key is ever in it; a field that carries audio or an image is
replaced by its length. No server makes it large.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final, TypeGuard

from components.protocol.failures import without_keys
from components.protocol.fields import Json

DEEPEST: Final = 50
"""Levels of an event that are kept; ten times what the API has, far from Python's limit."""
LONGEST: Final = 10_000
"""Characters of a text that are kept."""
MOST_VALUES: Final = 2_000
"""Of an event; a session with a hundred tools has fewer."""

SECRETS: Final = ("authorization", "api_key", "api-key", "client_secret", "headers", "password")
"""Fields that authorise somebody, such as those of an MCP server; what they hold is a key."""


def shortened(event: Json) -> Any:
    """The event, which is not changed."""
    return _Shortened().of(event)


def without_images(event: Json) -> Json:
    """The event, which is not changed, without the images of its item."""
    item = event.get("item")
    if not isinstance(item, Mapping) or not isinstance(content := item.get("content"), list):
        return event
    parts, found = [], False
    for part in content:
        url = part.get("image_url") if isinstance(part, Mapping) else None
        if _is_image(url):
            found = True
            parts.append({**part, "image_url": _length_of_image(url)})
        else:
            parts.append(part)
    return {**event, "item": {**item, "content": parts}} if found else event


class _Shortened:
    def __init__(self) -> None:
        self._room = MOST_VALUES

    def of(self, value: Any, name: str = "", type_: str = "", level: int = 0) -> Any:
        self._room -= 1
        if self._room < 0 or level > DEEPEST:
            return "(more)"
        if name.lower() in SECRETS and value is not None:
            return "(key)"
        if isinstance(value, Mapping):
            type_ = str(value.get("type", ""))
            inner = islice(value.items(), self._room)
            return {_text(str(k)): self.of(each, k, type_, level + 1) for k, each in inner}
        if isinstance(value, list):
            inner = islice(value, self._room)
            return [self.of(each, name, type_, level + 1) for each in inner]
        if isinstance(value, str):
            if _is_image(value):
                return _length_of_image(value)
            carries_audio = name == "audio" or (name == "delta" and type_.endswith("audio.delta"))
            return f"({len(value)} characters of audio)" if carries_audio else _text(value)
        return value


def _is_image(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value.startswith("data:image/")


def _length_of_image(url: str) -> str:
    return f"({len(url)} characters of an image)"


def _text(value: str) -> str:
    shown = without_keys(value[:LONGEST])
    more = len(value) - LONGEST
    return f"{shown} (and {more} characters)" if more > 0 else shown
