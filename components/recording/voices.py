"""How loud both sides of a recording are, and where their voices begin.

Rule: a voice begins where a side is louder than its room, after a pause. Times are seconds from
the recording's first sample.
"""

from dataclasses import dataclass, field
from typing import Final

from components.audio import FLOOR_DBFS, FRAME_MS

SLOTS_A_LEVEL: Final = 5
"""The loudest of 100 ms is kept for the plot."""
PAUSE_SLOTS: Final = 15
"""Words of one sentence are closer to each other than 300 ms."""
ABOVE_ROOM_DB: Final = 12.0
QUIETEST_VOICE_DBFS: Final = -45.0
LOUDEST_ROOM_DBFS: Final = -40.0
"""What is louder from the first moment on is a voice."""
ROOM_RISE_DB: Final = 0.02
"""In each slot: one decibel a second, so that a voice does not pass for the room."""


@dataclass(slots=True)
class Voice:
    """One side."""

    levels: list[float] = field(default_factory=list)
    """The loudest of each 100 ms, in dBFS."""
    onsets: list[float] = field(default_factory=list)
    _room: float = LOUDEST_ROOM_DBFS
    _pause: int = PAUSE_SLOTS
    _slots: int = 0

    def slot(self, level_dbfs: float) -> None:
        """The next 20 ms."""
        if self._slots % SLOTS_A_LEVEL == 0:
            self.levels.append(FLOOR_DBFS)
        self.levels[-1] = max(self.levels[-1], round(level_dbfs, 1))
        self._room = min(level_dbfs, self._room + ROOM_RISE_DB)
        if level_dbfs >= max(QUIETEST_VOICE_DBFS, self._room + ABOVE_ROOM_DB):
            if self._pause >= PAUSE_SLOTS:
                self.onsets.append(self._slots * FRAME_MS / 1000)
            self._pause = 0
        else:
            self._pause += 1
        self._slots += 1

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self._slots * FRAME_MS / 1000


@dataclass(slots=True)
class Voices:
    """Both sides."""

    user: Voice = field(default_factory=Voice)
    assistant: Voice = field(default_factory=Voice)
