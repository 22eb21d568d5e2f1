"""Whether the server reacts to what it is sent; if not, the sentence that says so.

Rule: whoever gets no answer is told so within three seconds. Any event counts as a reaction, and
withdraws the sentence.
"""

from collections import deque
from typing import Final

import numpy as np

from components.audio import FRAME_MS, level_dbfs

PATIENCE_S: Final = 3.0
"""A server that is well reacts within a fraction of that."""
LOUD_FRAMES: Final = round(PATIENCE_S * 1000) // FRAME_MS
"""So much speech within `WINDOW_FRAMES`, and no turn detection noticed it."""
WINDOW_FRAMES: Final = 3 * LOUD_FRAMES
"""Speech has pauses, but a noise now and then does not add up to speech."""
SPEECH_DBFS: Final = -40.0
"""Speech into a microphone is louder than that."""
ABOVE_NOISE_DB: Final = 10.0
"""And so much louder than its own pauses, which a steady noise is not."""
FLOOR_RISE_DB: Final = 0.04
"""A frame: the measured noise floor falls at once, and rises by two decibels a second."""

NOT_ANSWERED: Final = "The server has taken the call but has not answered yet."
DEAF: Final = (
    "You can be heard here, but the server does not react. Wait a moment, or end the call and start"
    " it again."
)
NO_REACTION: Final = (
    "The server does not react to what you said. Wait a moment, or end the call and start it again."
)


class Liveness:
    """Told of what goes to the server and what comes back."""

    def __init__(self) -> None:
        self._waiting_for = ""
        self._until = 0.0
        self._loud: deque[bool] = deque(maxlen=WINDOW_FRAMES)
        """Whether each of the newest frames was as loud as speech."""
        self._loud_frames = 0
        self._deaf = False
        self._floor_dbfs = 0.0

    def asked(self, sentence: str, now: float) -> None:
        """Something was sent that the server answers at once; if it does not, say the sentence."""
        if not self._waiting_for:
            self._waiting_for = sentence
            self._until = now + PATIENCE_S

    def listen(self, pcm: bytes) -> None:
        """20 ms of microphone went out that turn detection would notice if it were speech."""
        level = level_dbfs(np.frombuffer(pcm, np.int16))
        self._floor_dbfs = min(level, self._floor_dbfs + FLOOR_RISE_DB)
        loud = level > max(SPEECH_DBFS, self._floor_dbfs + ABOVE_NOISE_DB)
        if len(self._loud) == WINDOW_FRAMES:
            self._loud_frames -= self._loud[0]
        self._loud.append(loud)
        self._loud_frames += loud
        self._deaf = self._deaf or self._loud_frames >= LOUD_FRAMES

    def reacted(self) -> None:
        """An event came, or there is nobody to react any more."""
        self._waiting_for = ""
        self._deaf = False
        if self._loud_frames:
            self._loud.clear()
            self._loud_frames = 0

    def sentence(self, now: float) -> str:
        """What there is to say; empty if all is well."""
        if self._waiting_for and now >= self._until:
            return self._waiting_for
        return DEAF if self._deaf else ""
