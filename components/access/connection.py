"""One connection of a visitor to the page's web server, with its limits of time.

Rule: neither a head that does not end nor an answer that is not read keeps a connection open. A
body that does not end is the guard's business.
"""

import asyncio
import logging
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from components.access.admission import visitor_of
from components.access.crowd import Crowd
from components.access.proxies import Proxies

log = logging.getLogger(__name__)

HEAD_LIMIT_S: Final = 10.0
"""From the connection, or from the answer before, to the end of a request's head."""
UNREAD_LIMIT_S: Final = 30.0
"""A visitor who takes nothing of what is written to him for so long has gone."""


class Connection(H11Protocol):
    """uvicorn's connection, counted in `crowd`, where `proxies` stand for many visitors each."""

    def __init__(self, crowd: Crowd, proxies: Proxies, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._crowd = crowd
        self._proxies = proxies
        self._head_limit: asyncio.TimerHandle | None = None
        self._unread_limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        host = self.client[0] if self.client else "unknown"
        if not self._crowd.enter(self, "" if host in self._proxies else visitor_of(host)):
            log.warning("A connection was refused: too many are open.")
            self.close_now()
            return
        # What has not left is then known at once, and not after 64 KB.
        transport.set_write_buffer_limits(high=0)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self)
        for limit in (self._head_limit, self._unread_limit):
            if limit is not None:
                limit.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reading()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread_limit is not None:
            self._unread_limit.cancel()
            self._unread_limit = None
        self._watch()

    def close_now(self) -> None:
        """Close the connection, whatever has not left yet."""
        self.transport.abort()

    def _should_upgrade(self) -> bool:
        """The page has no WebSocket; who asks for one gets the answer to a plain request."""
        return False

    def _await_reading(self, unread_before: int | None = None) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread_before is not None and unread >= unread_before:
            self.close_now()
        else:
            self._unread_limit = self.loop.call_later(UNREAD_LIMIT_S, self._await_reading, unread)

    def _watch(self) -> None:
        """Let the time for a head run while one is awaited; tell who waits for whom."""
        state = self.conn.their_state
        if state is h11.IDLE and self._head_limit is None:
            self._head_limit = self.loop.call_later(HEAD_LIMIT_S, self.close_now)
        elif state is not h11.IDLE and self._head_limit is not None:
            self._head_limit.cancel()
            self._head_limit = None
        if state in (h11.IDLE, h11.SEND_BODY) or self._unread_limit is not None:
            self._crowd.falls_silent(self)
        else:
            self._crowd.asks(self)
