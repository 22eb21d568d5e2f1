"""A caller without a browser: an aiortc peer that joins a call as the page does."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import av
import httpx
import numpy as np
import orjson
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

RATE = 48_000
FRAME = RATE // 50
PATIENCE_S = 20
AUDIBLE = 300
"""RMS of 16 bit samples; what the encoder leaves of digital silence lies far below."""


class Microphone(MediaStreamTrack):
    """20 ms at a time, in real time: what was given to `say`, and silence otherwise."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._samples = np.zeros(0, np.int16)
        self._sent = 0
        self._begun: float | None = None

    def say(self, samples: np.ndarray) -> None:
        """Mono, 48 kHz, int16."""
        self._samples = np.concatenate([self._samples, samples])

    async def recv(self) -> av.AudioFrame:
        if self._begun is None:
            self._begun = time.monotonic()
        await asyncio.sleep(max(0.0, self._begun + self._sent / RATE - time.monotonic()))
        block, self._samples = self._samples[:FRAME], self._samples[FRAME:]
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(np.pad(block, (0, FRAME - len(block))).astype(np.int16).tobytes())
        frame.sample_rate = RATE
        frame.pts = self._sent
        frame.time_base = Fraction(1, RATE)
        self._sent += FRAME
        return frame


class Peer:
    """One caller. `messages` are what the handler sent over the data channel, oldest first."""

    def __init__(self) -> None:
        self.microphone = Microphone()
        self.messages: list[dict[str, Any]] = []
        self.heard_ms = 0
        """Audible sound that came from the app."""
        self.last_sound = 0.0
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel = self._pc.createDataChannel("text")
        self._news = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def join(self, url: str) -> None:
        """Offer a call to the app at this address; `ConnectionError` if it is refused."""
        self._pc.addTrack(self.microphone)
        self._channel.on("message", self._receive)
        self._pc.on("track", self._hear)
        await self._pc.setLocalDescription(await self._pc.createOffer())
        local = self._pc.localDescription
        answer = await self.offer(url, {"sdp": local.sdp, "type": local.type})
        await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))

    async def leave(self) -> None:
        await self._pc.close()
        if self._listening:
            await self._listening

    def send(self, **message: object) -> None:
        self._channel.send(orjson.dumps(message).decode())

    async def sees(self, **expected: object) -> dict[str, Any]:
        """Wait for a message with these fields; one that has come already counts."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in reversed(self.messages):
                    if expected.items() <= message.items():
                        return message
                self._news.clear()
                await self._news.wait()

    async def hears(self, more_ms: int) -> None:
        """Wait for so much more audible sound."""
        goal = self.heard_ms + more_ms
        async with asyncio.timeout(PATIENCE_S):
            while self.heard_ms < goal:
                self._news.clear()
                await self._news.wait()

    def forget(self) -> None:
        """Let `sees` count only what comes from now on."""
        self.messages.clear()

    async def offer(self, url: str, description: dict[str, Any]) -> dict[str, Any]:
        """The app's answer to a session description; `ConnectionError` if it gives none."""
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            config = (await client.get("/config")).json()
            [component] = [c for c in config["components"] if c["props"].get("elem_id") == "call"]
            response = await client.post(
                "/gradio_api/component_server/",
                json={
                    "session_hash": secrets.token_hex(6),
                    "component_id": component["id"],
                    "fn_name": "offer",
                    "data": {"webrtc_id": secrets.token_hex(6), **description},
                },
            )
        answer: dict[str, Any] = response.raise_for_status().json()
        if "sdp" not in answer:
            raise ConnectionError(answer)
        return answer

    def _receive(self, text: str) -> None:
        self.messages.append(orjson.loads(text))
        self._news.set()

    def _hear(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                samples = (await track.recv()).to_ndarray().astype(np.float32)
                if np.sqrt(np.mean(samples**2)) > AUDIBLE:
                    self.heard_ms += 20
                    self.last_sound = time.monotonic()
                    self._news.set()
        except MediaStreamError:
            pass


@asynccontextmanager
async def caller(url: str) -> AsyncIterator[Peer]:
    """A peer that has joined the call of the app at this address, and leaves at the end."""
    peer = Peer()
    try:
        await peer.join(url)
        yield peer
    finally:
        await peer.leave()
