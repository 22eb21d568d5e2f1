"""The calls between browsers and the Realtime server that our server watches.

Rule: a watched call has a name of its own, which nobody can guess; it is forgotten a while after
its end, and holds its place as long as it may go on.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from components.core.conversation import Conversation
from components.core.observer import Seen
from components.core.places import Place, Places
from components.direct.minting import Minting, MintingError
from components.direct.watched import Watched
from components.operating.metrics import Meter, Metrics
from components.replicas.replicas import Replicas
from components.settings import Settings

REMEMBERED_S: Final = 60.0
COUNT_S: Final = 1.0
"""So often a visitor's purse is told what a call has cost."""


class Sidebands:
    """The calls that are watched now. All but `say_goodbye` belongs to one event loop."""

    def __init__(
        self,
        settings: Settings,
        places: Places,
        metrics: Metrics | None = None,
        replicas: Replicas | None = None,
    ) -> None:
        """`places` are those of the app; `metrics` count; `replicas` are the other processes that
        serve this app."""
        self._settings = settings
        self._places = places
        self._metrics = metrics or Metrics(settings.model)
        self._replicas = replicas or Replicas(places)
        self._watched: dict[str, Watched] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self, name: str) -> Watched | None:
        """The call of this name, if it is known."""
        return self._watched.get(name)

    def refused(self, error: MintingError) -> None:
        """The Realtime server gave neither token nor answer; counted for who runs the app."""
        self._metrics.failed("direct", error.failure)

    async def follow(self, name: str, pause_s: float) -> AsyncIterator[Seen]:
        """What is known of a call whenever that changes; nothing if nobody knows the call."""
        if watched := self._watched.get(name):
            async for seen in watched.snapshots(pause_s):
                yield seen

    async def answer(
        self,
        minting: Minting,
        offer: str,
        visitor: str,
        before: Watched | None = None,
        past: Conversation | None = None,
    ) -> tuple[str, str]:
        """The answer to an offer, and the name of the new call.

        `before` is a call of the same browser, whose connection has broken: it is hung up. `past`
        is what was said before, with which the call goes on.
        `NoPlaceError` if there is none for it, `MintingError` if the server does not take it.
        """
        if before is not None:
            await before.leave()
        place = self._places.take(visitor, time.monotonic())
        try:
            await self._replicas.admit(place)
            answer = await minting.answer(offer, visitor)
        except BaseException:
            self._places.give_back(place)
            raise
        meter = self._metrics.call("direct", time.monotonic())
        if before is not None:
            meter.rejoined()
        return answer.sdp, self._watch(minting, answer.call_id, place, meter, past)

    def _watch(
        self, minting: Minting, call_id: str, place: Place, meter: Meter, past: Conversation | None
    ) -> str:
        """Attach to a call; returns the name under which it is known from now on."""
        self._loop = asyncio.get_running_loop()
        name = secrets.token_urlsafe(18)
        watched = Watched(self._settings, minting, call_id, meter, past)
        self._watched[name] = watched
        task = asyncio.create_task(self._run(name, watched, place, meter))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return name

    def say_goodbye(self, limit_s: float) -> None:
        """Hang up all calls, from another thread; returns when that is done, or after `limit_s`.

        Without us no limit of theirs would hold, and no function be answered.
        """
        if self._loop is None:
            return
        if not self._loop.is_running():  # it has broken down, and the calls go on
            with suppress(TimeoutError):
                asyncio.run(asyncio.wait_for(self._hang_up_all(), limit_s))
            return
        ending = asyncio.run_coroutine_threadsafe(self._hang_up_all(), self._loop)
        with suppress(TimeoutError):
            ending.result(limit_s)

    async def _hang_up_all(self) -> None:
        running = [watched for watched in self._watched.values() if not watched.gone.is_set()]
        await asyncio.gather(*(watched.hang_up() for watched in running))

    async def _run(self, name: str, watched: Watched, place: Place, meter: Meter) -> None:
        counting = asyncio.create_task(self._keep_counting(watched, place.visitor))
        try:
            await watched.run()
        finally:
            counting.cancel()
            await self._count(watched, place.visitor)
            self._places.give_back(place)
            meter.over("stopped" if watched.reason else "hung_up")
        await asyncio.sleep(REMEMBERED_S)
        del self._watched[name]

    async def _keep_counting(self, watched: Watched, visitor: str) -> None:
        """What the call costs its visitor, who may have no more answers some day."""
        purse = self._replicas.purse
        while purse.is_limited:
            await asyncio.sleep(COUNT_S)
            await self._count(watched, visitor)
            if await purse.left(visitor) <= 0:
                watched.answer_no_more(purse.empty)

    async def _count(self, watched: Watched, visitor: str) -> None:
        await self._replicas.purse.spend(visitor, watched.uncounted())
