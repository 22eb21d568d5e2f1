"""A melody whose every 20 ms can be told apart, and what became of it on its way.

Rule: judged is the order of the sound and its length, in samples; the clock plays no part.
"""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP_MS = 20
NOTE_STEPS = 3
PITCHES_HZ = tuple(range(400, 3200, 400))
LOUD = 1000
"""RMS of 16 bit samples; what is less counts as silence. A note has some 5700."""
AMPLITUDE = 8000
LATEST_STEPS = 10
"""So many steps at the beginning may be lost."""


@dataclass(frozen=True)
class Arrival:
    """What became of a melody."""

    wrong: int
    """Its steps in whose place there is silence or another pitch."""
    longer_ms: float
    """From the first sound to the last, beyond its own length."""


def melody(notes: int, rate: int) -> NDArray[np.int16]:
    """The same notes at each sample rate (hertz), mono; none is like the one before it."""
    chance, pitches = random.Random(1), [PITCHES_HZ[0]]
    while len(pitches) < notes:
        pitches.append(chance.choice([each for each in PITCHES_HZ if each != pitches[-1]]))
    time_s = np.arange(NOTE_STEPS * STEP_MS * rate // 1000) / rate
    sounds = [AMPLITUDE * np.sin(2 * np.pi * pitch * time_s) for pitch in pitches]
    return np.concatenate(sounds).astype(np.int16)


def is_whole(heard: NDArray[np.int16], sent: NDArray[np.int16], rate: int) -> bool:
    """Whether so much came after the first sound that the melody is in there."""
    loud = _loud_steps(heard, rate)
    begin = loud[0] if len(loud) else len(heard)
    return len(heard) >= (begin + LATEST_STEPS) * STEP_MS * rate // 1000 + len(sent)


def arrival(heard: NDArray[np.int16], sent: NDArray[np.int16], rate: int) -> Arrival:
    """Compare what was heard with the melody that was sent, aligned once for all of it."""
    step = STEP_MS * rate // 1000
    loud = _loud_steps(heard, rate)
    before = max(0, (loud[0] - LATEST_STEPS) * step)
    place = before + _place(sent, heard[before : before + len(sent) + 2 * LATEST_STEPS * step])
    steps = heard[place : place + len(sent)].reshape(-1, step)
    pairs = zip(steps, sent.reshape(-1, step), strict=True)
    wrong = sum(_rms(each) < LOUD or _pitch(each, rate) != _pitch(due, rate) for each, due in pairs)
    length_ms = int(loud[-1] - loud[0] + 1) * STEP_MS
    return Arrival(wrong, length_ms - 1000 * len(sent) / rate)


def _place(sent: NDArray[np.int16], heard: NDArray[np.int16]) -> int:
    """Where the whole of it fits best."""
    size = len(heard) + len(sent)
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: len(heard) - len(sent) + 1]))


def _loud_steps(samples: NDArray[np.int16], rate: int) -> NDArray[np.intp]:
    step = STEP_MS * rate // 1000
    steps = samples[: len(samples) // step * step].reshape(-1, step)
    return np.flatnonzero([_rms(each) >= LOUD for each in steps])


def _pitch(samples: NDArray[np.int16], rate: int) -> int:
    """The pitch that is loudest in it."""
    time_s = np.arange(len(samples)) / rate
    waves = np.exp(-2j * np.pi * np.outer(PITCHES_HZ, time_s))
    return PITCHES_HZ[int(np.argmax(np.abs(waves @ samples.astype(np.float64))))]


def _rms(samples: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
