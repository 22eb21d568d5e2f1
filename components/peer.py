"""What is replaced in fastrtc's and aiortc's peer connection, and how.

Rule: every replacement is checked where it is made. If a later version has no such place any more,
the log says so and the stock part stays: slower, but a call.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, Protocol

from aiortc import MediaStreamTrack, RTCPeerConnection

from components.microphone import Microphone

log = logging.getLogger(__name__)

JITTER_BUFFER: Final = "_RTCRtpReceiver__jitter_buffer"
"""Where aiortc's receiver takes each packet, and looks it up anew for each."""

Offer = Mapping[str, Any]
Answer = Any
"""A dict with `sdp` and `type`, or a response that says why there is none."""


class Handler(Protocol):
    """What a call offers its peer connection."""

    speaker: MediaStreamTrack
    hear: Callable[[bytes], None]
    hang_up_peer: Callable[[], None] | None


def use_own_tracks(component: Any) -> None:
    """Let every call of a fastrtc component hear and speak through its handler.

    fastrtc makes the connection; before the other side has the answer, the sender gets the
    handler's `speaker`, the receiver a `Microphone`, and fastrtc's track, which nobody reads any
    more, is started by hand.
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
    for receiver in pc.getReceivers():
        if receiver.track.kind == "audio":
            hear_at_once(receiver, handler.hear, opus_payload_types(pc.localDescription.sdp))


def hear_at_once(receiver: Any, hear: Callable[[bytes], None], opus: Collection[int]) -> bool:
    """Put a `Microphone` in the place of a receiver's jitter buffer; whether there is one."""
    stock = getattr(receiver, JITTER_BUFFER, None)
    if stock is None:
        log.warning("! this aiortc has another jitter buffer: the microphone will be 80 ms late")
        return False
    setattr(receiver, JITTER_BUFFER, Microphone(hear, opus, stock))
    return True


def opus_payload_types(sdp: str) -> Collection[int]:
    """The RTP payload types that a session description gives to Opus."""
    return {int(number) for number in re.findall(r"(?im)^a=rtpmap:(\d+) opus/48000", sdp)}


def _spawn(tasks: set[asyncio.Task[None]], work: Any) -> None:
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
