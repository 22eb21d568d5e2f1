"""The WebSocket against servers that break its rules, or keep them in bad faith."""

import asyncio
import socket as sockets
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from components import connection as module
from components.connection import READ_BYTES, UNSENT_BYTES, Connection

TEXT, PING, LAST, COMPRESSED = 1, 9, 128, 64


@asynccontextmanager
async def connected(script):
    """Our end of a connection to a server that does what the script says, and its goodbye."""
    async with (
        serve(script, "127.0.0.1", 0, compression=None, close_timeout=0.2) as server,
        connect(
            f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            compression=None,
            close_timeout=0.2,
            create_connection=Connection,
        ) as ours,
    ):
        yield ours


async def everything_of(socket):
    """All messages until the connection ends, and how it did."""
    messages = []
    try:
        while True:
            messages.append(await socket.recv())
    except ConnectionClosed as end:
        return messages, end


async def test_messages_of_any_length_come_through():
    lengths = [0, 1, 125, 126, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 70_000, 500_000]

    async def script(socket):
        for length in lengths:
            await socket.send("x" * length)

    async with connected(script) as ours:
        messages, end = await everything_of(ours)

    assert [len(message) for message in messages] == lengths
    assert end.rcvd.code == 1000


async def test_little_is_read_at_a_time_as_it_is_parsed_in_one_go(monkeypatch):
    sizes = []
    received = ClientConnection.data_received

    def watched(self, data):
        sizes.append(len(data))
        received(self, data)

    monkeypatch.setattr(ClientConnection, "data_received", watched)

    async def script(socket):
        socket.transport.write(bytes([TEXT | LAST, 0]) * 100_000)
        await socket.close()

    async with connected(script) as ours:
        messages, _ = await everything_of(ours)

    assert len(messages) == 100_000
    assert max(sizes) == READ_BYTES


async def test_server_that_pings_and_does_not_read_cannot_fill_the_memory():
    async def script(socket):
        socket.transport.pause_reading()
        while not socket.transport.is_closing():
            socket.transport.write((bytes([PING | LAST, 125]) + bytes(125)) * 1000)
            await asyncio.sleep(0)

    waiting = []
    async with connected(script) as ours:
        reading = asyncio.create_task(everything_of(ours))
        while not reading.done():
            waiting.append(ours.transport.get_write_buffer_size())
            await asyncio.sleep(0)
        _, end = await reading

    assert end.rcvd is None
    assert max(waiting) < module.MOST_ANSWERS + 2 * READ_BYTES


async def test_pings_that_are_read_may_come_for_ever():
    count = 40_000

    async def script(socket):
        for _ in range(count // 999):
            socket.transport.write((bytes([PING | LAST, 100]) + bytes(100)) * 999)
            await (await socket.ping())
        await socket.send("alive")

    async with connected(script) as ours:
        messages, _ = await everything_of(ours)

    assert count * 100 > module.MOST_ANSWERS
    assert messages == ["alive"]


@pytest.mark.parametrize(
    "broken",
    [
        bytes([TEXT | LAST | COMPRESSED, 1, 0]),
        bytes([3 | LAST, 0]),
        bytes([8 | LAST, 126, 0, 200]) + bytes(200),
        bytes([8 | LAST, 2, 0, 1]),
        bytes([PING, 0]),
        bytes([0 | LAST, 0]),
        bytes([TEXT | LAST, 128, 1, 2, 3, 4]),
    ],
    ids=["compressed", "opcode", "long goodbye", "code", "ping in pieces", "no start", "masked"],
)
async def test_server_that_breaks_the_rules_and_stays_is_left(monkeypatch, broken):
    monkeypatch.setattr(module, "CLOSE_LIMIT_S", 0.05)
    left = asyncio.Event()

    async def script(socket):
        socket.transport.pause_reading()  # so that it never answers our goodbye
        socket.transport.write(broken)
        await left.wait()

    async with connected(script) as ours:
        messages, end = await everything_of(ours)
        left.set()

    assert messages == []
    assert end.sent.code == 1002
    assert end.rcvd is None


@pytest.mark.skipif(not hasattr(sockets, "TCP_NOTSENT_LOWAT"), reason="this system has no limit")
async def test_system_takes_little_ahead_of_what_the_network_takes():
    async def script(socket):
        await socket.wait_closed()

    async with connected(script) as ours:
        wire = ours.transport.get_extra_info("socket")
        assert wire.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_NOTSENT_LOWAT) == UNSENT_BYTES
