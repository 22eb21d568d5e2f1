"""The sockets of one call to the Realtime server: opened, renewed, opened again, closed.

Rule: at most two are open, the present one and the one that takes its place. Whatever ends the
call, no socket and no task is left.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from components.protocol.events import ServerEvent
from components.protocol.failures import Failure
from components.protocol.fields import Json
from components.upstream.client import Upstream, UpstreamError

log = logging.getLogger(__name__)

WATCH_S: Final = 0.1
"""How often to look whether nobody speaks, so that a successor may take over."""


class Owner(Protocol):
    """The call that the line belongs to; it is told in the order in which things happen."""

    def opened(self) -> None:
        """Another socket stands."""

    def received(self, event: ServerEvent) -> None:
        """A server event."""

    def lost(self, failure: Failure) -> None:
        """The socket could not be opened, or has closed, and nobody here wished it."""

    def is_quiet(self) -> bool:
        """Whether nobody speaks or is about to."""

    def failed(self) -> None:
        """Something broke in this program, or in what the owner was told."""


class Line:
    """All methods but `closed` return at once; what they begin, this object ends."""

    def __init__(self, owner: Owner, open_socket: Callable[[], Awaitable[Upstream]]) -> None:
        self._owner = owner
        self._open_socket = open_socket
        self._present: Upstream | None = None
        self._successor: Upstream | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._pause_s: float | None = 0.0
        """Before the next socket is opened; None while the present one is to stay."""
        self._over = False
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Open the first socket."""
        self._task = asyncio.create_task(self._run())

    def end(self) -> None:
        """No more sockets: the present one says goodbye, one that is being opened is given up."""
        self._over = True
        if self._task and not self._closing and self._task is not asyncio.current_task():
            self._task.cancel()

    async def closed(self) -> None:
        """Returns when nothing is open any more."""
        if self._task:
            await asyncio.wait([self._task])

    def send(self, event: Json) -> bool:
        """A client event; without a socket it is dropped. Whether there was one."""
        if self._present:
            self._present.send(event)
        return self._present is not None

    def send_audio(self, pcm: bytes) -> bool:
        """A frame of the microphone; without a socket it is dropped. Whether there was one."""
        if self._present:
            self._present.send_audio(pcm)
        return self._present is not None

    def reconnect(self, pause_s: float) -> None:
        """Give the present socket up, and any that was to take its place; open another."""
        self._pause_s = pause_s
        self._cancel_renewal()
        if self._present:
            self._present.abort()

    def renew(self) -> None:
        """Open a successor; when it stands, and nobody speaks, it takes the present one's place."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())

    async def _run(self) -> None:
        """Open sockets and hand on what they bring, until the owner wants none any more."""
        try:
            while self._pause_s is not None and not self._over:
                await asyncio.sleep(self._pause_s)
                self._pause_s = None
                await self._hold()
        except Exception:
            log.exception("! the line failed")
            self._owner.failed()
        finally:
            self._task = None  # one that was cancelled keeps all that it stood in, and the socket

    async def _hold(self) -> None:
        """From the opening of a socket to its end, or to that of the last that took its place."""
        try:
            self._take(await self._open_socket())
            while self._present and not self._over:
                await self._listen(self._present)
        except UpstreamError as error:
            if self._pause_s is None:  # else the owner itself gave this socket up
                log.info("! %s", error)
                self._owner.lost(error.failure)
        finally:
            await self._let_go()

    def _take(self, upstream: Upstream) -> None:
        """From now on this is the socket that is spoken to."""
        self._present = upstream
        self._owner.opened()

    async def _listen(self, upstream: Upstream) -> None:
        """Every event of a socket, until another has taken its place or none is wanted.

        If it breaks while a successor waits for a quiet moment, that one does not wait any longer.
        """
        try:
            async for event in upstream.events():
                if upstream is not self._present:
                    return
                self._owner.received(event)
                if self._over:
                    return
        except UpstreamError:
            if upstream is not self._present:
                return
            if self._successor is None or self._pause_s is not None:
                raise
            self._cancel_renewal()
            successor, self._successor = self._successor, None
            await self._replace(upstream, successor)

    async def _renew(self) -> None:
        try:
            self._successor = await self._open_socket()
            await self._hand_over()
        except UpstreamError as error:
            log.info("! the session could not be renewed: %s", error)
        except Exception:
            log.exception("! the line failed")
            self._owner.failed()

    async def _hand_over(self) -> None:
        """Wait until nobody speaks; then the successor takes the present socket's place at once,
        with nothing in between that could still be said to the former one."""
        # The owner keeps no time of its own, so there is nothing to wait for but time.
        while not self._owner.is_quiet():  # noqa: ASYNC110
            await asyncio.sleep(WATCH_S)
        former, successor, self._successor = self._present, self._successor, None
        if former is None or successor is None:
            return
        await self._replace(former, successor)

    async def _replace(self, former: Upstream, successor: Upstream) -> None:
        """The successor is the present socket before the former one is closed, so that an end in
        between finds it."""
        self._take(successor)
        try:
            await former.close()
        except asyncio.CancelledError:
            former.abort()
            raise

    def _cancel_renewal(self) -> None:
        if self._renewal:
            self._renewal.cancel()

    async def _let_go(self) -> None:
        """Close whatever is open, and whatever is still being opened."""
        self._closing = True
        if self._renewal:
            self._renewal.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewal
            self._renewal = None
        for upstream in (self._present, self._successor):
            if upstream:
                await upstream.close()
        self._present = self._successor = None
        self._closing = False
