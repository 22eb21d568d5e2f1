"""What a peer can send over its association that no browser sends; all of it bounded in number."""

import asyncio
from typing import Any

from aiortc import RTCPeerConnection
from aiortc.rtcsctptransport import (
    DataChunk,
    HeartbeatChunk,
    SackChunk,
    tsn_plus_one,
)

STRING, DCEP = 51, 50
FIRST, LAST, UNORDERED = 2, 1, 4


class Attacker:
    """The association of a connected peer."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        self.pc = pc
        self._sctp: Any = pc.sctp

    @property
    def is_connected(self) -> bool:
        return bool(self.pc.connectionState == self._sctp.state == "connected")

    async def send(self, data: bytes, flags: int, *, stream: int = 1, skip: int = 0) -> None:
        """One chunk of data, after so many numbers that are left out."""
        for _ in range(skip):
            self._sctp._local_tsn = tsn_plus_one(self._sctp._local_tsn)
        chunk = DataChunk(flags)
        chunk.tsn = self._sctp._local_tsn
        chunk.stream_id = stream
        chunk.protocol = STRING
        chunk.user_data = data
        chunk.stream_seq = self._sctp._outbound_stream_seq.get(stream, 0)
        self._sctp._local_tsn = tsn_plus_one(chunk.tsn)
        await self.chunk(chunk)

    async def chunk(self, chunk: Any) -> None:
        """Any chunk; nothing once the connection has ended."""
        if self.is_connected:
            await self._sctp._send_chunk(chunk)

    def acknowledge_nothing(self) -> None:
        """From now on."""

        async def silent() -> None:
            self._sctp._sack_needed = False

        self._sctp._send_sack = silent

    async def endless_message(self, fragments: int, size: int, pause: int = 50) -> None:
        """A message whose end never comes."""
        for n in range(fragments):
            await self.send(b"x" * size, FIRST if n == 0 else 0)
            if n % pause == 0:
                await asyncio.sleep(0.01)

    async def many_streams(self, count: int) -> None:
        """The beginning of a message on each."""
        for n in range(count):
            await self.send(b"x", FIRST, stream=n)
            await asyncio.sleep(0)

    async def holes(self, count: int) -> None:
        """Messages with every second number left out."""
        for n in range(count):
            await self.send(b"{}", FIRST | LAST | UNORDERED, skip=1)
            if n % 50 == 0:
                await asyncio.sleep(0.01)

    async def gaps(self) -> None:
        """One packet that acknowledges twenty million numbers."""
        chunk = SackChunk()
        # Of ours, the newest number that it has sent.
        chunk.cumulative_tsn = self._sctp._last_received_tsn
        chunk.advertised_rwnd = 1 << 20
        chunk.gaps = [(1, 65_535)] * 280
        await self.chunk(chunk)

    async def heartbeats(self, count: int) -> None:
        """Questions whether anybody is there."""
        for n in range(count):
            beat = HeartbeatChunk()
            beat.params = [(1, b"x" * 500)]
            await self.chunk(beat)
            if n % 4 == 0:
                await asyncio.sleep(0)

    async def messages(self, count: int) -> None:
        """Small ones, as fast as they leave."""
        for n in range(count):
            await self.send(b"{}", FIRST | LAST | UNORDERED)
            if n % 4 == 0:
                await asyncio.sleep(0)

    async def no_text(self) -> None:
        """A text that is none."""
        await self.send(b"\xff\xfe", FIRST | LAST | UNORDERED)

    async def channel_again(self) -> None:
        """Open a channel that is open."""
        chunk = DataChunk(FIRST | LAST | UNORDERED)
        chunk.tsn = self._sctp._local_tsn
        chunk.stream_id = 1
        chunk.protocol = DCEP
        chunk.user_data = b"\x03" + bytes(11)
        self._sctp._local_tsn = tsn_plus_one(chunk.tsn)
        await self.chunk(chunk)
