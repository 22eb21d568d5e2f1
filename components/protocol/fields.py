"""What the fields of a server's event hold, whatever the server has put there.

Rule: a field of the wrong type or of an absurd size counts as missing, and every text read here can
be sent on: nothing that a server says may break what we say of it.
"""

from collections.abc import Mapping
from typing import Any, Final

Json = Mapping[str, Any]

MOST_ID_CHARACTERS: Final = 512
"""The protocol's own limit for ids of events."""
MAX_PARTS: Final = 32
"""Content parts of an item; an index beyond is a broken server's."""


def at(event: Json, *path: str) -> Json:
    """The object at a path of an event; empty if anything on the way is missing or no object."""
    value: Any = event
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def text(event: Json, name: str) -> str:
    """A field that should be text; servers send null or leave it out."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


def identity(event: Json, name: str) -> str:
    """An id; empty if there is none that could be named again."""
    value = text(event, name)
    usable = len(value) <= MOST_ID_CHARACTERS and clean(value) == value
    return value if usable else ""


def content_index(event: Json) -> int | None:
    """Which part of an item the event is about, the first if it does not say; None if absurd."""
    index = event.get("content_index", 0)
    return index if isinstance(index, int) and 0 <= index < MAX_PARTS else None


def clean(words: str) -> str:
    """The words without halves of characters, which no UTF-8 and no JSON can carry."""
    return words if words.isascii() else words.encode("utf-8", "replace").decode("utf-8")
