"""Pages whose packets lie about time: how much sound leaves for the server, which is paid for."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiortc.rtp import RtpPacket

from tests.peer import Peer, caller
from tests.running import running_app
from tests.scripted import Conversation, scripted_server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

OPUS = 96
TINY = b"\x08\xff\xfe"
BYTES_PER_S = 48_000


class Sender:
    """The peer's way to the app, for packets of any kind."""

    def __init__(self, peer: Peer) -> None:
        assert peer._pc is not None
        [self._sender] = peer._pc.getSenders()
        self._number = 0
        peer._pc.getTransceivers()[0].sender.replaceTrack(None)

    async def send(self, timestamp: int, payload: bytes = TINY, **fields: Any) -> None:
        packet = RtpPacket(
            payload_type=fields.get("payload_type", OPUS),
            sequence_number=self._number % 65_536,
            timestamp=timestamp % 2**32,
            ssrc=fields.get("ssrc", 4242),
            payload=payload,
        )
        self._number += 1
        if self._sender.transport.state == "connected":
            await self._sender.transport._send_rtp(packet.serialize())


@asynccontextmanager
async def call(folder: Any) -> AsyncIterator[tuple[Peer, Sender, Conversation]]:
    async with scripted_server() as server:
        with running_app(folder, OPENAI_API_KEY="sk-test", REALTIME_BASE_URL=server.url) as url:
            async with caller(url) as peer:
                upstream = await server.connection()
                await upstream.greet()
                await peer.sees(type="state", connection="connected")
                yield peer, Sender(peer), upstream


def seconds(upstream: Conversation) -> float:
    """Of sound that has come."""
    return sum(map(len, pieces(upstream))) / BYTES_PER_S


def pieces(upstream: Conversation) -> list[bytes]:
    return [base64.b64decode(each["audio"]) for each in upstream.of("input_audio_buffer.append")]


async def test_timestamps_that_jump_cost_nothing(tmp_path: Any) -> None:
    """300 packets of three bytes, 4.98 s apart by their own word, in 7.5 s."""
    async with call(tmp_path) as (_peer, sender, upstream):
        await asyncio.sleep(0.5)
        before = seconds(upstream)
        for n in range(300):
            await sender.send(n * 239_040)
            await asyncio.sleep(0.025)
        await asyncio.sleep(1)
        heard = seconds(upstream) - before

    assert heard < 15
    assert max(map(len, pieces(upstream))) <= BYTES_PER_S // 50


async def test_packets_ten_times_too_fast_cost_nothing(tmp_path: Any) -> None:
    async with call(tmp_path) as (_peer, sender, upstream):
        await asyncio.sleep(0.5)
        before = seconds(upstream)
        for n in range(2000):
            await sender.send(n * 960)
            await asyncio.sleep(0.002)
        await asyncio.sleep(1)
        heard = seconds(upstream) - before

    assert heard < 12


async def test_a_flood_of_packets_ends_its_connection(tmp_path: Any) -> None:
    async with call(tmp_path) as (peer, sender, _upstream):
        for n in range(20_000):
            await sender.send(n * 960)
            if n % 10 == 0:
                await asyncio.sleep(0.001)
            if peer.connection_state != "connected":
                break
        assert n < 10_000
        async with asyncio.timeout(10):
            while peer.connection_state not in ("closed", "failed"):  # noqa: ASYNC110  # aiortc's
                await asyncio.sleep(0.05)


async def test_many_voices_at_once_end_their_connection(tmp_path: Any) -> None:
    async with call(tmp_path) as (peer, sender, _upstream):
        for n in range(200):
            await sender.send(n * 960, ssrc=1000 + n)
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while peer.connection_state not in ("closed", "failed"):  # noqa: ASYNC110  # aiortc's
                await asyncio.sleep(0.05)
