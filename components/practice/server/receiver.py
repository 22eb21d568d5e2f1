"""The sound of a caller, packet by packet as it comes.

Rule: nothing is held back and nothing is thrown away because it came in a rush. aiortc's own jitter
buffer keeps a third of a second and drops the rest, which on a busy machine eats syllables; ears
that count bytes need no clock.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

import av

from components.audio import SAMPLE_RATE

RTP_CLOCK: Final = 48_000
LONGEST_GAP: Final = 2 * RTP_CLOCK
"""Samples; a longer silence in the stream is a new stream."""
JITTER_BUFFER: Final = "_RTCRtpReceiver__jitter_buffer"
"""Where aiortc's receiver puts each packet."""


class OpusReceiver:
    """Stands in for aiortc's jitter buffer: calls `deliver` with PCM of 24 kHz, mono."""

    def __init__(self, deliver: Callable[[bytes], None], opus: Collection[int]) -> None:
        """`opus` are the payload types of Opus; packets of others are dropped."""
        self._deliver = deliver
        self._opus = opus
        self._newest: int | None = None
        self._expected = 0
        self._decoder = av.CodecContext.create("libopus", "r")
        self._decoder.format = "s16"
        self._decoder.layout = "mono"
        self._resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)

    def add(self, packet: Any) -> tuple[bool, None]:
        """A packet of aiortc's; there is never a frame left for it to decode."""
        if packet.payload_type in self._opus and packet._data and self._is_new(packet):
            try:
                frames = self._decoder.decode(av.Packet(packet._data))
            except av.FFmpegError:
                frames = []
            for frame in frames:
                self._take(frame, packet.timestamp)
        return False, None

    def _is_new(self, packet: Any) -> bool:
        """Whether a packet comes after all before it; a late one would be out of place."""
        if self._newest is not None and (packet.sequence_number - self._newest - 1) & 0x8000:
            return False
        if self._newest is None:
            self._expected = packet.timestamp
        self._newest = packet.sequence_number
        return True

    def _take(self, frame: av.AudioFrame, timestamp: int) -> None:
        missing = (timestamp - self._expected) & 0xFFFFFFFF
        self._expected = (timestamp + frame.samples) & 0xFFFFFFFF
        if 0 < missing <= LONGEST_GAP:
            self._deliver(bytes(2 * (missing * SAMPLE_RATE // RTP_CLOCK)))
        frame.pts = None
        for part in self._resampler.resample(frame):
            self._deliver(bytes(part.planes[0])[: 2 * part.samples])
