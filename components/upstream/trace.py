"""A call's events, both ways, as JSON lines: for bug reports, and to look at afterwards.

Rule: no audio and no key is ever written; a field that carries audio is replaced by its length, and
what the microphone appends is never given to a trace. A line and the whole of a call are bounded,
so that no server can fill the disk.
A trace that cannot be written is given up with a word in the log: the call goes on.
"""

import logging
from collections.abc import Mapping
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal
from uuid import uuid4

import orjson

from components.protocol.failures import without_keys
from components.protocol.fields import Json

log = logging.getLogger(__name__)

Direction = Literal["sent", "received"]

DEEPEST: Final = 50
"""Levels of an event that are written; ten times what the API has, far from Python's limit."""
LONGEST: Final = 10_000
"""Characters of a text that are written."""
MOST_VALUES: Final = 2_000
"""Of an event; a session with a hundred tools has fewer."""
MOST_BYTES: Final = 256 * 1024 * 1024
"""Of one call; an hour of talk has some ten MB."""


class Trace:
    """Appends to one file; several calls of a process may write to the same one."""

    def __init__(self, path: Path) -> None:
        self._call = uuid4().hex[:8]
        self._file: FileIO | None = None
        self._room = MOST_BYTES
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            log.warning("! no trace: %s", error)

    def write(self, direction: Direction, event: Json, at: float) -> None:
        """`at` is Unix time, in seconds."""
        if self._file is None:
            return
        line = {"t": round(at, 3), "call": self._call, direction: _Shortened().of(event)}
        text = orjson.dumps(line, default=str) + b"\n"
        self._room -= len(text)
        if self._room < 0:
            log.warning("! the trace ends here: this call has filled %d MB", MOST_BYTES >> 20)
            self.close()
            return
        try:
            self._file.write(text)
        except OSError as error:
            log.warning("! the trace ends here: %s", error)
            self.close()

    def close(self) -> None:
        """Write nothing more."""
        if self._file is not None:
            self._file.close()
            self._file = None


class _Shortened:
    """An event as it is written: without audio and keys, and of bounded size."""

    def __init__(self) -> None:
        self._room = MOST_VALUES

    def of(self, value: Any, name: str = "", type_: str = "", level: int = 0) -> Any:
        self._room -= 1
        if self._room < 0 or level > DEEPEST:
            return "(more)"
        if isinstance(value, Mapping):
            type_ = str(value.get("type", ""))
            inner = islice(value.items(), self._room)
            return {_text(str(k)): self.of(each, k, type_, level + 1) for k, each in inner}
        if isinstance(value, list):
            inner = islice(value, self._room)
            return [self.of(each, name, type_, level + 1) for each in inner]
        if isinstance(value, str):
            carries_audio = name == "audio" or (name == "delta" and type_.endswith("audio.delta"))
            return f"({len(value)} characters of audio)" if carries_audio else _text(value)
        return value


def _text(value: str) -> str:
    shown = without_keys(value[:LONGEST])
    more = len(value) - LONGEST
    return f"{shown} (and {more} characters)" if more > 0 else shown
