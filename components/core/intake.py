"""Which frames of the microphone the server gets, and when.

Rule: the first word is not lost, and nobody is answered seconds late. Frames wait until the session
is configured; while a connection is gone only the newest are kept; in push-to-talk they pass while
the button is held, with a little from before it.
"""

from collections import deque
from typing import Final

from components.audio import FRAME_MS, is_digital_silence

EARLY_FRAMES: Final = 2000 // FRAME_MS
"""Kept until the first session is configured."""
GAP_FRAMES: Final = 400 // FRAME_MS
"""Kept while the connection is gone."""
PRE_ROLL_FRAMES: Final = 400 // FRAME_MS
"""From before the talk button was pressed, as people speak a little before they press."""
LEAST_TURN_FRAMES: Final = 100 // FRAME_MS
"""The API refuses to commit less than 100 ms."""
DEAD_FRAMES: Final = 3000 // FRAME_MS
"""Without any sound at all since the call began: the microphone is switched off."""


class Intake:
    """Takes frames of 20 ms (24 kHz, mono, PCM16), gives those that are to be sent now."""

    def __init__(self, push_to_talk: bool) -> None:
        self._push_to_talk = push_to_talk
        self._open = False
        self._waiting: deque[bytes] = deque(maxlen=EARLY_FRAMES)
        self._pre_roll: deque[bytes] = deque(maxlen=PRE_ROLL_FRAMES)
        self._held: int | None = None
        self._dead: int | None = 0

    @property
    def pressed(self) -> bool:
        """Whether the talk button is held."""
        return self._held is not None

    @property
    def dead(self) -> bool:
        """Whether the microphone has given nothing at all for long enough to say so."""
        return self._dead is not None and self._dead >= DEAD_FRAMES

    def take(self, pcm: bytes, muted: bool) -> list[bytes]:
        """A frame has come; a muted one counts as silence, which ends a turn as silence does."""
        if muted:
            pcm = bytes(len(pcm))
        else:
            self._listen_for_life(pcm)
        if self._push_to_talk and self._held is None:
            self._pre_roll.append(pcm)
            return []
        if not self._open:
            self._waiting.append(pcm)
            return []
        if self._held is not None:
            self._held += 1
        return [pcm]

    def open(self) -> list[bytes]:
        """The session is configured: what has waited, in order."""
        self._open = True
        return _drained(self._waiting)

    def close(self) -> None:
        """The session is gone, for now; a press that was under way is lost with it."""
        self._open = False
        self._held = None
        self._waiting = deque(maxlen=GAP_FRAMES)

    def press(self) -> list[bytes]:
        """The talk button goes down: what was said just before."""
        pre_roll = _drained(self._pre_roll)
        self._held = len(pre_roll)
        return pre_roll

    def release(self) -> bool:
        """The talk button goes up: whether the turn is long enough to be one."""
        held, self._held = self._held or 0, None
        return held >= LEAST_TURN_FRAMES

    def _listen_for_life(self, pcm: bytes) -> None:
        if self._dead is not None:
            self._dead = self._dead + 1 if is_digital_silence(pcm) else None


def _drained(frames: deque[bytes]) -> list[bytes]:
    drained = list(frames)
    frames.clear()
    return drained
