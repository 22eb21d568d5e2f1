"""What is replaced in fastrtc's and aiortc's peer connection, and how.

Rule: every replacement is checked where it is made. If a later version has no such place any more,
the log says so and the stock part stays: slower, but a call.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final, Protocol

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, rtcrtpreceiver

from components.jitter import PromptBuffer

log = logging.getLogger(__name__)

MOST_FILLED_S: Final = 5.0
"""A longer gap is a new stream, not lost packets."""

Offer = Mapping[str, Any]
Answer = Any
"""A dict with `sdp` and `type`, or a response that says why there is none."""


class Handler(Protocol):
    """What a call offers its peer connection."""

    speaker: MediaStreamTrack
    hang_up_peer: Callable[[], None] | None


def release_packets_at_once() -> bool:
    """Put `PromptBuffer` in the place of aiortc's audio jitter buffer; whether that worked.

    Receivers look the name `JitterBuffer` up when they are made; video keeps the stock one.
    """
    if _receiver_is_prompt():
        return True
    stock = getattr(rtcrtpreceiver, "JitterBuffer", None)
    if stock is not None:
        rtcrtpreceiver.JitterBuffer = _prompt_or(stock)
        if _receiver_is_prompt():
            return True
        rtcrtpreceiver.JitterBuffer = stock
    log.warning("! this aiortc has another jitter buffer: the microphone will be 80 ms late")
    return False


def _prompt_or(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Makes the buffer of a new receiver; the arguments are those of aiortc's own class."""

    def buffer(capacity: int, prefetch: int = 0, is_video: bool = False) -> Any:
        return stock(capacity, prefetch, is_video) if is_video else PromptBuffer()

    return buffer


def _receiver_is_prompt() -> bool:
    try:
        receiver = rtcrtpreceiver.RTCRtpReceiver("audio", SimpleNamespace(state="new"))
    except Exception:  # whatever a future version makes of it
        return False
    return any(isinstance(part, PromptBuffer) for part in vars(receiver).values())


def use_own_speaker(component: Any) -> None:
    """Let every call of a fastrtc component speak through its handler's own track.

    fastrtc makes the connection; before the other side has the answer, the sender gets the
    handler's `speaker`, and fastrtc's track, which nobody reads any more, is started by hand.
    """
    stock: Callable[..., Awaitable[Answer]] = component.handle_offer
    tasks: set[asyncio.Task[None]] = set()

    async def handle_offer(body: Offer, set_outputs: Any) -> Answer:
        webrtc_id = body.get("webrtc_id")
        known = webrtc_id in component.pcs
        try:
            answer = await stock(body, set_outputs)
        except Exception:
            if known:
                raise
            return await _refuse(component, webrtc_id)
        if not (isinstance(answer, dict) and "sdp" in answer):
            return answer
        if not component.connections.get(webrtc_id):
            return await _refuse(component, webrtc_id)
        _adopt(component, webrtc_id, tasks)
        return answer

    component.handle_offer = handle_offer


async def _refuse(component: Any, webrtc_id: Any) -> Answer:
    """Give back the slot, which fastrtc takes before it reads the offer (trap B10)."""
    log.info("! an offer could not be understood")
    pc = component.pcs.pop(webrtc_id, None)
    if pc:
        await pc.close()
        component.clean_up(webrtc_id)
    return {"status": "failed", "meta": {"error": "offer_not_understood"}}


def _adopt(component: Any, webrtc_id: Any, tasks: set[asyncio.Task[None]]) -> None:
    pc: RTCPeerConnection = component.pcs[webrtc_id]
    handler: Handler = component.handlers[webrtc_id]
    handler.hang_up_peer = lambda: _spawn(tasks, pc.close())
    for track in component.connections[webrtc_id]:
        for sender in pc.getSenders():
            if sender.track is track:
                sender.replaceTrack(handler.speaker)
                _spawn(tasks, track.start())


def _spawn(tasks: set[asyncio.Task[None]], work: Any) -> None:
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


class GapFiller:
    """Keeps the time line of a microphone: what was lost becomes silence of the same length.

    The API counts audio, not time: a packet left out would shift every `audio_start_ms` after it.
    """

    def __init__(self) -> None:
        self._expected: int | None = None

    def fill(self, frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
        """The frame, after silence for the samples between the last one and it."""
        assert frame.pts is not None
        missing = frame.pts - self._expected if self._expected is not None else 0
        self._expected = frame.pts + frame.samples
        if 0 < missing <= MOST_FILLED_S * frame.sample_rate:
            yield _silence_like(frame, missing)
        yield frame


def _silence_like(frame: av.AudioFrame, samples: int) -> av.AudioFrame:
    channels = frame.layout.nb_channels
    zeros = np.zeros((1, samples * channels), np.int16)
    silence = av.AudioFrame.from_ndarray(zeros, format="s16", layout=frame.layout.name)
    silence.sample_rate = frame.sample_rate
    silence.pts = None
    return silence
