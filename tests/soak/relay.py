"""A relay before a Realtime server: counts sockets, breaks them, and ends calls as a server does.

Rule: a line that a caller types, if it is one of `ENDINGS`, goes no further; its caller gets the
error event that belongs to it. The call in which `LISTEN` was typed is never broken, and what its
microphone sends is kept.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.scripted import port_of

_quiet = logging.getLogger(f"{__name__}.quiet")
_quiet.setLevel(logging.CRITICAL)  # that a call is given up while it begins is no news here

ENDINGS: Final[Mapping[str, str]] = {
    "The credit is used up.": "insufficient_quota",
    "The key is wrong.": "invalid_api_key",
}
"""Lines, and the code of the error that each of them means."""

LISTEN: Final = "Do you hear the marks?"
APPEND: Final = '"input_audio_buffer.append"'
UPDATED: Final = '"session.updated"'


class Relay:
    """`url` leads through it. `open` counts the sockets of now."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.url = ""
        self.appended: list[tuple[int, str]] = []
        """When (ns) a piece of the listener's microphone came, and the piece."""
        self.renewals: list[tuple[int, int]] = []
        """From when to when (ns) a session of the listener began; his sound waits for its end."""
        self._sockets: set[ServerConnection] = set()
        self._opened: dict[ServerConnection, int] = {}
        self._ready: dict[ServerConnection, int] = {}
        self._heard: set[ServerConnection] = set()
        """Sockets of the listener's call."""
        self._changed = asyncio.Event()

    @property
    def open(self) -> int:
        return len(self._sockets)

    def drop(self, chance: random.Random, share: float) -> None:
        """Break this share of the sockets that are open."""
        for socket in list(self._sockets):
            if chance.random() < share and socket not in self._heard:
                socket.transport.abort()

    async def until(self, condition: Callable[[], bool], limit_s: float) -> None:
        """Wait for something that a socket's beginning or end makes true."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def handle(self, socket: ServerConnection) -> None:
        self._count(socket, self._sockets.add)
        self._opened[socket] = time.monotonic_ns()
        assert socket.request
        url = self._target._replace(path=socket.request.path).geturl()
        try:
            async with connect(url, proxy=None, compression=None, max_size=None) as there:
                await _until_one_ends(
                    self._to_server(socket, there), self._to_client(there, socket)
                )
        except OSError:
            pass
        finally:
            await socket.close()
            self._heard.discard(socket)
            del self._opened[socket]
            self._ready.pop(socket, None)
            self._count(socket, self._sockets.discard)

    async def _to_server(self, socket: ServerConnection, there: Any) -> None:
        """Takes what the app sends at once: a server that is slow is not the app's fault."""
        taken: asyncio.Queue[str] = asyncio.Queue()
        sending = asyncio.create_task(_pass_on(taken, there))
        try:
            async for message in socket:
                assert isinstance(message, str)
                now = time.monotonic_ns()
                if socket in self._heard and APPEND in message:
                    self.appended.append((now, orjson.loads(message)["audio"]))
                line = _typed(message)
                if line == LISTEN:
                    self._heard.add(socket)
                    self.renewals.append((self._opened[socket], self._ready.get(socket, now)))
                code = ENDINGS.get(line)
                if code is None:
                    taken.put_nowait(message)
                    continue
                error = {"type": "invalid_request_error", "code": code, "message": "It is over."}
                event = {"type": "error", "event_id": "event_over", "error": error}
                # The socket stays open: it is the app's to close.
                await socket.send(orjson.dumps(event).decode())
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _to_client(self, there: Any, socket: ServerConnection) -> None:
        async for message in there:
            if socket not in self._ready and UPDATED in message:
                self._ready[socket] = time.monotonic_ns()
            await socket.send(message)

    def _count(self, socket: ServerConnection, change: Callable[[ServerConnection], None]) -> None:
        change(socket)
        self._changed.set()


def _typed(message: str) -> str:
    """The line that a caller has typed, if the event brings one."""
    if '"input_text"' not in message:
        return ""
    content = orjson.loads(message)["item"]["content"]
    return str(content[0].get("text", ""))


async def _pass_on(taken: "asyncio.Queue[str]", there: Any) -> None:
    while True:
        await there.send(await taken.get())


async def _until_one_ends(*directions: Any) -> None:
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with suppress(ConnectionClosed):
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def relay(target: str) -> AsyncIterator[Relay]:
    """A relay before the server at this URL."""
    standing = Relay(target)
    async with serve(
        standing.handle,
        "127.0.0.1",
        0,
        compression=None,
        max_size=None,
        ping_interval=None,
        logger=_quiet,
    ) as server:
        standing.url = urlsplit(target)._replace(netloc=f"127.0.0.1:{port_of(server)}").geturl()
        yield standing
