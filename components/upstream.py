"""The socket to the Realtime server: connect, send, receive, close; its failures, classified.

Rule: nothing here decides what is said. Sending never waits: what the network does not take is
queued, and a queue that only grows means that the server is gone.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)

from components.protocol import (
    Event,
    Failure,
    Severity,
    append_audio,
    failure_of_close,
    failure_of_status,
    parse,
)
from components.trace import Trace

log = logging.getLogger(__name__)

_socket_log = logging.getLogger(f"{__name__}.socket")
_socket_log.setLevel(logging.INFO)  # below that, the library writes headers down, and so the key

OPEN_LIMIT_S: Final = 8.0
"""For DNS, TCP, TLS and the handshake together."""
CLOSE_LIMIT_S: Final = 1.0
MOST_QUEUED: Final = 500
"""Messages; ten seconds of microphone frames."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class UpstreamError(Exception):
    """There is no connection, or no longer; `failure` says why, for the user."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


class Upstream:
    """An open connection. Iterate `events` until it raises `UpstreamError`; then `close`."""

    def __init__(self, socket: ClientConnection, trace: Trace | None) -> None:
        self._socket = socket
        self._trace = trace
        self._queue: asyncio.Queue[str] = asyncio.Queue(MOST_QUEUED)
        self._stalled = False
        self._sender = asyncio.create_task(self._send_queued())

    def send(self, event: Event) -> None:
        """Queue a client event."""
        log.debug("> %s", event["type"])
        self._put(orjson.dumps(event).decode())
        if self._trace:
            self._trace.write("sent", event, time.time())

    def send_audio(self, pcm: bytes) -> None:
        """Queue microphone audio."""
        self._put(append_audio(pcm))

    async def events(self) -> AsyncIterator[Event]:
        """Server events under their GA names; what is no event is logged and left out."""
        try:
            async for frame in self._socket:
                try:
                    event = parse(frame)
                except ValueError:
                    log.warning("! the server sent something that is no event")
                    continue
                log.debug("< %s", event["type"])
                if self._trace:
                    self._trace.write("received", event, time.time())
                yield event
        except ConnectionClosed:
            pass
        raise UpstreamError(self._why_closed())

    def abort(self) -> None:
        """Give the socket up at once; `events` ends."""
        self._socket.transport.abort()

    async def close(self) -> None:
        """Say goodbye and free the socket; safe to call twice."""
        self._sender.cancel()
        with suppress(asyncio.CancelledError):
            await self._sender
        try:
            async with asyncio.timeout(2 * CLOSE_LIMIT_S):
                await self._socket.close()
        except TimeoutError:  # a server that reads nothing takes no goodbye either
            self._socket.transport.abort()
            await self._socket.wait_closed()

    def _put(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self._stalled = True
            self._socket.transport.abort()

    async def _send_queued(self) -> None:
        with suppress(ConnectionClosed):  # `events` reports it
            while True:
                await self._socket.send(await self._queue.get())

    def _why_closed(self) -> Failure:
        if self._stalled:
            return Failure(
                Severity.TRANSIENT, "The network is too slow to carry the call. Start it again."
            )
        return failure_of_close(self._socket.close_code or 1006, self._socket.close_reason or "")


async def open_upstream(
    url: str, headers: Mapping[str, str], trace: Trace | None = None
) -> Upstream:
    """Connect; `UpstreamError` if that fails or takes longer than `OPEN_LIMIT_S`."""
    host = urlsplit(url).hostname or ""
    try:
        socket = await _Connect(
            url,
            logger=_socket_log,
            additional_headers=headers,
            proxy=None if host in LOOPBACK else True,
            open_timeout=OPEN_LIMIT_S,
            close_timeout=CLOSE_LIMIT_S,
            ping_interval=20,
            ping_timeout=20,
            # Base64 audio does not compress, and an item with its audio is larger than any default.
            compression=None,
            max_size=None,
        )
    except (OSError, WebSocketException, EOFError, UnicodeError, ImportError) as error:
        log.info("! no connection to %s: %s", host, type(error).__name__)
        raise UpstreamError(_why_not_open(error, host)) from error
    return Upstream(socket, trace)


class _Connect(connect):
    """Follows no redirects: the library would take the key along to any other host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _why_not_open(error: Exception, host: str) -> Failure:
    match error:
        case InvalidStatus():
            return failure_of_status(error.response.status_code, error.response.body or b"")
        case TimeoutError():
            what = f"{host} does not answer. Check the network and REALTIME_BASE_URL."
        case ProxyError() | InvalidProxy() | ImportError():
            what = f"This machine's proxy does not let a call to {host} through. Check HTTPS_PROXY."
        case InvalidMessage() | EOFError():
            what = f"{host} does not speak WebSocket. Check REALTIME_BASE_URL."
        case ssl.SSLError():
            what = f"No secure connection to {host} is possible. Check REALTIME_BASE_URL."
        case OSError() | UnicodeError():
            what = f"{host} cannot be reached. Check the network and REALTIME_BASE_URL."
        case _:
            what = f"{host} refused the connection. Check REALTIME_BASE_URL."
    return Failure(Severity.TRANSIENT, what)
