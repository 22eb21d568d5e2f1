"""Telephone sound: G.711 at 8 kHz, from and to the PCM at 24 kHz that the engine works with.

Rule: one coder per stream, as each holds its filter's state; so many milliseconds go in, so many
come out, a millisecond late.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Coder = Callable[[bytes], bytes]

PCM: Final = "audio/pcm"
PCMU: Final = "audio/pcmu"
PCMA: Final = "audio/pcma"
GROWTH: Final = 6
"""So many bytes of PCM a byte of G.711 becomes."""

_RATIO: Final = 3
_TAPS: Final = 49
_CUTOFF: Final = 3600 / 24_000
"""Of the sampling rate of PCM; half of 8 kHz is what the filter has to have damped."""


def decoder(format_type: str) -> Coder:
    """A new stream from a format of the API to PCM."""
    return bytes if format_type == PCM else _Decoder(LEVELS[format_type])


def encoder(format_type: str) -> Coder:
    """A new stream from PCM to a format of the API."""
    return bytes if format_type == PCM else _Encoder(LEVELS[format_type])


def _mu_law() -> NDArray[np.float32]:
    code = ~np.arange(256) & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.float32)


def _a_law() -> NDArray[np.float32]:
    code = np.arange(256) ^ 0x55
    segment, step = code >> 4 & 7, (code & 0x0F) << 4
    size = np.where(segment, step + 0x108 << np.maximum(segment - 1, 0), step + 8)
    return np.where(code & 0x80, size, -size).astype(np.float32)


def _low_pass() -> NDArray[np.float32]:
    """A windowed sinc that passes what a telephone does."""
    at = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(2 * _CUTOFF * at) * np.hamming(_TAPS)
    whole: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return whole


LEVELS: Final = {PCMU: _mu_law(), PCMA: _a_law()}
"""The sample that each byte stands for, by format."""
_FILTER: Final = _low_pass()


class _Filter:
    """The low pass over a stream at 24 kHz."""

    def __init__(self) -> None:
        self._before = np.zeros(_TAPS - 1, np.float32)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """As many samples as came in."""
        if samples.size == 0:
            return samples
        whole = np.concatenate((self._before, samples))
        self._before = whole[-(_TAPS - 1) :]
        smooth: NDArray[np.float32] = np.convolve(whole, _FILTER, "valid")
        return smooth


class _Decoder:
    """G.711 to PCM."""

    def __init__(self, levels: NDArray[np.float32]) -> None:
        self._levels = levels * _RATIO  # two of three samples are zero before the filter
        self._filter = _Filter()

    def __call__(self, coded: bytes) -> bytes:
        spread = np.zeros(len(coded) * _RATIO, np.float32)
        spread[::_RATIO] = self._levels[np.frombuffer(coded, np.uint8)]
        smooth = np.rint(self._filter(spread))
        return np.clip(smooth, -32768, 32767).astype("<i2").tobytes()


class _Encoder:
    """PCM to G.711: each sample becomes the nearest that there is a byte for."""

    def __init__(self, levels: NDArray[np.float32]) -> None:
        self._codes = np.argsort(levels, kind="stable").astype(np.uint8)
        ordered = levels[self._codes]
        self._borders = (ordered[1:] + ordered[:-1]) / 2
        self._filter = _Filter()
        self._skipped = 0
        """Samples until the next one that is kept."""

    def __call__(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32)
        kept = self._filter(samples)[self._skipped :: _RATIO]
        self._skipped = (self._skipped - samples.size) % _RATIO
        return self._codes[np.searchsorted(self._borders, kept)].tobytes()
