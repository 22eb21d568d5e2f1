"""A caller without a browser: joins as the page does, marks its microphone, notes what it hears.

To cost little beside the app that is measured, it sends Opus packets made beforehand, and looks at
each packet as it arrives instead of running a jitter buffer.
"""

import asyncio
import functools
import secrets
import time
from contextlib import suppress
from fractions import Fraction
from typing import Any, Final

import av
import httpx
import numpy as np
import orjson
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import is_rtcp

from bench.signals import CYCLE, FRAME_S, RTC_FRAME, RTC_RATE, mark_of_frame, microphone

LOUD: Final = 1000
"""Peak of 16 bit samples; the rest of a reply in the codec lies below."""
PACKETS_ACKNOWLEDGED: Final = 2
ACKNOWLEDGED_S: Final = 0.2
JOIN_LIMIT_S: Final = 20.0


@functools.cache
def _packets() -> list[bytes]:
    """One cycle of the microphone as Opus, 20 ms each, as a browser sends it."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.bit_rate = 32_000
    encoder.format = "s16"
    encoder.layout = "mono"
    encoder.options = {"application": "voip"}
    encoder.sample_rate = RTC_RATE
    packets = []
    for number, block in enumerate(microphone().reshape(CYCLE, RTC_FRAME)):
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), "s16", "mono")
        frame.sample_rate = RTC_RATE
        frame.pts = number * RTC_FRAME
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


class Microphone(MediaStreamTrack):  # type: ignore[misc]  # aiortc's types are not read
    """Encoded frames in real time; `marks` are (ns, number, frame) of those that are marks."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[tuple[int, int, int]] = []
        self._frame = 0
        self._begun = 0.0

    async def recv(self) -> "av.Packet[Any]":
        frame = self._frame
        self._frame += 1
        self._begun = self._begun or time.monotonic()
        await asyncio.sleep(max(0.0, self._begun + frame * FRAME_S - time.monotonic()))
        packet = av.Packet(_packets()[frame % CYCLE])
        packet.pts = frame * RTC_FRAME
        packet.time_base = Fraction(1, RTC_RATE)
        number = mark_of_frame(frame)
        if number is not None:
            self.marks.append((time.monotonic_ns(), number, frame))
        return packet


class Acknowledgements:
    """Of what comes over the data channel, as browsers send them: for every second packet, or after
    a fifth of a second (RFC 9260, 6.2). aiortc sends one for each packet.
    """

    def __init__(self, sctp: Any) -> None:
        self._sctp = sctp
        self._stock = sctp._send_sack
        self._owed = 0
        self._late: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        sctp._send_sack = self._owe

    async def _owe(self) -> None:
        self._sctp._sack_needed = False
        self._owed += 1
        if self._owed == PACKETS_ACKNOWLEDGED:
            await self._send()
        elif self._late is None:
            self._late = asyncio.get_running_loop().call_later(ACKNOWLEDGED_S, self._send_late)

    def _send_late(self) -> None:
        self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        if self._late:
            self._late.cancel()
        self._late, self._owed = None, 0
        with suppress(ConnectionError):  # the call has ended
            await self._stock()


class Peer:
    """One caller; `loss` is the share of its packets that never leave.

    One that is `inspected` has its call recorded, and takes its events as an open drawer does.
    """

    def __init__(self, loss: float, reports: bool, inspected: bool = False) -> None:
        self.microphone = Microphone()
        self.lost: set[int] = set()
        """Frames of the microphone that were lost."""
        self.sounds: list[tuple[int, bool]] = []
        """(ns, whether it is loud) of each packet that came."""
        self._loss = loss
        self._reports = reports
        self._key = secrets.token_hex(16) if inspected else ""
        self._dice = np.random.default_rng(7)
        self._sent = 0
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._decoder = av.CodecContext.create("libopus", "r")
        self._decoder.format = "s16"
        self._decoder.layout = "stereo"
        self._decoder.sample_rate = RTC_RATE
        self._webrtc_id = secrets.token_hex(6)
        self._session = secrets.token_hex(6)
        self._http: httpx.AsyncClient | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._following = False

    async def join(self, url: str) -> None:
        """Call the app at this address; `ConnectionError` if it refuses."""
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=None)
        channel = self._pc.createDataChannel("text")
        channel.on("message", self._message)
        if self._key:
            channel.on("open", lambda: self._inspect(channel))
        sender = self._pc.addTrack(self.microphone)
        connected = asyncio.Event()
        self._pc.on("connectionstatechange", lambda: self._changed(connected))
        await self._pc.setLocalDescription(await self._pc.createOffer())
        config = (await self._http.get("/config")).json()
        answer = await self._offer(config)
        await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        self._lose_packets(sender.transport)
        Acknowledgements(self._pc.sctp)
        self._pc.getReceivers()[0]._handle_rtp_packet = self._hear
        async with asyncio.timeout(JOIN_LIMIT_S):
            await connected.wait()
        if self._reports:
            self._tasks.append(asyncio.create_task(self._report(channel)))

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pc.close()
        if self._http:
            await self._http.aclose()

    def _changed(self, connected: asyncio.Event) -> None:
        if self._pc.connectionState == "connected":
            connected.set()

    async def _offer(self, config: dict[str, Any]) -> dict[str, Any]:
        assert self._http
        ids = [c["id"] for c in config["components"] if c["props"].get("elem_id") == "call"]
        updates = [d for d in config["dependencies"] if [ids[0], "state_change"] in d["targets"]]
        self._outputs = updates[0]["id"]
        local = self._pc.localDescription
        response = await self._http.post(
            "/gradio_api/component_server/",
            json={
                "session_hash": self._session,
                "component_id": ids[0],
                "fn_name": "offer",
                "data": {
                    **{"sdp": local.sdp, "type": local.type, "webrtc_id": self._webrtc_id},
                    **({"key": self._key} if self._key else {}),
                },
            },
        )
        answer: dict[str, Any] = response.raise_for_status().json()
        if "sdp" not in answer:
            raise ConnectionError(str(answer))
        return answer

    def _lose_packets(self, transport: Any) -> None:
        send = transport._send_rtp

        async def send_some(data: bytes) -> None:
            if not is_rtcp(data):
                frame, self._sent = self._sent, self._sent + 1
                if self._dice.random() < self._loss:
                    self.lost.add(frame)
                    return
            await send(data)

        transport._send_rtp = send_some

    async def _hear(self, packet: Any, arrival_time_ms: int) -> None:
        now = time.monotonic_ns()
        peak = 0
        for frame in self._decoder.decode(av.Packet(packet.payload)):
            samples = np.frombuffer(bytes(frame.planes[0]), np.int16)
            peak = max(peak, int(samples.max()))
        self.sounds.append((now, peak > LOUD))

    def _message(self, text: str) -> None:
        """The page asks Gradio for the transcript when it is told to; so does this."""
        if '"fetch_output"' in text and not self._following:
            self._following = True
            self._tasks.append(asyncio.create_task(self._follow()))

    def _inspect(self, channel: Any) -> None:
        channel.send(orjson.dumps({"type": "record", "on": True}).decode())
        self._tasks.append(asyncio.create_task(self._take_events()))

    async def _take_events(self) -> None:
        """Take the events as the drawer does, and look at none of them."""
        assert self._http
        body = orjson.dumps({"key": self._key, "seen": 0})
        with suppress(httpx.HTTPError):  # the app may end it first
            async with self._http.stream("POST", "/api/inspection", content=body) as stream:
                async for _ in stream.aiter_raw():
                    pass

    async def _follow(self) -> None:
        """Take the transcript's snapshots as a browser does, and look at none of them."""
        assert self._http
        await self._http.post(
            "/gradio_api/queue/join",
            json={
                "data": [self._webrtc_id],
                "fn_index": self._outputs,
                "session_hash": self._session,
            },
        )
        source = f"/gradio_api/queue/data?session_hash={self._session}"
        with suppress(httpx.HTTPError):  # the app may end it first
            async with self._http.stream("GET", source) as stream:
                async for _ in stream.aiter_raw():
                    pass

    async def _report(self, channel: Any) -> None:
        """What our page tells once a second."""
        report = orjson.dumps({"type": "playout", "delay_ms": 40, "rtt_ms": 1, "lost": 0}).decode()
        while channel.readyState == "open":
            channel.send(report)
            await asyncio.sleep(1)
