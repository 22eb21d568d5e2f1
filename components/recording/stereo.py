"""Two voices side by side: when each was heard becomes its place in a recording.

Rule: the left channel is the user, the right one the assistant. Frames that come unevenly, as they
do over a network, lie one after the other; a side that is off its moments for long is moved by a
frame at a time, so that it lies within 20 ms of them again. Where nobody was heard there is
silence. Times are seconds of any steady clock.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from components.audio import BYTES_PER_MS, FRAME_BYTES, FRAME_MS

FRAMES_A_SECOND: Final = 1000 // FRAME_MS
SLACK_FRAMES: Final = 5
"""So uneven may frames come; one that is farther from its moment begins anew there."""
STEADY_FRAMES: Final = 25
"""So many frames in a row that are off to the same side are no accident of the network."""
DELAY_FRAMES: Final = 75
"""Frames that are not given out yet, as their places may still change."""
FAR_FRAMES: Final = 1_000
"""No first frame is near this before the beginning."""

Side = Literal["left", "right"]
Slot = tuple[bytes, bytes]
"""20 ms of both sides (PCM16, 24 kHz, mono); empty for silence."""


@dataclass(slots=True)
class _Track:
    """One side."""

    placed: dict[int, bytes] = field(default_factory=dict)
    follows: int = -FAR_FRAMES
    """The place after the newest frame."""
    off: int = 0
    """How many of the newest frames were late, or early if negative."""
    rest: bytes = b""
    """Less than a frame, still to be completed."""


class Stereo:
    """Takes sound of both sides; gives what is complete."""

    def __init__(self, begun: float) -> None:
        """`begun` is the moment of the first sample."""
        self._begun = begun
        self._given = 0
        self._tracks: dict[Side, _Track] = {"left": _Track(), "right": _Track()}

    def put(self, side: Side, pcm: bytes, at: float) -> None:
        """Sound (PCM16, 24 kHz, mono) whose first sample was heard at the moment `at`."""
        track = self._tracks[side]
        begins = at - len(track.rest) / BYTES_PER_MS / 1000
        whole = track.rest + pcm
        count = len(whole) // FRAME_BYTES
        for number in range(count):
            frame = whole[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]
            self._place(track, frame, begins + number / FRAMES_A_SECOND)
        track.rest = whole[count * FRAME_BYTES :]

    def cut(self, now: float) -> None:
        """What of the assistant would have been heard from now on never will be."""
        track, first = self._tracks["right"], self._moment(now)
        track.placed = {place: pcm for place, pcm in track.placed.items() if place < first}
        track.follows = -FAR_FRAMES  # the next answer begins at its own moment, however soon

    def take(self, now: float) -> list[Slot]:
        """What nobody can change any more, in order."""
        return self._give(self._moment(now) - DELAY_FRAMES)

    def rest(self, now: float) -> list[Slot]:
        """The end of it; what would have been heard later is left out."""
        return self._give(self._moment(now))

    def _moment(self, at: float) -> int:
        return round((at - self._begun) * FRAMES_A_SECOND)

    def _place(self, track: _Track, pcm: bytes, at: float) -> None:
        place = self._moment(at)
        late = place - track.follows
        if abs(late) > SLACK_FRAMES:
            track.off = 0
        else:
            place = track.follows + _step(track, late)
        track.follows = place + 1
        if place >= self._given:
            track.placed[place] = pcm

    def _give(self, until: int) -> list[Slot]:
        left, right = self._tracks["left"].placed, self._tracks["right"].placed
        slots = [
            (left.pop(place, b""), right.pop(place, b"")) for place in range(self._given, until)
        ]
        self._given = max(self._given, until)
        return slots


def _step(track: _Track, late: int) -> int:
    """By how much a frame leaves the row: 0, or one frame when the row has been off for long."""
    sign = (late > 0) - (late < 0)
    track.off = track.off + sign if sign and track.off * sign >= 0 else sign
    if abs(track.off) < STEADY_FRAMES:
        return 0
    track.off = 0
    return sign
