"""How long sound is under way between a browser and this app, as the page has measured it last.

Rule: a page is believed within bounds, as it is not to be trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.core.playback import DEFAULT_DELAY_S, sensible_delay

UNMEASURED_S: Final = 0.01
"""What codec and devices take in each direction beside what a browser measures: in nine answers of
three calls 0 to 40 ms were left in both together, 20 in the middle."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Of one call, in seconds."""

    to_ear_s: float = DEFAULT_DELAY_S
    """From the hand-over of a frame to its sound in the listener's ear."""
    to_us_s: float = 0.0
    """From a browser that sends a frame to its arrival here."""

    def heard(self, now: float) -> float:
        """When a frame that is handed over now begins to be heard."""
        return now + self.to_ear_s + UNMEASURED_S

    def said(self, now: float) -> float:
        """When the last sample of a frame that arrives now was said."""
        return now - self.to_us_s - UNMEASURED_S


def delays_of(message: Mapping[str, Any]) -> Delays | None:
    """What a message of the page tells of it; None if it is about something else."""
    match message:
        case {
            "type": "playout",
            "delay_ms": int(delay) | float(delay),
            "rtt_ms": int(rtt) | float(rtt),
        }:
            return Delays(sensible_delay((delay + rtt / 2) / 1000), sensible_delay(rtt / 2000))
    return None
