"""A Realtime server that fails as it is told to: a script for each of its connections.

A script is a list of steps. A `Refusal` at its start keeps the connection from being made; every
other step is done to the connection, one after the other, and then the server only listens. Once
the scripts are used up, connections are served as they should be.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from tests.scripted import PATIENCE_S, Conversation, port_of

_quiet = logging.getLogger(f"{__name__}.quiet")
_quiet.setLevel(logging.CRITICAL)  # what fails here is meant to

Step = Callable[[Conversation], Awaitable[None]]
CONTINUED, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9


@dataclass(frozen=True)
class Refusal:
    """The handshake is answered by a status; or, without one, by these bytes and then never."""

    status: int | None = None
    body: str = ""
    bytes_: bytes = b""
    again: bytes = b""
    """Sent over and over after the bytes."""
    location: str = ""


Script = Sequence[Refusal | Step]


def refuse(status: int, body: str = "") -> Refusal:
    """As a gateway does that answers before the API can."""
    return Refusal(status, body)


def no_handshake() -> Refusal:
    """TCP is accepted, and that is all."""
    return Refusal()


def say(type_: str, **fields: Any) -> Step:
    return lambda client: client.send(type_, **fields)


def error(
    code: str | None = None, type_: str | None = "invalid_request_error", **fields: Any
) -> Step:
    """An `error` event, as the API forms it."""
    return say("error", error={"type": type_, "code": code, "message": "", "param": None, **fields})


def failed(code: str, type_: str = "invalid_request_error") -> Step:
    """The response that was asked for begins and fails."""

    async def step(client: Conversation) -> None:
        await client.expect("response.create")
        await client.send("response.created", response={"id": "r1"})
        details = {"type": "failed", "error": {"type": type_, "code": code}}
        response = {"id": "r1", "status": "failed", "status_details": details, "output": []}
        await client.send("response.done", response=response)

    return step


def hear(type_: str, count: int = 1) -> Step:
    """Wait until the client has sent so many of these."""

    async def step(client: Conversation) -> None:
        await client.expect(type_, count)

    return step


async def greet(client: Conversation) -> None:
    await client.greet()


async def answer(client: Conversation) -> None:
    """Say "I will." in writing to whatever was asked."""
    await client.expect("response.create")
    item = {"id": "a1", "type": "message", "role": "assistant", "content": []}
    of = {"response_id": "r1", "item_id": "a1"}
    await client.send("response.created", response={"id": "r1"})
    await client.send("response.output_item.added", response_id="r1", item=item)
    await client.send("response.output_text.delta", **of, delta="I ")
    await client.send("response.output_text.done", **of, text="I will.")
    await client.send("response.done", response={"id": "r1", "status": "completed", "output": []})


def close(code: int, reason: str = "") -> Step:
    """1005 is a close frame without a code, 1006 none at all."""

    async def step(client: Conversation) -> None:
        if code == 1005:
            client.socket.transport.write(frame(CLOSE, b""))
        elif code == 1006:
            client.socket.transport.abort()
        else:
            await client.socket.close(code, reason)

    return step


async def break_tls(client: Conversation) -> None:
    """The end that would be 1015: a fatal alert in the place of a record."""
    transport = client.socket.transport
    transport._ssl_protocol._transport.write(b"\x15\x03\x03\x00\x02\x02\x50")  # type: ignore[attr-defined]
    transport.abort()


async def stop_reading(client: Conversation) -> None:
    client.socket.transport.pause_reading()


def send(*frames: bytes) -> Step:
    """Bytes as they are, past all rules."""

    async def step(client: Conversation) -> None:
        for each in frames:
            client.socket.transport.write(each)

    return step


def trickle(*frames: bytes) -> Step:
    """The same, a byte at a time."""

    async def step(client: Conversation) -> None:
        for byte in b"".join(frames):
            client.socket.transport.write(bytes([byte]))
            await asyncio.sleep(0.001)

    return step


def send_without_end(*frames: bytes) -> Step:
    """As fast as the client takes them, for as long as it does."""

    async def step(client: Conversation) -> None:
        with suppress(ConnectionClosed):
            while client.socket.state is State.OPEN:
                for each in frames:
                    client.socket.transport.write(each)
                with suppress(ConnectionError):
                    await client.socket.drain()
                await asyncio.sleep(0)

    return step


def frame(opcode: int, payload: bytes, *, last: bool = True, compressed: bool = False) -> bytes:
    """A frame of a server, which the library itself might refuse to send."""
    first = opcode | 128 * last | 64 * compressed
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    if size < 65536:
        return bytes([first, 126]) + size.to_bytes(2) + payload
    return bytes([first, 127]) + size.to_bytes(8) + payload


class FaultyServer:
    """What the test sees of it."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self.url = ""
        self.connections = 0
        """That were begun, refused ones too."""
        self.clients: list[Conversation] = []
        """Those that were made, each with its `received` and `closed`."""
        self._scripts = list(scripts)
        self._changed = asyncio.Condition()
        self._over = asyncio.Event()

    async def client(self, number: int) -> Conversation:
        """The connection of this number, from 1, among those that were made."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(self.clients) >= number)
        return self.clients[number - 1]

    async def reached(self, count: int) -> None:
        """Wait until so many connections were begun."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self.connections >= count)

    def stop(self) -> None:
        self._over.set()

    async def admit(self, socket: ServerConnection, _request: Request) -> Response | None:
        script = self._scripts.pop(0) if self._scripts else [greet]
        refusal = script[0] if script and isinstance(script[0], Refusal) else None
        socket.script = script  # type: ignore[attr-defined]
        async with self._changed:
            self.connections += 1
            self._changed.notify_all()
        if refusal is None:
            return None
        if refusal.status is None:
            await self._never(socket, refusal)
            socket.transport.abort()
            return socket.respond(500, "")
        response = socket.respond(refusal.status, refusal.body)
        if refusal.location:
            response.headers["Location"] = refusal.location
        return response

    async def handle(self, socket: ServerConnection) -> None:
        client = Conversation(socket)
        listening = asyncio.create_task(client.listen())
        async with self._changed:
            self.clients.append(client)
            self._changed.notify_all()
        with suppress(ConnectionClosed):
            for step in socket.script:  # type: ignore[attr-defined]
                await step(client)
        over = asyncio.create_task(self._over.wait())
        await asyncio.wait({listening, over}, return_when=asyncio.FIRST_COMPLETED)
        socket.transport.abort()
        over.cancel()
        await listening

    async def _never(self, socket: ServerConnection, refusal: Refusal) -> None:
        socket.transport.write(refusal.bytes_)
        while not (self._over.is_set() or socket.transport.is_closing()):
            socket.transport.write(refusal.again)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 0.01)


@asynccontextmanager
async def faulty_server(
    *scripts: Script, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FaultyServer]:
    """Its first connections follow these scripts, one each."""
    faulty = FaultyServer(scripts)
    async with serve(
        faulty.handle,
        "127.0.0.1",
        0,
        compression=None,
        max_size=None,
        close_timeout=0.2,
        ping_interval=None,
        process_request=faulty.admit,
        logger=_quiet,
        ssl=tls,
    ) as server:
        faulty.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port_of(server)}/v1"
        try:
            yield faulty
        finally:
            faulty.stop()
