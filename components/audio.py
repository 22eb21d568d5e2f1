"""What PCM16 audio is on the wire: its coding, its length, its level.

Rule: mono, signed 16-bit little endian, 24 kHz everywhere in this program; the Realtime API takes
no other PCM rate. Nothing here resamples.
"""

import base64
from math import log10
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

SAMPLE_RATE: Final = 24_000
"""Hertz."""
BYTES_PER_MS: Final = SAMPLE_RATE * 2 // 1000
FRAME_MS: Final = 20
"""One WebRTC audio packet."""
FRAME_SAMPLES: Final = SAMPLE_RATE * FRAME_MS // 1000
FRAME_BYTES: Final = FRAME_SAMPLES * 2

FLOOR_DBFS: Final = -90.0
"""What is reported for digital silence: one step of 16 bits lies at -90.3 dBFS."""


def encode(pcm: bytes) -> str:
    """The base64 text of PCM bytes, as `input_audio_buffer.append` carries it."""
    return base64.b64encode(pcm).decode("ascii")


def decode(text: str) -> bytes:
    """The PCM bytes of a base64 text; `ValueError` if it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise ValueError(f"not base64 audio: {error}") from error


def duration_ms(pcm: bytes) -> int:
    """Whole milliseconds that the bytes last."""
    return len(pcm) // BYTES_PER_MS


def is_digital_silence(pcm: bytes) -> bool:
    """Whether there is no sound at all, not even a room's; a codec leaves steps of one."""
    samples = np.frombuffer(pcm, np.int16)
    return samples.size == 0 or (int(samples.max()) <= 1 and int(samples.min()) >= -1)


def level_dbfs(samples: Samples) -> float:
    """RMS level in dB relative to full scale, from `FLOOR_DBFS` to 0."""
    if samples.size == 0:
        return FLOOR_DBFS
    wave = samples.astype(np.float32)
    power = float(wave.dot(wave)) / samples.size  # in a quarter of the time that `np.mean` takes
    if power < 1.0:
        return FLOOR_DBFS
    return min(0.0, max(FLOOR_DBFS, 10 * log10(power / 32768.0**2)))


def level_of(pcm: bytes) -> float:
    """The level of PCM16 in tenths of a decibel, fine enough for a plot."""
    return round(level_dbfs(np.frombuffer(pcm, np.int16)), 1)
