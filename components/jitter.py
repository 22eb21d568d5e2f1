"""A jitter buffer for a listener that eats a byte stream and not a clock: it holds nothing back.

Rule: a packet is released when it comes, in order, or never. aiortc's own buffer waits for four
packets more before it gives one away, and after one lost packet stays some fifteen behind for the
rest of the call; that is right for a loudspeaker, and 80 to 300 ms too late for a Realtime API.
"""

from dataclasses import dataclass
from typing import Final, Protocol

MAX_MISORDER: Final = 100
"""Packets; one that is older than this is the start of a new stream (aiortc's figure)."""
LATE_IN_A_ROW: Final = 8
"""So many old packets without a new one are a new stream as well."""


class Packet(Protocol):
    """What is read of an `RtpPacket`; `_data` is its payload without the codec's header."""

    sequence_number: int
    timestamp: int
    _data: bytes


@dataclass(slots=True)
class Frame:
    """An encoded frame; aiortc sets the timestamp anew when it has mapped it."""

    data: bytes
    timestamp: int


class PromptBuffer:
    """Stands in for `aiortc.jitterbuffer.JitterBuffer`, for audio: one packet is one frame."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._late = 0

    def add(self, packet: Packet) -> tuple[bool, Frame | None]:
        """The packet as a frame, or None if it is late or came before; never asks for a picture."""
        if self._is_late(packet.sequence_number):
            return False, None
        self._last = packet.sequence_number
        return False, Frame(packet._data, packet.timestamp)

    def _is_late(self, sequence_number: int) -> bool:
        if self._last is None:
            return False
        ahead = (sequence_number - self._last) & 0xFFFF
        behind = -ahead & 0xFFFF
        self._late = self._late + 1 if behind < MAX_MISORDER else 0
        if self._late >= LATE_IN_A_ROW:
            self._late = 0
        return self._late > 0
