"""A TCP proxy before a Realtime server: counts the connections, and can break them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

CHUNK = 65_536
MOST_HELD = 1_048_576
"""At a time, of what is held back."""


class TcpProxy:
    """`url` leads through it. `opened` counts all connections so far, `open` those of now."""

    def __init__(self, target: str, hold_s: float = 0.0) -> None:
        self._target = urlsplit(target)
        self._hold_s = hold_s
        self.url = ""
        self.opened = 0
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._changed = asyncio.Event()

    @property
    def open(self) -> int:
        return len(self._connections)

    def drop(self, chance: random.Random, share: float = 1.0) -> None:
        """Break this share of the connections that are open."""
        for writers in self._connections.values():
            if chance.random() < share:
                for writer in writers:
                    writer.transport.abort()

    async def until(self, condition: Callable[[], bool], limit_s: float = 20) -> None:
        """Wait for something that a connection's beginning or end makes true."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.opened += 1
        self._connections[task] = [writer]
        self._changed.set()
        try:
            there, back = await asyncio.open_connection(
                self._target.hostname, self._target.port, limit=MOST_HELD
            )
            self._connections[task].append(back)
            await asyncio.gather(_pump(reader, back), _pump(there, writer, self._hold_s))
        except OSError:
            pass
        finally:
            for each in self._connections.pop(task):
                each.close()
            self._changed.set()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hold_s: float = 0.0
) -> None:
    """One direction, until its end or that of the other one."""
    try:
        while data := await reader.read(MOST_HELD if hold_s else CHUNK):
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(hold_s)
    finally:
        writer.close()


@asynccontextmanager
async def tcp_proxy(target: str, hold_s: float = 0.0) -> AsyncIterator[TcpProxy]:
    """A proxy before the server at this URL; it may hold back for so long what the server says."""
    proxy = TcpProxy(target, hold_s)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy.url = urlsplit(target)._replace(netloc=f"127.0.0.1:{port}").geturl()
    try:
        yield proxy
    finally:
        server.close()
        proxy.drop(random.Random())
        await proxy.until(lambda: proxy.open == 0)
