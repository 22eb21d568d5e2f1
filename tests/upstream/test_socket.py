"""The WebSocket against servers that break its rules, or keep them in bad faith."""

import asyncio
import socket as sockets
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from components.upstream import socket as module
from components.upstream.socket import READ_BYTES, UNSENT_BYTES, Connection
from tests.scripted import port_of

TEXT, PING, PONG, LAST, COMPRESSED = 1, 9, 10, 128, 64


@asynccontextmanager
async def connected(script):
    """Our end of a connection to a server that does what the script says, and its goodbye."""
    async with (
        serve(script, "127.0.0.1", 0, compression=None, close_timeout=0.2) as server,
        connect(
            f"ws://127.0.0.1:{port_of(server)}",
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


async def test_pings_are_answered():
    async def script(socket):
        for _ in range(module.MOST_CONTROL_FRAMES // 2):
            await (await socket.ping())
        await socket.send("alive")

    async with connected(script) as ours:
        messages, end = await everything_of(ours)

    assert messages == ["alive"]
    assert end.rcvd.code == 1000


@pytest.mark.parametrize("kind", [PING, PONG])
@pytest.mark.parametrize("reads", [True, False])
async def test_server_that_does_nothing_but_ping_is_left(monkeypatch, kind, reads):
    """Each costs an answer, and one that is not read takes memory."""
    monkeypatch.setattr(module, "CLOSE_LIMIT_S", 0.05)

    async def script(socket):
        if not reads:
            socket.transport.pause_reading()
        while not socket.transport.is_closing():
            socket.transport.write((bytes([kind | LAST, 100]) + bytes(100)) * 100)
            await asyncio.sleep(0)

    async with connected(script) as ours:
        messages, end = await everything_of(ours)

    assert messages == []
    assert end.sent.code == 1008


async def test_pings_of_a_long_call_are_not_added_up(monkeypatch):
    monkeypatch.setattr(module, "MOST_CONTROL_FRAMES", 5)

    async def script(socket):
        for _ in range(3):
            for _ in range(4):
                await (await socket.ping())
            await socket.send("alive")
            assert await socket.recv() == "a second later"

    async with connected(script) as ours:
        for _ in range(3):
            assert await ours.recv() == "alive"
            ours._second -= 1
            await ours.send("a second later")


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
