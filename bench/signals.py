"""The sounds that are measured with: marks in the microphone, chirps as replies.

Rule: a sound says by itself which one it is, so that it is found again whatever was lost, delayed
or stretched on the way. A mark is one frame of tone whose pitch is its number; a reply is a chirp
whose pitch is the position in it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

API_RATE: Final = 24_000
RTC_RATE: Final = 48_000
FRAME_S: Final = 0.02
RTC_FRAME: Final = round(RTC_RATE * FRAME_S)

MARK_EVERY: Final = 15
"""Frames; an odd number, so that marks fall on both halves of a 40 ms append."""
MARKS: Final = 16
"""Different marks; a delay is known up to so many intervals, which is 4.8 s."""
CYCLE: Final = MARKS * MARK_EVERY
_LOWEST: Final = 500.0
_STEP: Final = 125.0
_LOUD: Final = 3000
_APART: Final = API_RATE // 10
"""Samples without sound before a mark."""

CHIRP_SLOPE: Final = 400.0
"""Hertz per second: one hertz is 2.5 ms of a reply."""
CHIRP_LEVEL: Final = 8000
FRAME_MS: Final = 10.0
"""What a browser plays at a time."""
BAND: Final = 50.0
"""Hertz outside a reply's chirp that still belong to it."""
HOLE_MS: Final = 20.0
"""Two frames that lie further apart than this have something missing between them."""


@dataclass(frozen=True)
class Mark:
    """A mark that was found: where it begins (samples at `API_RATE`), and its number."""

    sample: int
    number: int


def microphone() -> Samples:
    """One cycle of the microphone, `CYCLE` frames at `RTC_RATE`: marks in a quiet room."""
    room = np.random.default_rng(1).normal(0, 60, CYCLE * RTC_FRAME)
    at = np.arange(RTC_FRAME) / RTC_RATE
    for number in range(MARKS):
        begin = number * MARK_EVERY * RTC_FRAME
        room[begin : begin + RTC_FRAME] += 16_000 * np.sin(2 * np.pi * _pitch(number) * at)
    return room.astype(np.int16)


def mark_of_frame(frame: int) -> int | None:
    """The number of the mark that the microphone's frame (from 0) is, if it is one."""
    index, rest = divmod(frame % CYCLE, MARK_EVERY)
    return None if rest else index


def find_marks(samples: Samples) -> list[Mark]:
    """The marks in what was appended, at `API_RATE`; one whose pitch is unclear is left out."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _LOUD)
    if not loud.size:
        return []
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-_APART - 1) > _APART)]
    found = []
    for start in starts:
        pitch = frequency(samples[start : start + round(0.012 * API_RATE)], API_RATE)
        number = round((pitch - _LOWEST) / _STEP)
        if abs(pitch - _pitch(number)) < 0.4 * _STEP and 0 <= number < MARKS:
            found.append(Mark(int(start), number))
    return found


def frequency(samples: Samples, rate: int) -> float:
    """The pitch of a tone, from its first to its last zero crossing; 0 if there are not two."""
    rising = np.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0))
    if rising.size < 2:
        return 0.0
    before = samples[rising].astype(float)
    after = samples[rising + 1].astype(float)
    crossings = rising + before / (before - after)
    return float(rate * (rising.size - 1) / (crossings[-1] - crossings[0]))


def chirp(seconds: float, hertz: float) -> Samples:
    """A reply at `API_RATE` whose pitch begins at `hertz` and rises by `CHIRP_SLOPE`."""
    at = np.arange(round(seconds * API_RATE)) / API_RATE
    phase = 2 * np.pi * (hertz * at + CHIRP_SLOPE * at**2 / 2)
    return (CHIRP_LEVEL * np.sin(phase)).astype(np.int16)


def position_ms(pitch: float, hertz: float) -> float:
    """Where in a chirp from `hertz` a frame of this pitch has its middle."""
    return 1000 * (pitch - hertz) / CHIRP_SLOPE


def in_chirp(pitch: float, hertz: float, seconds: float) -> bool:
    """Whether a pitch belongs to this chirp."""
    return hertz - BAND <= pitch <= hertz + seconds * CHIRP_SLOPE + BAND


def missing_ms(positions: list[float], length_ms: float) -> float:
    """How much of a reply is in none of its frames, given by the positions of their middles."""
    edges = [-FRAME_MS / 2, *sorted(positions), length_ms + FRAME_MS / 2]
    gaps = np.diff(edges)
    return float(sum(gap - FRAME_MS for gap in gaps if gap > HOLE_MS))


def _pitch(number: int) -> float:
    return _LOWEST + _STEP * number
