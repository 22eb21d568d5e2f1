"""48 kHz to 24 kHz, as the microphone's packets come.

Rule: one stream, in whatever pieces it comes: the filter remembers what came before, so that no
seam sounds, and delays the sound by two thirds of a millisecond, not more. PyAV's resampler would
bring threads of its own into every call, which stay for a while after it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.audio import Samples

_LENGTH: Final = 63
_PASS: Final = 0.23
"""The middle of the transition band, as a share of 48 kHz: 11 kHz, below the 12 kHz that fold."""


class Decimator:
    """Halves the rate of one stream."""

    def __init__(self) -> None:
        self._waiting: NDArray[np.float32] = np.zeros(_LENGTH - 1, np.float32)

    def halve(self, samples: Samples) -> Samples:
        """The samples that can be made now; any number may be given, in any pieces."""
        stream = np.concatenate((self._waiting, samples.astype(np.float32)))
        count = max(0, (len(stream) - _LENGTH) // 2 + 1)
        self._waiting = stream[2 * count :]
        if not count:
            return np.zeros(0, np.int16)
        halved = np.convolve(stream, _TAPS, "valid")[: 2 * count : 2]
        return np.clip(np.rint(halved), -32768, 32767).astype(np.int16)


def _low_pass() -> NDArray[np.float32]:
    """A windowed sinc; symmetric, so every frequency is delayed alike."""
    at = np.arange(_LENGTH) - (_LENGTH - 1) / 2
    taps = 2 * _PASS * np.sinc(2 * _PASS * at) * np.kaiser(_LENGTH, 7.0)
    return np.asarray(taps / taps.sum(), np.float32)


_TAPS: Final = _low_pass()
