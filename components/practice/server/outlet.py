"""What one client still has to be told.

Rule: sending never waits for the network, and a client that does not read is cut off before it
fills the memory.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Protocol

from components.practice.engine.outputs import Close

logger = logging.getLogger(__name__)

MOST_UNSENT_BYTES: Final = 64 * 1024 * 1024
COMFORTABLE_UNSENT_BYTES: Final = 1024 * 1024


class WireClosedError(Exception):
    """The client is gone."""


class Wire(Protocol):
    """How messages reach a client: a WebSocket, or a data channel."""

    async def send(self, text: str) -> None:
        """Wait until the network takes it; `WireClosedError` if the client is gone."""

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye."""

    def abort(self) -> None:
        """Leave without a goodbye."""

    def messages(self) -> AsyncIterator[str | bytes]:
        """What the client says, until it leaves."""


class Outlet:
    """The messages for one client, in order."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._unsent: deque[bytes | Close] = deque()
        self._unsent_bytes = 0
        self._sent = asyncio.Event()
        self._wanted = asyncio.Event()
        self._gone = False
        self._writer = asyncio.create_task(self._write())

    def put(self, message: bytes | Close) -> None:
        """Send this when everything before it has been sent; after a `Close` nothing is."""
        if self._gone:
            return
        if isinstance(message, bytes):
            self._unsent_bytes += len(message)
        if self._unsent_bytes > MOST_UNSENT_BYTES:
            logger.warning("! a client reads too slowly; its connection is cut")
            self._leave()
            self._wire.abort()
            return
        self._unsent.append(message)
        self._wanted.set()

    async def comfortable(self) -> None:
        """Wait until the client has read most of it."""
        while self._unsent_bytes > COMFORTABLE_UNSENT_BYTES:
            self._sent.clear()
            await self._sent.wait()

    def close(self) -> None:
        """Send nothing more."""
        self._leave()
        self._writer.cancel()

    def _leave(self) -> None:
        self._gone = True
        self._unsent.clear()
        self._unsent_bytes = 0
        self._sent.set()

    async def _write(self) -> None:
        try:
            while True:
                while self._unsent:
                    message = self._unsent.popleft()
                    if isinstance(message, Close):
                        await self._wire.close(message.code, message.reason)
                        self._leave()
                        return
                    await self._wire.send(message.decode())
                    self._unsent_bytes -= len(message)
                    self._sent.set()
                self._wanted.clear()
                await self._wanted.wait()
        except WireClosedError:
            self._leave()
