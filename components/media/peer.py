"""What is replaced in fastrtc's and aiortc's peer connection, and how.

Rule: every replacement is checked where it is made. If a later version has no such place any more,
the log says so and the stock part stays: slower, but a call.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol

from aiortc import MediaStreamTrack, RTCPeerConnection
from OpenSSL import SSL

from components.media.microphone import Microphone

log = logging.getLogger(__name__)

JITTER_BUFFER: Final = "_RTCRtpReceiver__jitter_buffer"
"""Where aiortc's receiver takes each packet, and looks it up anew for each."""

_closing: Final[set[asyncio.Task[None]]] = set()


class Handler(Protocol):
    """What a connection's handler offers it."""

    speaker: MediaStreamTrack

    def microphone(self, pcm: bytes) -> None:
        """Sound of the microphone: PCM16, 24 kHz, mono, about 20 ms."""

    async def shutdown(self) -> None:
        """The connection is gone; called more than once."""


def use_own_tracks(pc: RTCPeerConnection, handler: Handler) -> Callable[[], None]:
    """Give a connection the handler's tracks; returns what hangs it up.

    To be called before the other side has the answer. The sender gets the handler's `speaker`, the
    receiver a `Microphone`; fastrtc's track, which would start its workers, is never asked for
    anything. Trap: fastrtc does not end its handler when ICE fails, so that is done here as well.
    """
    asyncio.get_running_loop().set_exception_handler(pass_over_dead_channels)
    for sender in pc.getSenders():
        if sender.track is not None and sender.track.kind == "audio":
            sender.replaceTrack(handler.speaker)
    for receiver in pc.getReceivers():
        if receiver.track.kind == "audio":
            take_at_once(receiver, handler.microphone, opus_payload_types(pc.localDescription.sdp))

    @pc.on("connectionstatechange")  # type: ignore[untyped-decorator]
    async def end_with_connection() -> None:
        if pc.connectionState in ("failed", "closed"):
            await handler.shutdown()

    return lambda: _spawn(pc.close())


def pass_over_dead_channels(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's exception handler: as ever, but for a data channel whose connection has died.

    Trap: aiortc sends on such a channel from tasks that nobody waits for, and each would write a
    traceback into the log. The connection itself reports its end.
    """
    task, error = context.get("future"), context.get("exception")
    is_channel = isinstance(task, asyncio.Task) and "SctpTransport" in str(task.get_coro())
    if not (is_channel and isinstance(error, ConnectionError | SSL.Error)):
        loop.default_exception_handler(context)


def take_at_once(receiver: Any, deliver: Callable[[bytes], None], opus: Collection[int]) -> bool:
    """Put a `Microphone` in the place of a receiver's jitter buffer; whether there is one."""
    stock = getattr(receiver, JITTER_BUFFER, None)
    if stock is None:
        log.warning("! this aiortc has another jitter buffer: the microphone will be 80 ms late")
        return False
    setattr(receiver, JITTER_BUFFER, Microphone(deliver, opus, stock))
    return True


def opus_payload_types(sdp: str) -> Collection[int]:
    """The RTP payload types that a session description gives to Opus."""
    return {int(number) for number in re.findall(r"(?im)^a=rtpmap:(\d+) opus/48000", sdp)}


def _spawn(work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    _closing.add(task)
    task.add_done_callback(_closing.discard)
