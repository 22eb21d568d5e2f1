"""Calls between browsers and the Realtime server, as our server sees them from beside.

Rule: a watched call has a name of its own, which nobody can guess; it is forgotten a while after
its end. A call that is too long is hung up.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from components.conversation import Connection, Conversation
from components.direct.minting import Minting
from components.direct.observe import ended, observe
from components.settings import Settings
from components.upstream import Upstream, UpstreamError, open_upstream

log = logging.getLogger(__name__)

REMEMBERED_S: Final = 60.0
PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Before each try to attach to a call that has just been taken."""
TIME_UP: Final = "The time for this call is up. Start a new one."


class Watched:
    """One call; `time_up` if it was hung up for its length."""

    def __init__(self) -> None:
        self.conversation = Conversation(connection=Connection.CONNECTING)
        self.time_up = False
        self._changed = asyncio.Event()

    @property
    def over(self) -> bool:
        return self.conversation.connection is Connection.ENDED

    def show(self, conversation: Conversation) -> None:
        """There is news."""
        if conversation != self.conversation:
            self.conversation = conversation
            self._changed.set()
            self._changed = asyncio.Event()

    async def snapshots(self, pause_s: float) -> AsyncIterator[Conversation]:
        """The newest conversation whenever it has changed, to the end; never more often."""
        while True:
            changed, shown = self._changed, self.conversation
            yield shown
            if shown.connection is Connection.ENDED:
                return
            await changed.wait()
            await asyncio.sleep(pause_s)


class Sidebands:
    """The calls that are watched now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watched: dict[str, Watched] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def full(self) -> bool:
        running = sum(not watched.over for watched in self._watched.values())
        return running >= self._settings.max_calls

    def get(self, name: str) -> Watched | None:
        """The call of this name, if it is known."""
        return self._watched.get(name)

    async def follow(self, name: str, pause_s: float) -> AsyncIterator[Conversation]:
        """The newest conversation of a call whenever it changes; nothing if nobody knows it."""
        if watched := self._watched.get(name):
            async for conversation in watched.snapshots(pause_s):
                yield conversation

    def watch(self, minting: Minting, call_id: str) -> str:
        """Attach to a call; returns the name under which it is known from now on."""
        name = secrets.token_urlsafe(18)
        self._watched[name] = watched = Watched()
        task = asyncio.create_task(self._follow(name, watched, minting, call_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return name

    async def _follow(self, name: str, watched: Watched, minting: Minting, call_id: str) -> None:
        try:
            async with asyncio.timeout(self._settings.max_call_seconds or None):
                await self._listen(watched, minting, call_id)
        except TimeoutError:
            watched.time_up = True
            await minting.hang_up(call_id)
        except Exception:
            log.exception("! watching a call failed")
        watched.show(ended(watched.conversation, TIME_UP if watched.time_up else ""))
        await asyncio.sleep(REMEMBERED_S)
        del self._watched[name]

    async def _listen(self, watched: Watched, minting: Minting, call_id: str) -> None:
        """Every event of the call, until there is no more call to attach to."""
        attached = False
        for pause_s in PAUSES_S:
            await asyncio.sleep(pause_s)
            while upstream := await self._attach(minting, call_id):
                attached = True
                await _listen_to(upstream, watched)
            if attached:
                return
        if self._settings.max_call_seconds:
            # The call may go on where we cannot see it; its time is still limited.
            await asyncio.Event().wait()

    async def _attach(self, minting: Minting, call_id: str) -> Upstream | None:
        try:
            return await open_upstream(minting.sideband_url(call_id), minting.headers)
        except UpstreamError as error:
            log.debug("! no sideband: %s", error)  # as after the end of every call
            return None


async def _listen_to(upstream: Upstream, watched: Watched) -> None:
    with suppress(UpstreamError):
        async for event in upstream.events():
            watched.show(observe(watched.conversation, event))
    await upstream.close()
