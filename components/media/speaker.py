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
from components.media.departures import Leave
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
        self._timestamp = 0
        self._leave: Leave | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[None] | None = None

    async def play(self, leave: Leave) -> None:
        """Let each packet leave when it is due, until the track ends; raises what `leave` does.

        By a timer: a task that is woken for each takes twice as long.
        """
        if self.readyState != "live":
            return
        self._leave = leave
        self._ended = asyncio.get_running_loop().create_future()
        self._set_timer()
        try:
            await self._ended
        finally:
            self._ended.cancel()
            self._cancel_timer()

    def stop(self) -> None:
        """The track ends."""
        super().stop()
        if self._ended and not self._ended.done():
            self._ended.set_result(None)

    def hurry(self) -> None:
        """There is a frame of sound: after a silence it leaves at once, not at its deadline."""
        if self._silent and self._timer:
            self._clock.hurry(time.monotonic())
            self._cancel_timer()
            self._set_timer()

    def accompany(self) -> None:
        """A packet of the microphone has come: a frame that is nearly due leaves with it."""
        if self._clock.meet(time.monotonic()) and self._timer:
            self._cancel_timer()
            self._fire()

    async def recv(self) -> "av.Packet[Any]":
        """The next packet, when it is due, for a sender with a loop of its own; it needs no `play`.

        `MediaStreamError` once the track has ended.
        """
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(self._clock.wait(time.monotonic()))
        payload, timestamp = self._next()
        packet = av.Packet(payload)
        packet.pts = timestamp
        packet.time_base = Fraction(1, RTP_CLOCK)
        return packet

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._clock.wait(time.monotonic()), self._fire)

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        """A packet is due."""
        self._timer = None
        if self._leave is None or self._ended is None or self._ended.done():
            return
        try:
            self._leave(*self._next())
        except Exception as error:
            self._ended.set_exception(error)
        else:
            self._set_timer()

    def _next(self) -> tuple[bytes, int]:
        """The packet to send now, and its RTP time."""
        pcm = self._frame(time.monotonic())
        self._silent = pcm is None
        self._clock.left(self._silent)
        timestamp = self._timestamp
        self._timestamp += RTP_STEP
        return self._voice.encode(pcm), timestamp
