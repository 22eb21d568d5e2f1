"""A call's events, both ways, as JSON lines: for bug reports, and to look at afterwards.

Rule: no audio and no key is ever written (`shortening.py`); what the microphone appends is never
given to a trace. A line and the whole of a call are bounded, so that no server can fill the disk.
A trace that cannot be written is given up with a word in the log: the call goes on.
"""

import logging
from io import FileIO
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson

from components.upstream.shortening import shortened
from components.upstream.wire import WireEvent

log = logging.getLogger(__name__)

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

    def write(self, passed: WireEvent) -> None:
        """An event has passed."""
        if self._file is None:
            return
        event = shortened(passed.event)
        line = {"t": round(passed.at, 3), "call": self._call, passed.direction: event}
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
