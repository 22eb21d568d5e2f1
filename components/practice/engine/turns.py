"""When speech starts and stops, from a speech probability for each short hop of audio.

Rule: speech starts once 90 ms of the last 160 ms are voiced, and stops after a full silence; a hop
within 0.15 below the threshold keeps speech going but does not start it.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

START_VOICED_MS: Final = 90
START_WINDOW_MS: Final = 160
HYSTERESIS: Final = 0.15

PAUSE_MS: Final = 160
"""Longer than the gaps within words; half of what ends a turn, at the least."""

SEMANTIC_SILENCE_MS: Final = {"low": 1600, "medium": 800, "auto": 800, "high": 400}
"""Semantic turn detection approximated: a fifth of the API's longest wait for each eagerness."""


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began `onset_ms` after the session's first audio."""

    onset_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The silence after speech was complete at `end_ms`; the speech itself ended earlier."""

    end_ms: int
    speech_end_ms: int


class TurnDetector:
    """Follows one microphone; `position_ms` is where the first hop begins."""

    def __init__(self, hop_ms: int, position_ms: int) -> None:
        self.position_ms = position_ms
        self.speaking = False
        self._hop_ms = hop_ms
        self._window: deque[bool] = deque(maxlen=max(1, START_WINDOW_MS // hop_ms))
        self._needed = min(-(-START_VOICED_MS // hop_ms), START_WINDOW_MS // hop_ms or 1)
        self._quiet_ms = 0
        self._threshold = 0.5
        self._silence_ms = 500

    @property
    def pausing(self) -> bool:
        """Whether the speaker has been quiet for `PAUSE_MS`, though the turn is not over."""
        return self._quiet_ms >= PAUSE_MS

    def configure(self, turn_detection: Mapping[str, Any]) -> None:
        """Follow a session's `turn_detection` from the next hop on."""
        self._threshold = turn_detection.get("threshold", 0.5)
        if turn_detection["type"] == "semantic_vad":
            self._silence_ms = SEMANTIC_SILENCE_MS[turn_detection["eagerness"]]
        else:
            self._silence_ms = turn_detection["silence_duration_ms"]

    def hop(self, probability: float) -> Started | Stopped | None:
        """Take the next hop's speech probability."""
        self.position_ms += self._hop_ms
        return (
            self._while_speaking(probability) if self.speaking else self._while_quiet(probability)
        )

    def stop(self) -> None:
        """Whatever is being said, the turn is over."""
        self.speaking = False
        self._window.clear()
        self._quiet_ms = 0

    def _while_quiet(self, probability: float) -> Started | None:
        self._window.append(probability >= self._threshold)
        if sum(self._window) < self._needed:
            return None
        onset_ms = self.position_ms - self._hop_ms * (len(self._window) - self._window.index(True))
        self.stop()
        self.speaking = True
        return Started(onset_ms)

    def _while_speaking(self, probability: float) -> Stopped | None:
        quiet = probability < self._threshold - HYSTERESIS
        self._quiet_ms = self._quiet_ms + self._hop_ms if quiet else 0
        if not quiet or self._quiet_ms < self._silence_ms:
            return None
        speech_end_ms = self.position_ms - self._quiet_ms
        self.stop()
        return Stopped(self.position_ms, speech_end_ms)
