"""The track from the browser: every Opus packet, decoded and handed on when it comes.

Rule: nothing waits here. aiortc would hold packets back for its clock, decode in a thread for each
call, and fastrtc would pass the frames through two queues more; a `Microphone` stands in for the
jitter buffer at the head of that chain, and the rest of it stays idle.
"""

from collections.abc import Callable, Collection
from typing import Final, Protocol

import av

from components.audio import SAMPLE_RATE
from components.media.decimate import Decimator
from components.media.jitter import PacketOrder, TimeLine

RTP_CLOCK: Final = 48_000
"""Hertz; that of Opus, whatever the browser encodes (RFC 7587)."""
LONGEST_GAP_S: Final = 5


class Packet(Protocol):
    """What is read of aiortc's `RtpPacket`; `_data` is its payload without the codec's header."""

    sequence_number: int
    timestamp: int
    payload_type: int
    _data: bytes


class Buffer(Protocol):
    """aiortc's jitter buffer: the stock one, or a `Microphone`."""

    def add(self, packet: Packet) -> tuple[bool, object | None]:
        """Take a packet; whether a picture is to be asked for, and a frame to decode."""


class Microphone:
    """Calls `deliver` with PCM of 24 kHz, mono, as much as each packet brings (mostly 20 ms).

    Packets of other codecs than Opus go to `stock` and so take aiortc's way. `deliver` must
    not raise.
    """

    def __init__(
        self, deliver: Callable[[bytes], None], opus: Collection[int], stock: Buffer
    ) -> None:
        """`opus` are the payload types that stand for Opus in this call's SDP."""
        self._deliver = deliver
        self._opus = opus
        self._stock = stock
        self._order = PacketOrder()
        self._time_line = TimeLine(LONGEST_GAP_S * RTP_CLOCK)
        self._decoder = av.CodecContext.create("libopus", "r")
        self._decoder.format = "s16"
        self._decoder.layout = "mono"
        self._decoder.thread_count = 1
        self._decimator = Decimator()

    def add(self, packet: Packet) -> tuple[bool, object | None]:
        """As aiortc calls its jitter buffer; there is never a frame left to decode."""
        if packet.payload_type not in self._opus:
            return self._stock.add(packet)
        if self._order.takes(packet.sequence_number) and packet._data:
            try:
                frames = self._decoder.decode(av.Packet(packet._data))
            except av.FFmpegError:
                frames = []  # as good as lost: silence will take its place
            for frame in frames:
                self._take(frame, packet.timestamp)
        return False, None

    def _take(self, frame: av.AudioFrame, timestamp: int) -> None:
        missing = self._time_line.missing(timestamp, frame.samples)
        if missing:
            self._deliver(bytes(2 * (missing * SAMPLE_RATE // RTP_CLOCK)))
        self._deliver(self._decimator.halve(frame.to_ndarray()[0]).tobytes())
