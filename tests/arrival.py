"""How a sound arrived: where each piece of it lies in what was received, and how alike it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIECE_S = 0.3
EVERY_S = 0.1
FRAME_S = 0.02
LOUD = 500
"""RMS of 16 bit samples."""
SILENT = 20


@dataclass(frozen=True)
class Arrival:
    """What became of a sound on its way."""

    drift_ms: float
    """How much later the last third of it came than the first one, by the medians of its pieces.

    One piece that a lost packet spoiled may fit elsewhere; sound left out or doubled moves all.
    """
    likeness: float
    """The median of the pieces' normalised correlations, 1 at best."""
    silenced: float
    """The share of its loud frames in whose place there is silence."""


def arrival(sent: NDArray[np.int16], received: NDArray[np.int16], rate: int) -> Arrival:
    """Find mono `sent` in mono `received`; both have this rate, in hertz."""
    signal, heard = sent.astype(np.float64), received.astype(np.float64)
    assert len(heard) >= len(signal), "less arrived than was sent"
    whole = _place(signal, heard)
    length = margin = round(PIECE_S * rate)
    shifts, likenesses = [], []
    for start in range(0, len(signal) - length, round(EVERY_S * rate)):
        piece = signal[start : start + length]
        if _rms(piece) < LOUD:
            continue
        begin = max(0, whole + start - margin)
        window = heard[begin : whole + start + length + margin]
        place = _place(piece, window)
        found = window[place : place + length]
        likenesses.append(piece @ found / (np.linalg.norm(piece) * np.linalg.norm(found) + 1e-9))
        shifts.append(1000 * (begin + place - whole - start) / rate)
    third = len(shifts) // 3
    drift = float(np.median(shifts[-third:]) - np.median(shifts[:third]))
    silenced = _silenced(signal, heard[whole:], round(FRAME_S * rate))
    return Arrival(drift, float(np.median(likenesses)), silenced)


def _place(piece: NDArray[np.float64], window: NDArray[np.float64]) -> int:
    """Where in the window the piece fits best, whatever is louder there."""
    size = len(window) + len(piece)
    spectrum = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    products = np.fft.irfft(spectrum, size)[: len(window) - len(piece) + 1]
    energy = np.concatenate([[0.0], np.cumsum(window**2)])
    norms = np.sqrt(np.maximum(energy[len(piece) :] - energy[: -len(piece)], 1.0))
    return int(np.argmax(products / norms))


def _silenced(signal: NDArray[np.float64], heard: NDArray[np.float64], frame: int) -> float:
    starts = range(0, min(len(signal), len(heard)) - frame, frame)
    loud = [start for start in starts if _rms(signal[start : start + frame]) > LOUD]
    gone = [start for start in loud if _quietest(heard[start : start + frame]) < SILENT]
    return len(gone) / len(loud)


def _quietest(frame: NDArray[np.float64]) -> float:
    """The lower of the levels of its halves: a lost packet need not lie on a frame's edge."""
    return min(_rms(half) for half in np.array_split(frame, 2))


def _rms(samples: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(samples**2)))
