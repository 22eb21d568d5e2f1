"""The calls between browsers and the Realtime server that our server watches.

Rule: a watched call has a name of its own, which nobody can guess; it is forgotten a while after
its end. No more calls run than the settings allow.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from components.core.observer import Seen
from components.direct.minting import Minting
from components.direct.watched import Watched
from components.settings import Settings

REMEMBERED_S: Final = 60.0


class FullError(Exception):
    """No more calls are taken now."""


class Sidebands:
    """The calls that are watched now. All but `say_goodbye` belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watched: dict[str, Watched] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self, name: str) -> Watched | None:
        """The call of this name, if it is known."""
        return self._watched.get(name)

    async def follow(self, name: str, pause_s: float) -> AsyncIterator[Seen]:
        """What is known of a call whenever that changes; nothing if nobody knows the call."""
        if watched := self._watched.get(name):
            async for seen in watched.snapshots(pause_s):
                yield seen

    async def answer(self, minting: Minting, offer: str, visitor: str) -> tuple[str, str]:
        """The answer to an offer, and the name of the new call.

        `FullError` if there is no place for it, `MintingError` if the server does not take it.
        """
        running = sum(not watched.over for watched in self._watched.values())
        if running + self._answering >= self._settings.max_calls:
            raise FullError
        self._answering += 1
        try:
            answer = await minting.answer(offer, visitor)
        finally:
            self._answering -= 1
        return answer.sdp, self.watch(minting, answer.call_id)

    def watch(self, minting: Minting, call_id: str) -> str:
        """Attach to a call; returns the name under which it is known from now on."""
        self._loop = asyncio.get_running_loop()
        name = secrets.token_urlsafe(18)
        self._watched[name] = watched = Watched(self._settings, minting, call_id)
        task = asyncio.create_task(self._run(name, watched))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return name

    def say_goodbye(self, limit_s: float) -> None:
        """Hang up all calls, from another thread; returns when that is done, or after `limit_s`.

        Without us no limit of theirs would hold, and no function be answered.
        """
        if self._loop is None or not self._loop.is_running():
            return
        ending = asyncio.run_coroutine_threadsafe(self._hang_up_all(), self._loop)
        with suppress(TimeoutError):
            ending.result(limit_s)

    async def _hang_up_all(self) -> None:
        running = [watched for watched in self._watched.values() if not watched.over]
        await asyncio.gather(*(watched.hang_up() for watched in running))

    async def _run(self, name: str, watched: Watched) -> None:
        await watched.run()
        await asyncio.sleep(REMEMBERED_S)
        del self._watched[name]
