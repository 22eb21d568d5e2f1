"""When each frame of 20 ms leaves for the browser.

Rule: absolute deadlines, as a clock that adds up its sleeps would drift. Only a reply after a
silence leaves long before its deadline; the frames after it give back what it was early by, a
little each, so that sound and clock stay together. The deadlines keep just behind the microphone's
packets, which come as often, so that one awakening of the process does for both: to wake up costs
more than what is then done.
"""

from typing import Final

from components.audio import FRAME_MS

FRAME_S: Final = FRAME_MS / 1000
LATE_S: Final = 0.2
"""A clock further behind than this starts anew instead of hurrying after its deadlines."""
STRETCH_S: Final = 0.0005
"""A silent frame may last so much longer; browsers take that for a drift of clocks."""
STEER_S: Final = 0.00025
"""By so much any frame may be longer or shorter."""
MEET_S: Final = 0.005
"""By so much a frame may leave before its deadline, with a packet that has come."""


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

    def meet(self, now: float) -> bool:
        """A packet of the microphone has come: whether the next frame may leave with it."""
        if self._due is None:
            return False
        early = self._due - now
        later = (MEET_S / 2 - early) % FRAME_S
        if self._ahead > 0:
            move = min(self._ahead, STEER_S)
            self._ahead -= move
        elif later <= FRAME_S / 2:
            move = min(later, STEER_S)
        else:
            move = -min(FRAME_S - later, STEER_S)
        self._due += move
        return 0 < early <= MEET_S

    def left(self, silent: bool) -> None:
        """A frame has left, after `wait` was asked for it."""
        assert self._due is not None
        back = min(self._ahead, STRETCH_S) if silent else 0.0
        self._ahead -= back
        self._due += FRAME_S + back
