"""The socket to the Realtime server: connect, send, receive, close; its failures, classified.

Rule: nothing here decides what is said, and nothing that a server does harms more than its own
call. Sending never waits: what the network does not take is queued (`outbox.py`). A message is at
most `MOST_BYTES` long; the API's own are far smaller, and without a bound one message of a broken
server takes all memory. No text of the server holds our key when it leaves here.
"""

import asyncio
import errno
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, cast
from urllib.parse import parse_qsl, urlsplit

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)

from components.protocol.client_events import append_audio
from components.protocol.events import ErrorEvent, ServerEvent
from components.protocol.failures import (
    Failure,
    Severity,
    failure_of_close,
    failure_of_own_close,
    failure_of_status,
    safe,
)
from components.protocol.fields import Json
from components.protocol.reading import parse, server_event
from components.upstream.outbox import Outbox
from components.upstream.socket import CLOSE_LIMIT_S, Connection
from components.upstream.wire import Direction, Record, WireEvent

log = logging.getLogger(__name__)

_socket_log = logging.getLogger(f"{__name__}.socket")
_socket_log.setLevel(logging.INFO)  # below that, the library writes headers down, and so the key

OPEN_LIMIT_S: Final = 8.0
"""For DNS, TCP, TLS and the handshake together."""
STALL_LIMIT_S: Final = 10.0
"""A server that takes nothing for so long is gone."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a message. The largest honest one is a whole reply in one piece, as some servers send it:
this is four minutes of speech."""
LARGE_BYTES: Final = 1024 * 1024
MOST_VALUES: Final = 200_000
"""In a large message: 16 MiB of brackets would become half a gigabyte of lists."""
MOST_PIECES: Final = 1000
"""Frames that are read in a second. A server sends some dozen, a hundred at the most; one that
sends ten thousand gets a share of this process like everybody else."""
LEAST_SECRET: Final = 8
"""Characters; what is shorter is in every other word."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

_TELLING: Final = re.compile(r"key|token|secret|sig|auth", re.IGNORECASE)


class UpstreamError(Exception):
    """There is no connection, or no longer; `failure` says why, for the user.

    `status` is that of an HTTP answer in the place of a connection.
    """

    def __init__(self, failure: Failure, status: int | None = None) -> None:
        super().__init__(failure.sentence)
        self.failure = failure
        self.status = status


class Upstream:
    """An open connection. Iterate `events` until it raises `UpstreamError`; then `close`."""

    def __init__(
        self,
        socket: Connection,
        records: Sequence[Record] = (),
        secrets: Sequence[bytes] = (),
    ) -> None:
        """`secrets` are taken out of everything that the server says."""
        self._socket = socket
        self._records = records
        self._secrets = secrets
        self._outbox = Outbox()
        self._filled = asyncio.Event()
        self._sending_since: float | None = None
        self._stalled = False
        self._second = 0.0
        self._pieces = 0
        self._ignored = 0
        self._last_words = ""
        """Why the server will close, if the last that it said was an error."""
        self._sender = asyncio.create_task(self._send_queued())

    def send(self, event: Json) -> None:
        """Queue a client event."""
        log.debug("> %s", event["type"])
        text = orjson.dumps(event)
        self._outbox.add(text.decode())
        self._queued()
        self._record("sent", event, len(text))

    def send_audio(self, pcm: bytes) -> None:
        """Queue microphone audio; what waits for seconds already is dropped for it."""
        self._outbox.add_audio(append_audio(pcm))
        self._queued()

    async def events(self) -> AsyncIterator[ServerEvent]:
        """What the server says; what is no event is logged and left out."""
        try:
            async for message in self._messages():
                if raw := self._event(message):
                    event = server_event(raw)
                    why = event.error.close_reason if isinstance(event, ErrorEvent) else ""
                    self._last_words = why
                    yield event
        except ConnectionClosed as end:
            raise UpstreamError(self._why_closed(end)) from None
        finally:
            if self._ignored > 1:
                log.warning("! %d messages of the server were no events", self._ignored)

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

    async def _messages(self) -> AsyncIterator[bytes]:
        """Whole messages, put together here: the library keeps every piece, of any number."""
        while True:
            message = b""
            async for piece in self._socket.recv_streaming(decode=False):
                if message:
                    message += piece  # in place, as it is a bytearray
                else:
                    message = piece
                await self._give_way()
            yield _without(self._secrets, message)

    async def _give_way(self) -> None:
        """Let everybody else have a turn after each piece, and a rest after too many."""
        now = time.monotonic()
        if now >= self._second + 1:
            self._second, self._pieces = now, 0
        self._pieces += 1
        await asyncio.sleep(0 if self._pieces <= MOST_PIECES else self._second + 1 - now)

    def _event(self, message: bytes) -> Json | None:
        try:
            if len(message) > LARGE_BYTES and _values(message) > MOST_VALUES:
                raise ValueError("not an event: too many values")
            event = parse(message)
        except ValueError:
            if not self._ignored:
                log.warning("! the server sent something that is no event")
            self._ignored += 1
            return None
        if log.isEnabledFor(logging.DEBUG):
            log.debug("< %s", safe(event["type"][:80]))
        self._record("received", event, len(message))
        return event

    def _record(self, direction: Direction, event: Json, size: int) -> None:
        if self._records:
            passed = WireEvent(direction, event, size, time.time())
            for record in self._records:
                record.write(passed)

    def _queued(self) -> None:
        """Something waits to be sent; a server that takes nothing any more is given up."""
        since = self._sending_since
        stuck = since is not None and time.monotonic() > since + STALL_LIMIT_S
        if stuck or self._outbox.full:
            self._stalled = True
            self._socket.transport.abort()
        if self._sending_since is None:  # else the task waits with a message that goes before
            while self._socket.takes_at_once() and (text := self._outbox.take()):
                self._socket.write(text)
        if self._outbox:
            self._filled.set()

    async def _send_queued(self) -> None:
        """What the network has not taken at once."""
        with suppress(ConnectionClosed):  # `events` reports it
            while True:
                while text := self._outbox.take():
                    self._sending_since = time.monotonic()
                    await self._socket.send(text)
                    self._sending_since = None
                self._filled.clear()
                await self._filled.wait()

    def _why_closed(self, end: ConnectionClosed) -> Failure:
        if end.rcvd and end.rcvd_then_sent:
            reason = _without(self._secrets, end.rcvd.reason.encode()).decode()
            return failure_of_close(end.rcvd.code, reason or self._last_words)
        if self._stalled:
            return Failure(
                Severity.TRANSIENT, "The network is too slow to carry the call. Start it again."
            )
        if end.sent:
            return failure_of_own_close(end.sent.code)
        return failure_of_close(1006, "")


async def open_upstream(
    url: str, headers: Mapping[str, str], records: Sequence[Record] = ()
) -> Upstream:
    """Connect; `UpstreamError` if that fails or takes longer than `OPEN_LIMIT_S`."""
    host = urlsplit(url).hostname or ""
    secrets = _secrets(url, headers)
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
            compression=None,  # base64 audio does not compress
            max_size=MOST_BYTES,
            create_connection=Connection,
        )
    except (OSError, WebSocketException, EOFError, UnicodeError, ImportError) as error:
        log.info("! no connection to %s: %s", host, type(error).__name__)
        failure = _why_not_open(error, host, secrets)
        status = error.response.status_code if isinstance(error, InvalidStatus) else None
        # Not `from error`: the library's texts repeat whole addresses, which may hold the key.
        raise UpstreamError(failure, status) from None
    return Upstream(cast(Connection, socket), records, secrets)


class _Connect(connect):
    """Follows no redirects: the library would take the key along to any other host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _secrets(url: str, headers: Mapping[str, str]) -> Sequence[bytes]:
    """What authorises us: in headers after a scheme's name, in an address under a telling name."""
    parts = urlsplit(url)
    found = [value.rpartition(" ")[2] for value in headers.values()]
    found += [value for name, value in parse_qsl(parts.query) if _TELLING.search(name)]
    found += [parts.password or ""]
    return [secret.encode() for secret in found if len(secret) >= LEAST_SECRET]


def _values(message: bytes) -> int:
    """About how many values its JSON has, without parsing it."""
    return sum(message.count(mark) for mark in (b",", b"[", b"{"))


def _without(secrets: Sequence[bytes], text: bytes) -> bytes:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, b"(key)")
    return text


def _why_not_open(error: Exception, host: str, secrets: Sequence[bytes]) -> Failure:
    match error:
        case InvalidStatus():
            body = _without(secrets, bytes(error.response.body or b""))
            return failure_of_status(error.response.status_code, body)
        case TimeoutError():
            what = f"{host} does not answer. Check the network and REALTIME_BASE_URL."
        case ProxyError() | InvalidProxy() | ImportError():
            what = f"This machine's proxy does not let a call to {host} through. Check HTTPS_PROXY."
        case InvalidMessage(__cause__=EOFError()):
            what = f"{host} hung up without an answer. Try again, or check REALTIME_BASE_URL."
        case InvalidMessage() | EOFError():
            what = f"{host} does not speak WebSocket. Check REALTIME_BASE_URL."
        case ssl.SSLCertVerificationError():
            what = (
                f"No secure connection to {host} is possible: {_why_not_trusted(error)}. "
                "Check REALTIME_BASE_URL and this machine's clock."
            )
        case ssl.SSLError():
            what = f"No secure connection to {host} is possible. Check REALTIME_BASE_URL."
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            what = "This server has no room for another connection. Try again in a moment."
        case OSError() | UnicodeError():
            what = f"{host} cannot be reached. Check the network and REALTIME_BASE_URL."
        case _:
            what = f"{host} refused the connection. Check REALTIME_BASE_URL."
    return Failure(Severity.TRANSIENT, what)


def _why_not_trusted(error: ssl.SSLCertVerificationError) -> str:
    """In OpenSSL's words, such as "certificate has expired"; they hold no text of the server."""
    return str(error.verify_message).rstrip(".")
