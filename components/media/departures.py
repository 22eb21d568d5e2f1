"""The packets of a `Speaker` on their way to the browser, without a task that waits for each.

Rule: what aiortc's own loop does for its sender is done here as well, but for what nobody asks for:
a packet is not kept, as none is sent twice (`never_retransmit`).
"""

import asyncio
import logging
import random
from typing import Any, Final, Protocol

from aiortc import clock
from aiortc.rtp import RtpPacket

from components.media.at_once import at_once

log = logging.getLogger(__name__)

_PRIVATE: Final = "_RTCRtpSender__"
_NEEDED: Final = (
    "rtp_started",
    "rtp_exited",
    "rtp_header_extensions_map",
    "mid",
    "ntp_timestamp",
    "rtp_timestamp",
    "octet_count",
    "packet_count",
)


class Leave(Protocol):
    """Where packets leave."""

    def __call__(self, payload: bytes, timestamp: int) -> None:
        """A packet, and its RTP time; `ConnectionError` if there is no way any more."""


class Track(Protocol):
    """What is sent."""

    async def play(self, leave: Leave) -> None:
        """Let packets leave when they are due, until the track has ended or `leave` raises."""

    def stop(self) -> None:
        """Nobody hears it any more."""


class Departures:
    """Sends what a track gives, in the place of the loop of aiortc's sender."""

    def __init__(self, sender: Any, track: Track) -> None:
        """The sender has not begun yet."""
        self._sender = sender
        self._track = track
        self._payload_type = 0
        self._sequence_number = random.getrandbits(15)  # SRTP takes no wrap so early
        self._origin = random.getrandbits(32)
        self._packets = 0
        self._octets = 0
        sender._run_rtp = self._run

    @staticmethod
    def can_replace(sender: Any) -> bool:
        """Whether this aiortc's sender is the one that is known here."""
        return hasattr(sender, "_run_rtp") and all(
            hasattr(sender, f"{_PRIVATE}{name}") for name in _NEEDED
        )

    async def _run(self, codec: Any) -> None:
        """Until the sender stops; it waits for `rtp_exited`."""
        self._payload_type = codec.payloadType
        self._of_sender("rtp_started").set()
        try:
            await self._track.play(self._leave)
        except (asyncio.CancelledError, ConnectionError):
            pass
        except Exception:
            log.exception("! the speaker failed")
        self._track.stop()
        self._sender.replaceTrack(None)
        self._of_sender("rtp_exited").set()

    def _leave(self, payload: bytes, timestamp: int) -> None:
        packet = RtpPacket(
            payload_type=self._payload_type,
            marker=1,
            sequence_number=self._sequence_number,
            timestamp=(self._origin + timestamp) & 0xFFFFFFFF,
            ssrc=self._sender._ssrc,
            payload=payload,
        )
        packet.extensions.mid = self._of_sender("mid")
        data = packet.serialize(self._of_sender("rtp_header_extensions_map"))
        at_once(self._sender.transport._send_rtp(data))
        self._sequence_number = (self._sequence_number + 1) & 0xFFFF
        self._packets += 1
        self._octets += len(payload)
        # From these the sender makes its reports.
        self._tell("ntp_timestamp", clock.current_ntp_time())
        self._tell("rtp_timestamp", packet.timestamp)
        self._tell("octet_count", self._octets)
        self._tell("packet_count", self._packets)

    def _of_sender(self, name: str) -> Any:
        return getattr(self._sender, f"{_PRIVATE}{name}")

    def _tell(self, name: str, value: int) -> None:
        setattr(self._sender, f"{_PRIVATE}{name}", value)
