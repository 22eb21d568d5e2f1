"""The track to the browser: 20 ms of Opus at every 20 ms.

Rule: the stream never stops, because a browser takes a pause in it for a late packet and holds back
everything after it. It carries encoded packets: fastrtc's own track would make each frame
float, stereo and 48 kHz first, encode it in another thread, and let sound pile up in a queue whose
depth nobody knows.
"""

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from components.audio import FRAME_BYTES, FRAME_MS
from components.media.opus import encoder
from components.media.playout import PlayoutClock

RTP_CLOCK: Final = 48_000
"""Hertz; that of Opus, whatever is encoded (RFC 7587)."""
RTP_STEP: Final = RTP_CLOCK * FRAME_MS // 1000
TAIL_FRAMES: Final = 5
"""Silent frames that are still encoded after a sound, so that it dies away in the decoder."""


class OpusVoice:
    """Encodes 24 kHz mono without resampling; after `TAIL_FRAMES` silence is a ready packet."""

    def __init__(self) -> None:
        self._encoder = encoder()
        self._silent_frames = 0
        self._silence = b""

    def encode(self, pcm: bytes | None) -> bytes:
        """One packet of 20 ms; None is silence."""
        self._silent_frames = self._silent_frames + 1 if pcm is None else 0
        if self._silent_frames > TAIL_FRAMES:
            return self._silence
        self._silence = self._encoder.encode(pcm or bytes(FRAME_BYTES))
        return self._silence


class Speaker(MediaStreamTrack):  # type: ignore[misc]  # aiortc is not followed
    """Asks for each frame when it is due; `frame(now)` gives PCM of 20 ms, or None for silence."""

    kind = "audio"

    def __init__(self, frame: Callable[[float], bytes | None]) -> None:
        super().__init__()
        self._frame = frame
        self._voice = OpusVoice()
        self._clock = PlayoutClock()
        self._silent = True
        self._waiter: asyncio.Future[None] | None = None
        self._timestamp = 0

    def hurry(self) -> None:
        """There is a frame of sound: after a silence it leaves at once, not at its deadline."""
        if self._silent and self._waiter and not self._waiter.done():
            self._clock.hurry(time.monotonic())
            self._waiter.set_result(None)

    async def recv(self) -> "av.Packet[Any]":
        """The next packet, when it is due; `MediaStreamError` once the track has ended."""
        if self.readyState != "live":
            raise MediaStreamError
        await self._wait(self._clock.wait(time.monotonic()))
        pcm = self._frame(time.monotonic())
        self._silent = pcm is None
        self._clock.left(self._silent)
        packet = av.Packet(self._voice.encode(pcm))
        packet.pts = self._timestamp
        packet.time_base = Fraction(1, RTP_CLOCK)
        self._timestamp += RTP_STEP
        return packet

    async def _wait(self, seconds: float) -> None:
        """A sleep that `hurry` can end; others always run meanwhile, as `recv` is a loop."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, _release, self._waiter)
        try:
            await self._waiter
        finally:
            timer.cancel()


def _release(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
