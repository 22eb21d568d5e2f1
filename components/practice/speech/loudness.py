"""Brings every voice to one level, whoever speaks: voices differ by 13 dB.

Rule: a voice's gain is found once, from a calibration sentence, so that what is said softly stays
softer than what is said loudly.
"""

from typing import Final

import numpy as np

from components.audio import level_dbfs

LEVEL_DBFS: Final = -20.0
CALIBRATION: Final = "The quick brown fox jumps over the lazy dog."
_LOUDEST: Final = 32_767


def gain(pcm: bytes) -> float:
    """What brings the calibration sentence, spoken so, to the common level; 1 for silence."""
    samples = np.frombuffer(pcm, np.int16)
    if not samples.any():
        return 1.0
    return float(10 ** ((LEVEL_DBFS - level_dbfs(samples)) / 20))


def amplified(pcm: bytes, gain: float) -> bytes:
    """Sound with this gain; what would be too loud is clipped."""
    samples = np.frombuffer(pcm, np.int16) * gain
    return bytes(np.clip(samples, -_LOUDEST - 1, _LOUDEST).astype(np.int16))
