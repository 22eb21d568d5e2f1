"""What is replaced in fastrtc's and aiortc's peer connection, and how.

Rule: every replacement is checked where it is made. If a later version has no such place any more,
the log says so and the stock part stays: slower, but a call.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol

from aiortc import RTCPeerConnection
from OpenSSL import SSL

from components.media.arrivals import Arrivals
from components.media.channels import keep_one_channel
from components.media.departures import Departures
from components.media.microphone import Microphone
from components.media.speaker import Speaker

log = logging.getLogger(__name__)

JITTER_BUFFER: Final = "_RTCRtpReceiver__jitter_buffer"
"""Where aiortc's receiver takes each packet, and looks it up anew for each."""
MOST_ADDRESSES: Final = 40
"""From which the checks of one peer come, and which are checked in turn."""

_closing: Final[set[asyncio.Task[None]]] = set()


class Handler(Protocol):
    """What a connection's handler offers it."""

    speaker: Speaker

    def microphone(self, pcm: bytes) -> None:
        """Sound of the microphone: PCM16, 24 kHz, mono, 20 ms at the most."""

    def set_channel(self, channel: Any) -> None:
        """The data channel is open."""

    async def shutdown(self) -> None:
        """The connection is gone; called more than once."""


def use_own_tracks(pc: RTCPeerConnection, handler: Handler) -> Callable[[], None]:
    """Give a connection the handler's tracks; returns what hangs it up.

    To be called before the other side has the answer. The first sender gets the handler's
    `speaker`, the first receiver a `Microphone`; fastrtc's track, which would start its workers, is
    never asked for anything. Trap: fastrtc does not end its handler when ICE fails, so that is done
    here as well.
    """

    def hang_up() -> None:
        _spawn(pc.close())

    def deliver(pcm: bytes) -> None:
        handler.microphone(pcm)
        handler.speaker.accompany()

    asyncio.get_running_loop().set_exception_handler(pass_over_dead_channels)
    senders = [each for each in pc.getSenders() if each.track is not None and each.kind == "audio"]
    for sender in senders[:1]:
        sender.replaceTrack(handler.speaker)
        never_retransmit(sender)
        send_at_once(sender, handler.speaker)
    receivers = [each for each in pc.getReceivers() if each.track and each.track.kind == "audio"]
    for receiver in receivers[:1]:
        opus = opus_payload_types(pc.localDescription.sdp)
        take_at_once(receiver, deliver, opus, hang_up)
        Arrivals(receiver.transport, hang_up)
        bound_addresses(receiver.transport.transport._connection)
    keep_one_channel(pc, handler.set_channel, hang_up)

    @pc.on("connectionstatechange")  # type: ignore[untyped-decorator]
    async def end_with_connection() -> None:
        if pc.connectionState in ("failed", "closed"):
            await handler.shutdown()

    return hang_up


def pass_over_dead_channels(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's exception handler: as ever, but for a data channel whose connection has died.

    Trap: aiortc sends on such a channel from tasks that nobody waits for, and each would write a
    traceback into the log. The connection itself reports its end.
    """
    task, error = context.get("future"), context.get("exception")
    is_channel = isinstance(task, asyncio.Task) and "SctpTransport" in str(task.get_coro())
    if not (is_channel and isinstance(error, ConnectionError | SSL.Error)):
        loop.default_exception_handler(context)


def take_at_once(
    receiver: Any,
    deliver: Callable[[bytes], None],
    opus: Collection[int],
    hang_up: Callable[[], None],
) -> bool:
    """Put a `Microphone` in the place of a receiver's jitter buffer; whether there is one."""
    if not hasattr(receiver, JITTER_BUFFER):
        log.warning("! this aiortc has another jitter buffer: the microphone will be 80 ms late")
        return False
    setattr(receiver, JITTER_BUFFER, Microphone(deliver, opus, hang_up))
    return True


def send_at_once(sender: Any, speaker: Speaker) -> bool:
    """Put `Departures` in the place of a sender's loop; whether there is such a one."""
    if not Departures.can_replace(sender):
        log.warning("! this aiortc sends in another way: each call will take more of the processor")
        return False
    Departures(sender, speaker)
    return True


def never_retransmit(sender: Any) -> None:
    """A packet that asks for old ones gets none, as was agreed on for sound.

    Trap: aiortc would send thousands for one such packet, if that names thousands.
    """

    async def retransmit(sequence_number: int) -> None:
        """Too late for anybody's ears."""

    sender._retransmit = retransmit


def bound_addresses(connection: Any) -> None:
    """Answer checks from so many addresses, those that the peer has named among them.

    Trap: aioice checks each one back, keeps it for good, and sorts all of them for each new one.
    """
    stock = connection.check_incoming

    def check_incoming(message: Any, address: tuple[str, int], protocol: Any) -> None:
        known = connection._remote_candidates
        if "PRIORITY" not in message.attributes:  # aioice asks for it without looking
            return
        if len(known) < MOST_ADDRESSES or any(
            address == (each._network_host, each.port) for each in known
        ):
            stock(message, address, protocol)

    connection.check_incoming = check_incoming


def opus_payload_types(sdp: str) -> Collection[int]:
    """The RTP payload types that a session description gives to Opus."""
    return {int(number) for number in re.findall(r"(?im)^a=rtpmap:(\d+) opus/48000", sdp)}


def _spawn(work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    _closing.add(task)
    task.add_done_callback(_closing.discard)
