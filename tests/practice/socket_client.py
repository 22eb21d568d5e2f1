"""A plain WebSocket client of a practice server with fake parts; every event is judged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect

from components.practice.server.server import PracticeServer, serve
from tests.practice.drive import judged
from tests.practice.fakes import FakeEars, FakeVad, FakeVoice

QUERY = "?model=practice-engine"


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[PracticeServer]:
    parts = {"ears": FakeEars(), "voice": FakeVoice(), "open_vad": FakeVad, "pace": 1000.0}
    async with serve(**{**parts, **settings}) as server:
        yield server


def realtime(server: PracticeServer, query: str = QUERY, **options: Any) -> connect:
    return connect(f"{server.url}/realtime{query}", max_size=None, **options)


async def receive(socket: ClientConnection) -> dict[str, Any]:
    return judged(orjson.loads(await asyncio.wait_for(socket.recv(), 10)))


async def until(socket: ClientConnection, type_: str) -> dict[str, Any]:
    while (event := await receive(socket))["type"] != type_:
        pass
    return event


async def send(socket: ClientConnection, type_: str, **fields: Any) -> None:
    await socket.send(orjson.dumps({"type": type_, **fields}).decode())


async def answer(socket: ClientConnection, text: str = "what time is it") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await send(socket, "conversation.item.create", item=item)
    await send(socket, "response.create")
    return dict((await until(socket, "response.done"))["response"])
