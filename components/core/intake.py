"""The microphone's frames on their way to the server.

Rule: the first word is not lost, and nobody is answered seconds late. Frames wait until the session
is configured, the newest two seconds of them; while a connection is gone, the newest 400 ms.
"""

from collections import deque
from typing import Final

from components.audio import FRAME_MS, is_digital_silence

EARLY_FRAMES: Final = 2000 // FRAME_MS
"""Kept until the first session is configured."""
GAP_FRAMES: Final = 400 // FRAME_MS
"""Kept while the connection is gone."""
DEAD_FRAMES: Final = 3000 // FRAME_MS
"""Without any sound at all since the call began: the microphone is switched off."""


class Intake:
    """Takes frames of 20 ms (24 kHz, mono, PCM16), gives those that are to be sent now."""

    def __init__(self) -> None:
        self._open = False
        self._waiting: deque[bytes] = deque(maxlen=EARLY_FRAMES)
        self._silent: int | None = 0
        """Frames without any sound so far; None once there was one with."""

    @property
    def dead(self) -> bool:
        """Whether the microphone has given nothing at all for long enough to say so."""
        return self._silent is not None and self._silent >= DEAD_FRAMES

    def check(self, pcm: bytes) -> None:
        """A frame as the microphone gave it; whether there is any life in it."""
        if self._silent is not None:
            self._silent = self._silent + 1 if is_digital_silence(pcm) else None

    def take(self, pcm: bytes) -> list[bytes]:
        """A frame for the server: what is to be sent now."""
        if self._open:
            return [pcm]
        self._waiting.append(pcm)
        return []

    def open(self) -> list[bytes]:
        """The session is configured: what has waited, in order."""
        self._open = True
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def close(self) -> None:
        """The session is gone, for now."""
        self._open = False
        self._waiting = deque(maxlen=GAP_FRAMES)
