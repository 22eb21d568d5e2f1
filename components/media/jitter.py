"""The order and the time line of a packet stream whose taker counts bytes and has no clock.

Rule: a packet is taken when it comes, in order, or never. aiortc's own buffer waits for four
packets more before it gives one away, and after one lost packet stays some fifteen behind for the
rest of the call; that is right for a loudspeaker, and 80 to 300 ms too late for a Realtime API.
"""

from typing import Final

MAX_MISORDER: Final = 100
"""Packets; one that is older than this is the start of a new stream (aiortc's figure)."""
LATE_IN_A_ROW: Final = 8
"""So many old packets without a new one are a new stream as well."""


class PacketOrder:
    """Tells late and repeated packets from new ones, by their RTP sequence numbers."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._late = 0

    def takes(self, sequence_number: int) -> bool:
        """Whether the packet comes after all that were taken."""
        if self._is_late(sequence_number):
            return False
        self._last = sequence_number
        return True

    def _is_late(self, sequence_number: int) -> bool:
        if self._last is None:
            return False
        behind = (self._last - sequence_number) & 0xFFFF
        self._late = self._late + 1 if behind < MAX_MISORDER else 0
        if self._late >= LATE_IN_A_ROW:
            self._late = 0
        return self._late > 0


class TimeLine:
    """Tells how much sound is missing before a packet, by the RTP timestamps.

    The API counts audio, not time: a packet left out would shift every `audio_start_ms` after it.
    """

    def __init__(self, longest: int) -> None:
        """A gap of more than `longest` samples is a new stream, not lost packets."""
        self._longest = longest
        self._expected: int | None = None

    def missing(self, timestamp: int, samples: int) -> int:
        """Samples between the end of the last packet and the start of this one."""
        gap = (timestamp - self._expected) & 0xFFFFFFFF if self._expected is not None else 0
        self._expected = (timestamp + samples) & 0xFFFFFFFF
        return gap if gap <= self._longest else 0
