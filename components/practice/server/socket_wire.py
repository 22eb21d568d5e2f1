"""A WebSocket as a session's wire, on uvicorn.

Rule: a client that is gone, or does not read, holds nothing of ours for long.
"""

import asyncio
from asyncio.transports import BaseTransport
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from components.practice.server.outlet import WireClosedError

CLOSE_LIMIT_S: Final = 2.0


class AbortableProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which lets its application cut the connection: `state.abort()`."""

    def connection_made(self, transport: BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.app_state = {**self.app_state, "abort": transport.abort}
        super().connection_made(transport)


class SocketWire:
    """One accepted WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError):  # the latter after a close of our own
            raise WireClosedError from None

    async def close(self, code: int, reason: str) -> None:
        asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, self.abort)
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code, reason)

    def abort(self) -> None:
        self._socket.state.abort()

    async def messages(self) -> AsyncIterator[str | bytes]:
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            text: str | None = message.get("text")
            yield message["bytes"] if text is None else text
