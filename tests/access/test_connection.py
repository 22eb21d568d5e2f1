"""The limits of time of a connection, on a web server that runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import h11
import pytest
import uvicorn

from components.access import connection as module
from components.access.connection import Connection
from components.access.crowd import Closable, Crowd
from components.access.proxies import Proxies

Answer = Callable[[Any, Any, Any], Awaitable[None]]
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
SHORT_S = 0.2
LONG_S = 30.0
BLOCK = b"x" * 1_000_000


async def greet(scope: Any, receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"hi"})


async def pour(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(100):
        await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
    await send({"type": "http.response.body"})


class Watched(Crowd):
    """A crowd whose comings and goings can be awaited."""

    def __init__(self, most: int = 100, most_of_a_visitor: int = 100) -> None:
        super().__init__(most, most_of_a_visitor)
        self._changed = asyncio.Event()

    @property
    def ports(self) -> set[int]:
        """Where those who are here come from."""
        return {connection.client[1] for connection in self._here}  # type: ignore[attr-defined]

    @property
    def silent(self) -> int:
        return len(self._silent)

    def enter(self, connection: Closable, visitor: str) -> bool:
        self._changed.set()
        return super().enter(connection, visitor)

    def falls_silent(self, connection: Closable) -> None:
        super().falls_silent(connection)
        self._changed.set()

    def leave(self, connection: Closable) -> None:
        super().leave(connection)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_empty(self) -> None:
        await self.until(lambda: not len(self))


class Running:
    def __init__(self, port: int, crowd: Watched) -> None:
        self.crowd = crowd
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(writer)
        return reader, writer

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def running(
    app: Answer = greet, most_of_a_visitor: int = 100, proxies: tuple[str, ...] = ()
) -> AsyncIterator[Running]:
    """A server on a free port, all of whose connections are limited."""
    crowd = Watched(100, most_of_a_visitor)
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    config.load()
    state = uvicorn.server.ServerState()

    def connection() -> Connection:
        return Connection(crowd, Proxies(proxies), config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    house = Running(server.sockets[0].getsockname()[1], crowd)
    try:
        yield house
        house.close()
        await house.crowd.until_empty()
        await asyncio.gather(*state.tasks)
    finally:
        house.close()
        server.close()


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes the connection."""
    async with asyncio.timeout(5):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        return await reader.readuntil(b"hi")


@pytest.fixture
def short_head(monkeypatch):
    monkeypatch.setattr(module, "HEAD_LIMIT_S", SHORT_S)


@pytest.fixture
def short_wait(monkeypatch):
    monkeypatch.setattr(module, "UNREAD_LIMIT_S", SHORT_S)


@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"X: "])
async def test_a_head_that_does_not_end_is_not_awaited_for_ever(short_head, said):
    async with running() as house:
        reader, writer = await house.connect()
        writer.write(said)

        assert await closed(reader) == b""


async def test_a_head_that_comes_byte_by_byte_has_no_more_time(short_head):
    async with running() as house:
        reader, writer = await house.connect()
        writer.write(HEAD + b"X: ")
        closing = asyncio.ensure_future(closed(reader))
        while not closing.done():
            writer.write(b"x")
            await asyncio.sleep(SHORT_S / 10)

        assert await closing == b""


async def test_the_second_head_of_a_connection_has_its_time_too(short_head):
    async with running() as house:
        reader, writer = await house.connect()
        for _ in range(3):
            writer.write(HEAD + b"\r\n")
            assert (await answer_of(reader)).startswith(b"HTTP/1.1 200")
        writer.write(HEAD)

        assert await closed(reader) == b""


async def test_heads_that_follow_at_once_are_answered_in_turn(short_head):
    async with running() as house:
        reader, writer = await house.connect()
        writer.write((HEAD + b"\r\n") * 3 + HEAD)
        for _ in range(3):
            await answer_of(reader)

        assert await closed(reader) == b""


async def test_an_answer_may_take_longer_than_a_head(short_head):
    async def later(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3 * SHORT_S)
        await greet(scope, receive, send)

    async with running(later) as house:
        reader, writer = await house.connect()
        writer.write(HEAD + b"\r\n")

        assert (await answer_of(reader)).startswith(b"HTTP/1.1 200")


async def test_who_does_not_read_his_answer_is_left(short_wait):
    async with running(pour) as house:
        _, writer = await house.connect()
        writer.write(HEAD + b"\r\n")
        await house.crowd.until(lambda: len(house.crowd) == 1)
        await house.crowd.until_empty()


async def test_who_reads_slowly_gets_it_all(monkeypatch):
    """Also what takes longer than the limit to be read: here it is one piece."""
    monkeypatch.setattr(module, "UNREAD_LIMIT_S", 0.5)

    async def one_piece(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": 20 * BLOCK})

    async with running(one_piece) as house:
        reader, writer = await house.connect()
        writer.write(HEAD + b"Connection: close\r\n\r\n")
        length = 0
        while piece := await reader.read(1_000_000):
            length += len(piece)
            await asyncio.sleep(0.01)

    assert length > 20 * len(BLOCK)


async def test_a_visitor_s_oldest_silent_connection_gives_way(caplog):
    async with running(most_of_a_visitor=2) as house:
        first, _ = await house.connect()
        for _ in range(2):
            _, last = await house.connect()

        assert await closed(first) == b""
        assert len(house.crowd) == 2
        last.write(HEAD + b"\r\n")
    assert not caplog.records


@pytest.mark.parametrize("said", [HEAD, HEAD + b"Content-Length: 9\r\n\r\nx", HEAD + b"\r\n"])
async def test_who_keeps_the_server_waiting_gives_way(said):
    """For the rest of his request, or until he reads: here the answer is long."""

    asked = asyncio.Event()

    async def take_and_pour(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.request":
            await pour(scope, receive, send)

    async with running(take_and_pour, most_of_a_visitor=1) as house:
        _, first = await house.connect()
        first.write(said)
        if said.endswith((b"x", b"\r\n\r\n")):
            await asked.wait()
        await house.crowd.until(lambda: house.crowd.silent == 1)
        _, second = await house.connect()

        await house.crowd.until(lambda: house.crowd.ports == {second.get_extra_info("sockname")[1]})


async def test_a_visitor_who_is_served_on_all_his_connections_gets_no_more(caplog):
    asked = asyncio.Semaphore(0)

    async def never(scope: Any, receive: Any, send: Any) -> None:
        asked.release()
        while (await receive())["type"] != "http.disconnect":
            pass

    async with running(never, most_of_a_visitor=2) as house:
        for _ in range(2):
            _, writer = await house.connect()
            writer.write(HEAD + b"\r\n")
            await asked.acquire()
        third, _ = await house.connect()

        assert await closed(third) == b""
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "too many are open" in caplog.text


async def test_connections_of_a_named_proxy_are_those_of_many_visitors():
    async with running(most_of_a_visitor=2, proxies=("127.0.0.1",)) as house:
        readers = [(await house.connect()) for _ in range(5)]
        for reader, writer in readers:
            writer.write(HEAD + b"\r\n")
            await answer_of(reader)

        assert len(house.crowd) == 5


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
async def test_who_asks_for_another_protocol_is_answered_in_this_one_and_counted(upgrade, caplog):
    async with running() as house:
        reader, writer = await house.connect()
        key = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        writer.write(HEAD + b"Connection: upgrade\r\nUpgrade: " + upgrade + b"\r\n" + key + b"\r\n")

        assert (await answer_of(reader)).startswith(b"HTTP/1.1 200")
        assert len(house.crowd) == 1
    assert not caplog.records


async def test_what_is_no_http_is_refused_and_left():
    async with running() as house:
        reader, writer = await house.connect()
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")

        assert (await closed(reader)).startswith(b"HTTP/1.1 400")
        await house.crowd.until_empty()


def test_the_library_s_state_of_a_connection_that_waits_is_known():
    assert h11.Connection(h11.SERVER).their_state is h11.IDLE
