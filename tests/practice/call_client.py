"""A browser's side of a call with the practice server, by aiortc; every event is judged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import orjson
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from components.practice.server.server import PracticeServer
from tests.ear import PATIENCE_S, Ear
from tests.peer import Microphone
from tests.practice.drive import judged

SDP = {"Content-Type": "application/sdp"}


class LoudVad:
    """Speech is what is loud: Opus leaves no silence digital."""

    name = "loud"
    degraded = ""
    hop_ms = 20

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, pcm: bytes) -> list[float]:
        self._pending += pcm
        hops, size = [], self.hop_ms * 48
        while len(self._pending) >= size:
            hop, self._pending = self._pending[:size], self._pending[size:]
            loud = np.abs(np.frombuffer(hop, np.int16).astype(np.int32)).max() > 1000
            hops.append(0.9 if loud else 0.0)
        return hops

    def reset(self) -> None:
        self._pending = b""


def tone(seconds: float) -> np.ndarray:
    """What `LoudVad` takes for speech."""
    time = np.arange(round(seconds * 48_000)) / 48_000
    return (8000 * np.sin(2 * np.pi * 300 * time)).astype(np.int16)


def http(server: PracticeServer) -> str:
    return server.url.replace("ws://", "http://")


@asynccontextmanager
async def rest(server: PracticeServer, key: str = "any") -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(
        base_url=f"{http(server)}/realtime/",
        headers=headers,
        trust_env=False,
        verify=False,  # plain HTTP needs no certificates, which take 20 ms to read
        timeout=20,
    ) as client:
        yield client


async def secret(server: PracticeServer, seconds: int = 600, **session: Any) -> str:
    """A client secret, minted as an app's server would."""
    body = {
        "expires_after": {"anchor": "created_at", "seconds": seconds},
        "session": {"type": "realtime", "model": "practice-engine", **session},
    }
    async with rest(server) as client:
        answer = (await client.post("client_secrets", json=body)).raise_for_status().json()
    return str(answer["value"])


class Caller:
    """One call. `events` are all that came over the data channel, oldest first."""

    def __init__(self) -> None:
        self.microphone = Microphone()
        self.events: list[dict[str, Any]] = []
        self.call_id = ""
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel = self._pc.createDataChannel("oai-events")
        self._news = asyncio.Event()
        self._ear = Ear()
        self._taken = 0

    async def offer(self, candidates: bool = True) -> str:
        """A session description, as it is sent before or after candidates are known."""
        self._pc.addTrack(self.microphone)
        self._channel.on("message", self._receive)
        self._channel.on("close", self._news.set)
        self._pc.on("track", self._ear.listen)
        await self._pc.setLocalDescription(await self._pc.createOffer())
        lines = self._pc.localDescription.sdp.splitlines(keepends=True)
        hidden = ("a=candidate", "a=end-of-candidates")
        return "".join(line for line in lines if candidates or not line.startswith(hidden))

    async def accept(self, response: httpx.Response) -> None:
        """The server's answer."""
        assert response.status_code == 201, response.text
        self.call_id = response.headers["location"].rpartition("/")[2]
        await self.connect(response.text)

    async def connect(self, answer: str) -> None:
        """An answer that came in another way."""
        await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def leave(self) -> None:
        await self._pc.close()
        await self._ear.end()

    def send(self, type_: str, **fields: Any) -> None:
        self._channel.send(orjson.dumps({"type": type_, **fields}).decode())

    async def until(self, type_: str) -> dict[str, Any]:
        """The next event of this type."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._taken < len(self.events):
                    self._taken += 1
                    if self.events[self._taken - 1]["type"] == type_:
                        return self.events[self._taken - 1]
                self._news.clear()
                await self._news.wait()

    async def hears(self, more_ms: int) -> None:
        """Wait for so much more audible sound."""
        await self._ear.hears(more_ms)

    async def ended(self) -> None:
        """Wait until the server has closed the call."""
        async with asyncio.timeout(PATIENCE_S):
            while self._pc.connectionState not in ("closed", "failed"):
                self._news.clear()
                await asyncio.wait([asyncio.ensure_future(self._news.wait())], timeout=0.05)

    def say(self, text: str) -> None:
        """A typed turn that is answered."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        self.send("conversation.item.create", item=item)
        self.send("response.create")

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def _receive(self, text: str) -> None:
        self.events.append(judged(orjson.loads(text)))
        self._news.set()


@asynccontextmanager
async def calling(
    server: PracticeServer, token: str = "", *, candidates: bool = True, **session: Any
) -> AsyncIterator[Caller]:
    """A call with a client secret, begun."""
    caller = Caller()
    try:
        token = token or await secret(server, **session)
        async with rest(server, token) as client:
            offer = await caller.offer(candidates)
            await caller.accept(await client.post("calls", content=offer, headers=SDP))
        await caller.until("session.created")
        yield caller
    finally:
        await caller.leave()
