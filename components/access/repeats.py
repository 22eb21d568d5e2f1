"""What the log says when the same thing happens thousands of times: that it did.

Rule: of one kind of line so many are written in a minute, and the others are counted; the count is
written when the minute is over and anything is logged, or when the program ends.
"""

import logging
import time
from dataclasses import dataclass
from typing import Final

MOST_LINES: Final = 60
TRACEBACK_LINES: Final = 10
"""What a line with a traceback counts for, whatever its length."""
WINDOW_S: Final = 60.0
MOST_KINDS: Final = 100
"""Lines of further kinds count as one kind."""
LONGEST_KIND: Final = 200


@dataclass
class _Window:
    """A kind of line since a moment: how many lines were written, and of the others the last."""

    begun: float
    written: int = 0
    left_out: int = 0
    last: logging.LogRecord | None = None


class BoundedHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to the error stream, of each kind of line a bounded number."""

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, _Window] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it."""
        now = time.monotonic()
        self._sum_up(now - WINDOW_S)
        kind = _kind(record)
        if kind not in self._windows and len(self._windows) >= MOST_KINDS:
            kind = ""
        window = self._windows.setdefault(kind, _Window(now))
        if window.written < MOST_LINES:
            window.written += TRACEBACK_LINES if record.exc_info else 1
            super().emit(record)
        else:
            window.left_out += 1
            window.last = _text_of(record)

    def close(self) -> None:
        """Write the counts that are left."""
        self._sum_up(float("inf"))
        super().close()

    def _sum_up(self, begun_before: float) -> None:
        over = [kind for kind, each in self._windows.items() if each.begun <= begun_before]
        for window in map(self._windows.pop, over):
            if window.last is not None:
                super().emit(_summary(window.last, window.left_out))


def _kind(record: logging.LogRecord) -> str:
    """What lines of one cause have in common: all but their values and their tracebacks."""
    first, _, _ = str(record.msg).partition("\n")
    return f"{record.name} {record.levelno} {first[:LONGEST_KIND]}"


def _text_of(record: logging.LogRecord) -> logging.LogRecord:
    """The line alone: what it tells of, such as an error with its frames, is not to be kept."""
    shown = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname}
    try:
        text = record.getMessage()
    except Exception:  # as for every line, a mistake in it must not stop what it tells of
        text = str(record.msg)
    return logging.makeLogRecord({**shown, "msg": text})


def _summary(last: logging.LogRecord, left_out: int) -> logging.LogRecord:
    shown = {"name": last.name, "levelno": last.levelno, "levelname": last.levelname}
    text = f"… {left_out:,} times more, the last one: {last.msg}"
    return logging.makeLogRecord({**shown, "msg": text})
