"""What passes between the calls of this process and the other replicas.

Rule: a call is told to the others every second in which something was said in it, so that it can
go on elsewhere when this process dies; one that goes on elsewhere ends here. While the others
cannot be asked, nothing is known of them, and calls go on.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from components.bridge.call import TAKEN_OVER, Call
from components.bridge.memory import Memory
from components.bridge.terms import NOTHING, Used
from components.core.conversation import Conversation
from components.core.history import kept as newest
from components.core.places import NoPlaceError, Place
from components.replicas.kept import Kept
from components.replicas.replicas import Replicas
from components.replicas.store import StoreLostError

log = logging.getLogger(__name__)

TELL_S: Final = 1.0
"""What was said in the last second before a process dies is lost."""
AGAIN_S: Final = 5.0
"""A call in which nothing is said is told so often, and learns whether it goes on elsewhere."""
FOUND_S: Final = 60.0
MOST_FOUND: Final = 200
"""Calls of others of which somebody has asked; most go on here a moment later."""

Learn = Callable[[str, Conversation | None], None]
"""What was said before under a key, by what is kept for all; None for nothing."""


@dataclass(slots=True)
class _Held:
    """A call of this process."""

    call: Call
    place: Place
    before: Kept | None = None
    """The call of another replica that is to go on in this one."""
    told: object = None
    """The messages that the others know of."""
    told_at: float = 0.0
    counted: float = 0.0
    """US dollars, of which the purse knows."""


@dataclass(frozen=True, slots=True)
class _Over:
    """What is still to be told of a tab that is in no call here."""

    kept: Kept
    is_news: bool
    """Whether nothing of it was told from here before: it is this process's from now on."""


class Handover:
    """Of all bridged calls here; belongs to their event loop."""

    def __init__(self, replicas: Replicas, learn: Learn) -> None:
        self._replicas = replicas
        self._learn = learn
        self._held: dict[str, _Held] = {}
        self._over: dict[str, _Over] = {}
        self._owed: list[tuple[str, float]] = []
        """By whom, and how many dollars."""
        self._found = Memory[Kept](MOST_FOUND, FOUND_S)
        self._telling: asyncio.Task[None] | None = None

    # What others know.

    async def fetch(self, key: str) -> Kept | None:
        """What others know of a tab that wants to call here; from now on it is this process's."""
        if not self._replicas.are_many or key in self._held:
            return None
        over = self._over.get(key)
        kept = over.kept if over else None  # newer than what the others know
        if kept is None:
            with suppress(StoreLostError):
                kept = await self._replicas.keeper.claim(key)
                self._learn(key, kept.conversation if kept else None)
        if kept is None or not kept.running:
            return None
        self._found.put(key, kept, time.monotonic())
        return kept

    async def look(self, key: str) -> None:
        """Learn what others know of a tab that only wants to see it."""
        if not self._replicas.are_many or key in self._held or key in self._over:
            return
        with suppress(StoreLostError):
            kept = await self._replicas.keeper.read(key)
            self._learn(key, kept.conversation if kept else None)

    async def forget(self, key: str) -> None:
        """The tab wants nothing to be known of it."""
        self._over.pop(key, None)
        with suppress(StoreLostError):
            await self._replicas.keeper.drop(key)

    def used(self, key: str) -> Used:
        """What a call that is to go on here has used elsewhere."""
        kept = self._found.get(key, time.monotonic())
        return Used(kept.lasted_s, kept.cost) if kept else NOTHING

    # What happens here.

    def begin(self, key: str, call: Call, place: Place) -> None:
        """A call has come to be, which nobody else knows of."""
        self._held[key] = _Held(call, place, self._found.get(key, time.monotonic()))
        self._found.drop(key)
        has_news = self._replicas.are_many or self._replicas.purse.is_limited
        if has_news and self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._keep_telling())

    async def confirm(self, key: str) -> None:
        """Have the call counted for all; `NoPlaceError` if they have no place for it.

        So it is too if its visitor has cost what he may.
        """
        held = self._held.get(key)
        if held is None:
            return
        before = held.before.place if held.before else ""
        try:
            await self._replicas.admit(
                held.place, visitor_pays=held.call.terms.own, instead_of=before
            )
        except NoPlaceError:
            held.call.abandon()
            raise

    def end(self, key: str, call: Call) -> None:
        """A call has ended; one that never went on here may still do so, here or elsewhere."""
        held = self._held.pop(key, None)
        if held is None:
            return
        self._count(held)
        if held.before and call.used == call.terms.used:
            self._over[key] = _Over(held.before, is_news=True)
        elif call.conversation.messages:
            self._remember(key, call.conversation, is_news=not held.told_at)

    def remember(self, key: str, conversation: Conversation) -> None:
        """What was said by a tab over the direct route."""
        self._remember(key, conversation, is_news=True)

    def _remember(self, key: str, conversation: Conversation, is_news: bool) -> None:
        if self._replicas.are_many:
            self._over[key] = _Over(Kept(newest(conversation)), is_news)

    async def close(self) -> None:
        """All calls have ended: the others learn of it."""
        if self._telling:
            self._telling.cancel()
        await self._tell()
        await self._replicas.close()

    async def _keep_telling(self) -> None:
        while True:
            await asyncio.sleep(TELL_S)
            try:
                await self._tell()
            except Exception:
                log.exception("! other replicas could not be told")

    async def _tell(self) -> None:
        await self._spend()
        if not self._replicas.are_many:
            return
        with suppress(StoreLostError):
            for key, held in tuple(self._held.items()):
                await self._tell_of(key, held)
            for key, over in tuple(self._over.items()):
                if over.is_news:
                    await self._replicas.keeper.claim(key)
                await self._replicas.keeper.keep(key, over.kept)
                if self._over.get(key) is over:
                    del self._over[key]

    async def _tell_of(self, key: str, held: _Held) -> None:
        call, now = held.call, time.monotonic()
        messages = call.conversation.messages
        if messages is held.told and now < held.told_at + AGAIN_S:
            return
        kept = Kept(
            newest(call.conversation),
            running=True,
            own_key=call.terms.own,
            lasted_s=call.used.seconds,
            cost=call.used.cost,
            place=self._replicas.places.name(held.place),
        )
        if not held.told_at:  # a store that was lost may not know yet that it is here
            await self._replicas.keeper.claim(key)
        if await self._replicas.keeper.keep(key, kept):
            held.told, held.told_at = messages, now
        else:
            log.info("! a call goes on at another replica")
            await call.close(TAKEN_OVER)
            self._over.pop(key, None)

    async def _spend(self) -> None:
        purse = self._replicas.purse
        for held in tuple(self._held.values()):
            self._count(held)
        owed, self._owed = self._owed, []
        for visitor, dollars in owed:
            await purse.spend(visitor, dollars)
        for held in tuple(self._held.values()):
            terms = held.call.terms
            if not terms.own and await purse.left(terms.visitor) <= 0:
                held.call.answer_no_more(purse.empty)

    def _count(self, held: _Held) -> None:
        """Note what a call has cost since it was last asked, unless its visitor pays."""
        terms = held.call.terms
        cost = held.call.used.cost - terms.used.cost
        if not terms.own and cost > held.counted:
            self._owed.append((terms.visitor, cost - held.counted))
            held.counted = cost
