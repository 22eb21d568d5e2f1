"""A caller without a browser: an aiortc peer that joins a call as the page does."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from fractions import Fraction
from typing import Any

import av
import httpx
import numpy as np
import orjson
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from tests.ear import PATIENCE_S, Ear
from tests.network import Network

RATE = 48_000
FRAME = RATE // 50
GOODBYE_S = 2.0


class Microphone(MediaStreamTrack):  # type: ignore[misc]  # aiortc's types do not hold
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

    def pause(self) -> None:
        """Begin anew with the next frame: what nobody took meanwhile is not made up for."""
        self._begun = None

    async def recv(self) -> av.AudioFrame:
        if self._begun is None:
            self._begun = time.monotonic() - self._sent / RATE
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
    """One browser tab that calls. `messages` came over the data channel, oldest first."""

    def __init__(self, network: Network | None = None, address: str = "127.0.0.1") -> None:
        """`address` is the visitor's, any of 127.0.0.0/8."""
        self.key = secrets.token_hex(16)
        """The tab's secret."""
        self.session_hash = secrets.token_hex(6)
        """Gradio's name for the page that is loaded in the tab."""
        self.webrtc_id = ""
        self.address = address
        self._cookies = httpx.Cookies()
        self.network = network or Network()
        self.microphone = Microphone()
        self.ear = Ear()
        self.messages: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._pc: RTCPeerConnection | None = None
        self._channel: Any = None

    @property
    def connection_state(self) -> str:
        """Of the newest peer connection, as browsers name it."""
        return self._pc.connectionState if self._pc else "new"

    async def join(self, url: str) -> None:
        """Offer a call to the app at this address; `ConnectionError` if it is refused."""
        await self._connect(url)

    async def rejoin(self, url: str) -> None:
        """Come back to the call with a new peer connection; the old one is given up first."""
        await self.close()
        await self._connect(url, rejoin=True)

    async def hang_up(self) -> None:
        """End the call as the page's button does, and wait a moment for the goodbye."""
        if self._channel and self._channel.readyState == "open":
            self.send(type="hangup")
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self.sees(type="state", connection="ended")
        await self.close()

    async def close(self) -> None:
        """Close the peer connection properly, but without a word of ending the call."""
        if self._pc:
            await self._pc.close()
            await self.ear.end()

    async def vanish(self) -> None:
        """Die silently: from now on nothing is sent and nothing answered."""
        self.network.cut()
        await self.close()

    def close_channel(self) -> None:
        """Close the data channel alone; the sound goes on."""
        self._channel.close()

    def another_channel(self, label: str) -> Any:
        """A further data channel, which no page of ours opens."""
        assert self._pc
        return self._pc.createDataChannel(label)

    def send(self, **message: object) -> None:
        self.send_text(orjson.dumps(message).decode())

    def send_text(self, text: str) -> None:
        """Whatever it is, as a message of the page."""
        self._channel.send(text)

    async def sees(self, *, since: int = 0, **expected: object) -> dict[str, Any]:
        """Wait for a message with these fields; one that has come already counts.

        `since` leaves out so many of the oldest `messages`.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message: dict[str, Any]
                for message in reversed(self.messages[since:]):
                    if expected.items() <= message.items():
                        return message
                self._news.clear()
                await self._news.wait()

    async def is_now(self, *connections: str) -> str:
        """Wait until the connection is in one of these states by the newest word of it."""
        async with asyncio.timeout(PATIENCE_S):
            while (newest := self._newest_connection()) not in connections:
                self._news.clear()
                await self._news.wait()
        return newest

    def forget(self) -> None:
        """Let `sees` count only what comes from now on."""
        self.messages.clear()

    @property
    def heard_ms(self) -> int:
        return self.ear.heard_ms

    async def hears(self, more_ms: int) -> None:
        """Wait for so much more audible sound."""
        await self.ear.hears(more_ms)

    async def offer(self, url: str, description: dict[str, Any]) -> dict[str, Any]:
        """The app's answer to a session description; `ConnectionError` if it gives none."""
        self.webrtc_id = secrets.token_hex(6)
        body = {"webrtc_id": self.webrtc_id, "key": self.key, **description}
        async with self._page(url) as page:
            [component] = [
                each
                for each in (await page.get("/config")).raise_for_status().json()["components"]
                if each["props"].get("elem_id") == "call"
            ]
            question = {"component_id": component["id"], "fn_name": "offer", "data": body}
            question["session_hash"] = self.session_hash
            response = await page.post("/gradio_api/component_server/", json=question)
        answer: dict[str, Any] = response.raise_for_status().json()
        if "sdp" not in answer:
            raise ConnectionError(answer)
        return answer

    async def transcript(self, url: str) -> list[str]:
        """The messages that this tab would show if its page were loaded now, as plain text."""
        async with self._page(url) as page:
            [event] = [
                each
                for each in (await page.get("/config")).raise_for_status().json()["dependencies"]
                if "load" in [trigger for _, trigger in each["targets"]] and each["inputs"]
            ]
            question = {"fn_index": event["id"], "data": [self.key]}
            question["session_hash"] = self.session_hash
            response = await page.post("/gradio_api/run/predict", json=question)
        [messages] = response.raise_for_status().json()["data"]
        return [re.sub("<[^>]*>", "", message["content"]) for message in messages]

    async def _connect(self, url: str, **words: object) -> None:
        self._pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel = pc.createDataChannel("text")
        self._channel.on("message", self._receive)
        self.microphone.pause()
        pc.addTrack(self.microphone)
        pc.on("track", self.ear.listen)
        await pc.setLocalDescription(await pc.createOffer())
        self.network.carry(pc)
        local = pc.localDescription
        answer = await self.offer(url, {"sdp": local.sdp, "type": local.type, **words})
        await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))

    @asynccontextmanager
    async def _page(self, url: str) -> AsyncIterator[httpx.AsyncClient]:
        """The tab's way to the web server, which keeps its cookies."""
        # All is plain HTTP: the certificates that a client reads at first would take 20 ms.
        transport = httpx.AsyncHTTPTransport(verify=False, local_address=self.address)
        async with httpx.AsyncClient(
            base_url=url,
            transport=transport,
            trust_env=False,
            timeout=PATIENCE_S,
            cookies=self._cookies,
        ) as page:
            yield page
            self._cookies.update(page.cookies)

    def _newest_connection(self) -> str:
        states = (each for each in reversed(self.messages) if each["type"] == "state")
        return next((str(state["connection"]) for state in states), "None")

    def _receive(self, text: str) -> None:
        self.messages.append(orjson.loads(text))
        self._news.set()


@asynccontextmanager
async def caller(url: str, network: Network | None = None) -> AsyncIterator[Peer]:
    """A peer that has joined the call of the app at this address, and hangs up at the end."""
    peer = Peer(network)
    try:
        await peer.join(url)
        yield peer
    finally:
        await peer.hang_up()
