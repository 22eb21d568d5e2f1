"""When each frame of 20 ms leaves for the browser.

Rule: absolute deadlines, as a clock that adds up its sleeps would drift. Only a reply after a
silence leaves before its deadline; the silence after it gives back what it was early by, a little
in each frame, so that sound and clock stay together.
"""

from typing import Final

from components.audio import FRAME_MS

FRAME_S: Final = FRAME_MS / 1000
LATE_S: Final = 0.2
"""A clock further behind than this starts anew instead of hurrying after its deadlines."""
STRETCH_S: Final = 0.0005
"""A silent frame may last so much longer; browsers take that for a drift of clocks."""


class PlayoutClock:
    """Ask `wait` before each frame, and tell by `left` when it is gone. Times are in seconds."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._ahead = 0.0

    def wait(self, now: float) -> float:
        """How long the next frame still has to wait."""
        if self._due is None or now - self._due > LATE_S:
            self._due, self._ahead = now, 0.0
        return max(0.0, self._due - now)

    def hurry(self, now: float) -> None:
        """Let the next frame leave now."""
        if self._due is not None and now < self._due:
            self._ahead += self._due - now
            self._due = now

    def left(self, silent: bool) -> None:
        """A frame has left, after `wait` was asked for it."""
        assert self._due is not None
        back = min(self._ahead, STRETCH_S) if silent else 0.0
        self._ahead -= back
        self._due += FRAME_S + back
