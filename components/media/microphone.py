"""The track from the browser: every Opus packet, decoded and handed on when it comes.

Rule: nothing waits here, and no more sound leaves than time has passed, whatever the packets say:
what is sent on is paid for by the second. aiortc would hold packets back for its clock, decode in a
thread for each call, and fastrtc would pass the frames through two queues more; a `Microphone`
stands in for the jitter buffer at the head of that chain, and the rest of it stays idle.
"""

import time
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

from components.audio import FRAME_BYTES, SAMPLE_RATE
from components.media.bucket import TokenBucket
from components.media.jitter import PacketOrder, TimeLine
from components.media.opus import decoder

RTP_CLOCK: Final = 48_000
"""Hertz; that of Opus, whatever the browser encodes (RFC 7587)."""
LONGEST_GAP_S: Final = 5
AHEAD_S: Final = 2
"""So much sound may come before its time: the first packets may have been late themselves."""
FAST: Final = 1.01
"""The fastest clock of a sound card; real ones are off by a tenth of that."""
MOST_SOURCES: Final = 8
"""Streams that a browser has begun anew; aiortc keeps books on each for as long as the call."""
_SILENCE: Final = bytes(FRAME_BYTES)


class Packet(Protocol):
    """What is read of aiortc's `RtpPacket`; `_data` is its payload without the codec's header."""

    ssrc: int
    sequence_number: int
    timestamp: int
    payload_type: int
    _data: bytes


class Microphone:
    """Calls `deliver` with PCM of 24 kHz, mono, in pieces of 20 ms at the most.

    Packets of other codecs than Opus are dropped, as nobody would hear them. `deliver` must not
    raise; `hang_up` may be called more than once.
    """

    def __init__(
        self,
        deliver: Callable[[bytes], None],
        opus: Collection[int],
        hang_up: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`opus` are the payload types that stand for Opus in this call's SDP."""
        self._deliver = deliver
        self._opus = opus
        self._hang_up = hang_up
        self._clock = clock
        self._sources: set[int] = set()
        self._order = PacketOrder()
        self._time_line = TimeLine(LONGEST_GAP_S * RTP_CLOCK)
        self._passed = TokenBucket(
            FAST * RTP_CLOCK, (LONGEST_GAP_S + AHEAD_S) * RTP_CLOCK, AHEAD_S * RTP_CLOCK
        )
        """Samples of the RTP clock for which time has passed."""
        self._decoder = decoder()

    def add(self, packet: Packet) -> tuple[bool, Any]:
        """As aiortc calls its jitter buffer; there is never a frame left to decode."""
        if packet.ssrc not in self._sources:
            self._begin(packet.ssrc)
        if packet.payload_type not in self._opus:
            return False, None
        if self._order.takes(packet.sequence_number):
            self._take(self._decoder.decode(packet._data), packet.timestamp)
        return False, None

    def _begin(self, ssrc: int) -> None:
        self._sources.add(ssrc)
        if len(self._sources) > MOST_SOURCES:
            self._sources = {ssrc}
            self._hang_up()

    def _take(self, pcm: bytes, timestamp: int) -> None:
        if not pcm:
            return  # as good as lost: silence will take its place
        samples = len(pcm) // 2 * (RTP_CLOCK // SAMPLE_RATE)
        missing = self._time_line.missing(timestamp, samples)
        due = self._passed.take(missing + samples, self._clock())
        if due < samples:
            return
        if missing:
            self._fill(due - samples)
        if len(pcm) <= FRAME_BYTES:
            self._deliver(pcm)
            return
        for at in range(0, len(pcm), FRAME_BYTES):
            self._deliver(pcm[at : at + FRAME_BYTES])

    def _fill(self, samples: float) -> None:
        """Silence, of so many samples of the RTP clock."""
        silence = 2 * (round(samples) * SAMPLE_RATE // RTP_CLOCK)
        for _ in range(silence // FRAME_BYTES):
            self._deliver(_SILENCE)
        if rest := silence % FRAME_BYTES:
            self._deliver(bytes(rest))
