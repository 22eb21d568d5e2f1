"""What waits to be sent to the server.

Rule: every event waits, in order; of the microphone's sound only the newest waits. A network that
stalls must not make the server hear what was said seconds ago, as it would answer that; and what
waits must not grow for as long as the stall lasts.
"""

from collections import deque
from typing import Final

from components.audio import FRAME_MS

MOST_AUDIO: Final = 2000 // FRAME_MS
"""Frames of sound that may wait; for a new session the intake keeps as many."""
MOST_AUDIO_CHARACTERS: Final = 2048 * MOST_AUDIO
"""Of that sound, should a frame be longer than 20 ms, which has 1,280 and those around it."""
MOST_CHARACTERS: Final = 8 * 1024 * 1024
"""Of events together: more than everything that a call sends in an hour."""


class Outbox:
    """Takes the text of messages, gives them back in order."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, bool]] = deque()
        self._frames = 0
        self._audio_characters = 0
        self._characters = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether so much waits that the network cannot carry the call."""
        return self._characters > MOST_CHARACTERS

    def add(self, text: str) -> None:
        """A client event."""
        self._characters += len(text)
        self._waiting.append((text, False))

    def add_audio(self, text: str) -> None:
        """A frame of the microphone; the oldest ones make room for it."""
        self._waiting.append((text, True))
        self._frames += 1
        self._audio_characters += len(text)
        while self._frames > MOST_AUDIO or self._audio_characters > MOST_AUDIO_CHARACTERS:
            self._drop_oldest_frame()

    def take(self) -> str | None:
        """What is to be sent next; None if nothing waits."""
        if not self._waiting:
            return None
        text, is_audio = self._waiting.popleft()
        self._left(text, is_audio)
        return text

    def _left(self, text: str, is_audio: bool) -> None:
        if is_audio:
            self._frames -= 1
            self._audio_characters -= len(text)
        else:
            self._characters -= len(text)

    def _drop_oldest_frame(self) -> None:
        oldest = next(n for n, (_, is_audio) in enumerate(self._waiting) if is_audio)
        self._left(*self._waiting[oldest])
        del self._waiting[oldest]
