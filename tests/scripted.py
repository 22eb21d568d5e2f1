"""A Realtime server that a test plays by hand: it says what it is told to, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

PATIENCE_S = 10


class Conversation:
    """One connection of a client, as the test sees it from the server's side."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.received: list[dict[str, Any]] = []
        self.closed = asyncio.Event()
        self._arrived = asyncio.Condition()

    async def send(self, type_: str, **fields: Any) -> None:
        await self.socket.send(orjson.dumps({"type": type_, **fields}).decode())

    async def expect(self, type_: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many events of a type have come; all of that type."""
        async with asyncio.timeout(PATIENCE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.of(type_)) >= count)
        return self.of(type_)

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [event for event in self.received if event["type"] == type_]

    async def greet(self) -> None:
        """Confirm the settings as the API does."""
        await self.send("session.created", session={})
        [update] = await self.expect("session.update")
        await self.send("session.updated", session=update["session"])

    async def listen(self) -> None:
        try:
            async for frame in self.socket:
                async with self._arrived:
                    self.received.append(orjson.loads(frame))
                    self._arrived.notify_all()
        except ConnectionClosed:
            pass
        self.closed.set()


class ScriptedServer:
    """Hands each new connection to the test."""

    def __init__(self) -> None:
        self.url = ""
        self.refuses = False
        """Answer every handshake with 503 from now on."""
        self.refused = asyncio.Event()
        self.holds = False
        """Answer no handshake from now on."""
        self.asked = asyncio.Event()
        self._connections: asyncio.Queue[Conversation] = asyncio.Queue()

    async def connection(self) -> Conversation:
        async with asyncio.timeout(PATIENCE_S):
            return await self._connections.get()

    async def admit(self, socket: ServerConnection, _request: Request) -> Response | None:
        self.asked.set()
        if self.holds:
            await asyncio.Event().wait()
        if not self.refuses:
            return None
        self.refused.set()
        return socket.respond(503, "not now")

    async def handle(self, socket: ServerConnection) -> None:
        conversation = Conversation(socket)
        self._connections.put_nowait(conversation)
        await conversation.listen()


def port_of(server: Server) -> int:
    """The port of a server that took any free one."""
    return int(next(iter(server.sockets)).getsockname()[1])


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    async with serve(
        scripted.handle, "127.0.0.1", 0, compression=None, process_request=scripted.admit
    ) as server:
        scripted.url = f"ws://127.0.0.1:{port_of(server)}/v1"
        yield scripted
