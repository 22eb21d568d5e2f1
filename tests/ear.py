"""What a caller without a browser hears: the audible part of a track, counted."""

import asyncio
import time

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

PATIENCE_S = 20
AUDIBLE = 300
"""RMS of 16 bit samples; what the encoder leaves of digital silence lies far below."""


class Ear:
    """Listens to one track after the other, and counts on."""

    def __init__(self) -> None:
        self.heard_ms = 0
        """Audible sound so far."""
        self.last_sound = 0.0
        self._more = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def listen(self, track: MediaStreamTrack) -> None:
        """Hear this track until it ends."""
        self._listening = asyncio.create_task(self._listen(track))

    async def hears(self, more_ms: int) -> None:
        """Wait for so much more audible sound."""
        goal = self.heard_ms + more_ms
        async with asyncio.timeout(PATIENCE_S):
            while self.heard_ms < goal:
                self._more.clear()
                await self._more.wait()

    async def end(self) -> None:
        """Listen no more; the track of a connection that never stood does not end by itself."""
        if self._listening:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                samples = (await track.recv()).to_ndarray().astype(np.float32)
                if np.sqrt(np.mean(samples**2)) > AUDIBLE:
                    self.heard_ms += 20
                    self.last_sound = time.monotonic()
                    self._more.set()
        except MediaStreamError:
            pass
