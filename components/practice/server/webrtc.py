"""A call: a browser's sound and events by WebRTC, one session of the engine behind them.

Rule: the call ends when either side closes, when the network is gone, or when nobody came; whatever
the end, its peer connection and its session are closed.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, Final

import av
from aiortc import (
    InvalidStateError,
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from components.audio import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE
from components.practice.engine.call_engine import CallEngine
from components.practice.server.connection import Connection
from components.practice.server.offer import bounded
from components.practice.server.outlet import WireClosedError
from components.practice.server.receiver import JITTER_BUFFER, OpusReceiver

logger = logging.getLogger(__name__)

CHANNEL: Final = "oai-events"
CONNECT_LIMIT_S: Final = 20.0
FAREWELL_S: Final = 0.2
"""For the last events to leave before the connection closes."""
LATE_S: Final = 0.2
"""A clock further behind than this starts anew."""
MOST_BUFFERED_BYTES: Final = 1024 * 1024
LONGEST_MESSAGE_BYTES: Final = 256 * 1024
"""What browsers take as one message of a data channel."""
MOST_UNREAD_BYTES: Final = 32 * 1024 * 1024
"""Of events that the engine has not taken; the longest one has some 20 MB."""
MOST_UNHEARD: Final = 500
"""Pieces of 20 ms; what comes while so many wait is lost, as it would be on the network."""


class OfferError(Exception):
    """The offer cannot be answered; the text says why."""


class Channel:
    """The data channel as a wire; what is sent before it opens waits for it."""

    def __init__(self) -> None:
        self._channel: RTCDataChannel | None = None
        self._open = asyncio.Event()
        self._drained = asyncio.Event()
        self._received: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._unread_bytes = 0

    def adopt(self, channel: RTCDataChannel) -> None:
        """The browser has made it."""
        if channel.label != CHANNEL or self._channel is not None:
            return
        self._channel = channel
        channel.bufferedAmountLowThreshold = MOST_BUFFERED_BYTES // 2
        channel.on("message", self._take)
        channel.on("close", lambda: self._received.put_nowait(None))
        channel.on("bufferedamountlow", self._drained.set)
        self._open.set()

    async def send(self, text: str) -> None:
        await self._open.wait()
        assert self._channel is not None
        if len(text) > LONGEST_MESSAGE_BYTES:
            logger.warning("! an event is too long for a data channel and is left out")
            return
        try:
            self._channel.send(text)
            while self._channel.bufferedAmount > MOST_BUFFERED_BYTES:
                self._drained.clear()
                await self._drained.wait()
        except InvalidStateError:
            raise WireClosedError from None

    async def close(self, code: int, reason: str) -> None:
        """There is no goodbye on a data channel; the call ends instead."""
        self.abort()

    def abort(self) -> None:
        self._received.put_nowait(None)

    async def messages(self) -> AsyncIterator[str | bytes]:
        while (message := await self._received.get()) is not None:
            self._unread_bytes -= len(message)
            yield message

    def _take(self, message: str | bytes) -> None:
        self._unread_bytes += len(message)
        if self._unread_bytes > MOST_UNREAD_BYTES:
            logger.warning("! a caller says more than can be read: the call ends")
            self.abort()
            return
        self._received.put_nowait(message)


class Speaker(MediaStreamTrack):  # type: ignore[misc]  # aiortc is not followed
    """The sound to the browser: a frame every 20 ms, silence too, so that nothing is held back."""

    kind = "audio"

    def __init__(self, engine: CallEngine, connection: Connection) -> None:
        super().__init__()
        self._engine = engine
        self._connection = connection
        self._due: float | None = None
        self._samples = 0

    async def recv(self) -> av.AudioFrame:
        """The next frame, at its deadline; `MediaStreamError` once the track has ended."""
        if self.readyState != "live":
            raise MediaStreamError
        await self._deadline()
        pcm, outputs = self._engine.frame()
        self._connection.perform(outputs)
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(pcm or bytes(2 * FRAME_SAMPLES))
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = self._samples
        self._samples += FRAME_SAMPLES
        return frame

    async def _deadline(self) -> None:
        now = time.monotonic()
        if self._due is None or now - self._due > LATE_S:
            self._due = now
        await asyncio.sleep(max(0.0, self._due - now))
        self._due += FRAME_MS / 1000


class Call:
    """One call; `answer` first, then `run` until its end."""

    def __init__(
        self,
        engine: CallEngine,
        connection: Connection,
        ice_servers: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """`ice_servers` as browsers take them: `urls`, perhaps `username` and `credential`."""
        self.connection = connection
        self._engine = engine
        servers = [RTCIceServer(**server) for server in ice_servers]
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._channel = Channel()
        self._connected = asyncio.Event()
        self._gone = asyncio.Event()
        self._received: asyncio.Queue[bytes] = asyncio.Queue(MOST_UNHEARD)

    async def answer(self, offer: str) -> str:
        """The answer to a browser's session description; raises `OfferError`."""
        peer = self._peer
        peer.on("datachannel", self._channel.adopt)
        peer.on("connectionstatechange", self._state_changed)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(bounded(offer), "offer"))
            if not peer.getReceivers():
                raise OfferError("The offer has no audio.")
            peer.addTrack(Speaker(self._engine, self.connection))
            await peer.setLocalDescription(await peer.createAnswer())
            self._hear_at_once(str(peer.localDescription.sdp))
        except OfferError:
            await self._close()
            raise
        except Exception as error:  # aiortc raises whatever an odd description leads to
            await self._close()
            raise OfferError("The offer cannot be understood.") from error
        return str(peer.localDescription.sdp)

    async def run(self) -> None:
        """Carry the call, until it ends for whatever reason."""
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._connected.wait()
            with self.connection.attached(self._channel):
                self.connection.open()
                await _first(
                    self._gone.wait(), self.connection.over.wait(), self._read(), self._listen()
                )
                await asyncio.sleep(FAREWELL_S)
        except TimeoutError:
            logger.info("! a caller did not come")
        finally:
            await self._close()

    def hang_up(self) -> None:
        """End it."""
        self._connected.set()
        self._gone.set()

    async def _close(self) -> None:
        await self.connection.close()
        with suppress(Exception):  # aiortc stumbles over what it made of half an offer
            await self._peer.close()

    def _hear_at_once(self, answer: str) -> None:
        opus = {int(n) for n in re.findall(r"(?im)^a=rtpmap:(\d+) opus/48000", answer)}
        for receiver in self._peer.getReceivers():
            setattr(receiver, JITTER_BUFFER, OpusReceiver(self._heard, opus))

    def _heard(self, pcm: bytes) -> None:
        with suppress(asyncio.QueueFull):
            self._received.put_nowait(pcm)

    def _state_changed(self) -> None:
        if self._peer.connectionState == "connected":
            self._connected.set()
        elif self._peer.connectionState in ("failed", "closed"):
            self.hang_up()

    async def _read(self) -> None:
        async for message in self._channel.messages():
            await self.connection.take(message)

    async def _listen(self) -> None:
        """The microphone, as long as the call lasts."""
        while True:
            pcm = await self._received.get()
            await self.connection.take_sound(self._engine.microphone(pcm))


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Run until one of them ends; the others are cancelled, and a fault is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
