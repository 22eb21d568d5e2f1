"""A call's events, both ways, as JSON lines: for bug reports, and to look at afterwards.

Rule: no audio and no key is ever written; a field that carries audio is replaced by its length.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from uuid import uuid4

import orjson

from components.protocol import Event, safe

Direction = Literal["sent", "received"]


class Trace:
    """Appends to one file; several calls of a process may write to the same one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._call = uuid4().hex[:8]

    def write(self, direction: Direction, event: Event, at: float) -> None:
        """`at` is Unix time, in seconds."""
        line = {"t": round(at, 3), "call": self._call, direction: _without_audio(event)}
        self._file.write(orjson.dumps(line, default=str) + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def _without_audio(value: Any, name: str = "", type_: str = "") -> Any:
    if isinstance(value, Mapping):
        type_ = str(value.get("type", ""))
        return {key: _without_audio(inner, key, type_) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_audio(inner) for inner in value]
    if isinstance(value, str):
        carries_audio = name == "audio" or (name == "delta" and type_.endswith("audio.delta"))
        return f"({len(value)} characters of audio)" if carries_audio else _masked(value)
    return value


def _masked(text: str) -> str:
    return safe(text) if "sk-" in text or "ek_" in text else text
