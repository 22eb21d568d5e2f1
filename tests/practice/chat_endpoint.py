"""A chat endpoint on loopback that answers as a test tells it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

Answer = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request that a chat endpoint has got, and its way to answer."""

    def __init__(self, head: str, body: Any, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.body = body
        self._writer = writer

    async def start(self, status: str = "200 OK") -> None:
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"
        await self.write(head)

    async def write(self, text: str) -> None:
        self._writer.write(text.encode())
        await self._writer.drain()

    async def say(self, *pieces: str) -> None:
        """Words of an answer."""
        for piece in pieces:
            chunk = {"choices": [{"delta": {"content": piece}}]}
            await self.write(f"data: {json.dumps(chunk)}\n\n")

    async def finish(self) -> None:
        """The answer is whole."""
        await self.write("data: [DONE]\n\n")

    async def call(self, name: str, arguments: str) -> None:
        """A function to be called."""
        call = {"index": 0, "id": "c", "function": {"name": name, "arguments": arguments}}
        chunk = {"choices": [{"delta": {"tool_calls": [call]}}]}
        await self.write(f"data: {json.dumps(chunk)}\n\n")
        await self.finish()


def _length(head: str) -> int:
    _, _, rest = head.lower().partition("content-length: ")
    return int(rest.partition("\r\n")[0] or 0)


@asynccontextmanager
async def endpoint(answer: Answer) -> AsyncIterator[str]:
    """A chat endpoint on loopback; gives its base URL."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            body = json.loads(await reader.readexactly(_length(head)) or "null")
            await answer(Exchange(head, body, writer))
        except (ConnectionError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
