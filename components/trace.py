"""A call's events, both ways, as JSON lines: for bug reports, and to look at afterwards.

Rule: no audio and no key is ever written; a field that carries audio is replaced by its length. A
trace that cannot be written is given up with a word in the log: the call goes on.
"""

import logging
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self
from uuid import uuid4

import orjson

from components.protocol import Event, without_keys

log = logging.getLogger(__name__)

Direction = Literal["sent", "received"]

DEEPEST: Final = 50
"""Levels of an event that are written; ten times what the API has, far from Python's limit."""


class Trace:
    """Appends to one file; several calls of a process may write to the same one."""

    def __init__(self, path: Path) -> None:
        self._call = uuid4().hex[:8]
        self._file: FileIO | None = None
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            log.warning("! no trace: %s", error)

    def write(self, direction: Direction, event: Event, at: float) -> None:
        """`at` is Unix time, in seconds."""
        if self._file is None:
            return
        line = {"t": round(at, 3), "call": self._call, direction: _without_audio(event)}
        try:
            self._file.write(orjson.dumps(line, default=str) + b"\n")
        except OSError as error:
            log.warning("! the trace ends here: %s", error)
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _without_audio(value: Any, name: str = "", type_: str = "", level: int = 0) -> Any:
    if level > DEEPEST:
        return "(more)"
    if isinstance(value, Mapping):
        type_ = str(value.get("type", ""))
        return {key: _without_audio(inner, key, type_, level + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_audio(inner, name, type_, level + 1) for inner in value]
    if isinstance(value, str):
        carries_audio = name == "audio" or (name == "delta" and type_.endswith("audio.delta"))
        return f"({len(value)} characters of audio)" if carries_audio else without_keys(value)
    return value
