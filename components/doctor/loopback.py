"""Sound through the whole bridge: a caller on this machine, the bridge, the practice server.

Rule: nothing leaves this machine. The caller joins as a browser does, by fastrtc's component and
our signalling; what is measured is what a call would meet here, without a network.
"""

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Final

import gradio as gr
import numpy as np
import orjson
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from fastrtc import WebRTC

from components.access.rates import Rates
from components.audio import FRAME_SAMPLES, SAMPLE_RATE
from components.bridge.calls import Calls
from components.bridge.signalling import Signalling
from components.core.places import Places
from components.doctor.findings import Finding, failed, ok
from components.media.speaker import Speaker
from components.practice.server.process import PracticeError, start_process
from components.protocol.options import Refused
from components.settings import PRACTICE_MODEL, Settings

CHECK: Final = "Sound through the bridge"
LIMIT_S: Final = 20.0
GOODBYE_S: Final = 2.0
LOUD_DBFS: Final = -40.0
"""The tone of the caller is louder, whatever the encoder makes of it."""
AUDIBLE: Final = 300
"""RMS of 16 bit samples; what the encoder leaves of digital silence lies far below."""
QUESTION: Final = "What time is it?"
_TONE: Final = (
    (8000 * np.sin(2 * np.pi * 500 * np.arange(FRAME_SAMPLES) / SAMPLE_RATE))
    .astype(np.int16)
    .tobytes()
)
FIX: Final = "Install what was tested (pip install -r requirements.txt); the log may say more."


@dataclass(slots=True)
class _Heard:
    """What came of a call, as its caller sees it."""

    joined: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    microphone: asyncio.Event = field(default_factory=asyncio.Event)
    voice: asyncio.Event = field(default_factory=asyncio.Event)
    notice: str = ""


async def examine_loopback() -> Finding:
    """Call the practice server through the bridge, be heard, ask something and hear the answer."""
    # As an app that only this machine can open; what the owner's settings add is examined apart.
    # No chat model, no neural ears and voice: they may be slow, and are not what is examined.
    settings = Settings(
        practice=True,
        base_url="",
        model=PRACTICE_MODEL,
        looks_for_chat_model=False,
        practice_ears="small",
        practice_voice="small",
    )
    try:
        practice = await asyncio.to_thread(start_process, settings)
    except PracticeError as error:
        return failed(CHECK, str(error), FIX)
    try:
        return await _call(replace(settings, base_url=practice.base_url))
    finally:
        await asyncio.to_thread(practice.stop)


async def _call(settings: Settings) -> Finding:
    with gr.Blocks():
        component = WebRTC(
            modality="audio", mode="send-receive", server_rtc_configuration={"iceServers": []}
        )
    calls = Calls(settings, Refused(), Places(1, 1))
    Signalling(component, calls, Rates(), settings)
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    heard = _Heard()
    key = secrets.token_hex(16)
    listening: list[asyncio.Task[None]] = []
    try:
        return await _talk(component, pc, key, heard, listening)
    finally:
        await asyncio.to_thread(calls.say_goodbye, "", GOODBYE_S)
        await pc.close()
        for task in listening:
            task.cancel()
        for each in list(component.pcs.values()):
            await each.close()


async def _talk(
    component: WebRTC,
    pc: RTCPeerConnection,
    key: str,
    heard: _Heard,
    listening: list[asyncio.Task[None]],
) -> Finding:
    channel = pc.createDataChannel("text")
    channel.on("message", lambda text: _take(heard, text))
    pc.addTrack(Speaker(lambda _: _TONE))
    pc.on("track", lambda track: listening.append(asyncio.create_task(_listen(track, heard))))
    step = "the connection to the bridge does not come about"
    try:
        async with asyncio.timeout(LIMIT_S):
            begun = time.monotonic()
            answer = await _offer(component, pc, key)
            if "sdp" not in answer:
                return failed(CHECK, f"the call is not taken: {answer}.", FIX)
            await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
            await heard.joined.wait()
            joined_s = time.monotonic() - begun
            step = "the practice server does not begin the call"
            await heard.ready.wait()
            step = "the bridge hears nothing of the microphone"
            await heard.microphone.wait()
            step = "no voice answers"
            channel.send(orjson.dumps({"type": "mute", "on": True}).decode())
            channel.send(orjson.dumps({"type": "say", "text": QUESTION}).decode())
            asked = time.monotonic()
            await heard.voice.wait()
            answered_s = time.monotonic() - asked
            channel.send(orjson.dumps({"type": "hangup"}).decode())
    except TimeoutError:
        return failed(CHECK, f"{step}. {heard.notice}".rstrip(), FIX)
    joined, answered = f"{joined_s * 1000:.0f} ms", f"{answered_s * 1000:.0f} ms"
    return ok(CHECK, f"connected in {joined}, answered aloud in {answered}.")


async def _offer(component: WebRTC, pc: RTCPeerConnection, key: str) -> dict[str, Any]:
    """What the bridge answers to our offer, asked as Gradio asks for a page."""
    await pc.setLocalDescription(await pc.createOffer())
    body = {"type": "offer", "sdp": pc.localDescription.sdp, "webrtc_id": "doctor", "key": key}

    async def content() -> dict[str, Any]:
        return {"session_hash": "doctor", "data": body}

    request = SimpleNamespace(json=content, client=SimpleNamespace(host="127.0.0.1"))
    answer = await component.offer(body, request)
    return dict(answer)


def _take(heard: _Heard, text: str) -> None:
    """A message of the bridge to its page."""
    heard.joined.set()
    match orjson.loads(text):
        case {"type": "state", "connection": connection, "notice": str(notice)}:
            heard.notice = notice
            if connection == "connected":
                heard.ready.set()
        case {"type": "levels", "user": level} if level > LOUD_DBFS:
            heard.microphone.set()


async def _listen(track: MediaStreamTrack, heard: _Heard) -> None:
    with suppress(MediaStreamError):
        while True:
            samples = (await track.recv()).to_ndarray().astype(np.float32)
            if np.sqrt(np.mean(samples**2)) > AUDIBLE:
                heard.voice.set()
