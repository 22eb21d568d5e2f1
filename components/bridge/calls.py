"""Who is in a call, and what was said before: by the secret key of each browser's tab.

Rule: a key opens its own call and no other, and is shown to nobody. A call that waits for its
browser holds its place; what is remembered of ended calls is bounded in time and number, and is let
go when its time is over, whether or not anybody asks.
"""

import asyncio
import re
import secrets
import time
from collections import OrderedDict
from typing import Any, Final

from components.bridge.call import Call
from components.core.conversation import Conversation
from components.core.history import kept
from components.core.places import Place, Places
from components.protocol.options import Refused
from components.settings import Settings

REMEMBERED_S: Final = 30 * 60.0
"""So long after its end a conversation can be continued."""
MOST_REMEMBERED: Final = 200
_KEY: Final = re.compile(r"[0-9a-f]{32}")


def key_of(value: Any) -> str:
    """The key that a page sent; one that sent none, or no key, is a stranger with a fresh one."""
    if isinstance(value, str) and _KEY.fullmatch(value):
        return value
    return secrets.token_hex(16)


class Calls:
    """The calls of this process. All methods belong to the event loop of the calls."""

    def __init__(self, settings: Settings, refused: Refused, places: Places) -> None:
        """`refused` is what this process has learned of servers; `places` are those of the app."""
        self._settings = settings
        self._refused = refused
        self._places = places
        self._calls: dict[str, Call] = {}
        self._past: OrderedDict[str, tuple[float, Conversation]] = OrderedDict()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forgetting: asyncio.TimerHandle | None = None
        """Runs while anything is remembered, to the end of the app."""
        self._closed = False

    def running(self, key: str) -> bool:
        """Whether this browser's call has not ended."""
        return key in self._calls

    def enter(self, key: str, visitor: str) -> Call:
        """The call of this browser: the one that runs, or a new one that takes a place.

        `visitor` is the browser's address. `NoPlaceError` if there is none for a new call.
        """
        self._loop = asyncio.get_running_loop()
        call = self._calls.get(key)
        if call is None:
            place = self._places.take(visitor, time.monotonic())
            call = Call(
                self._settings,
                self.past(key),
                self._refused,
                lambda ended: self._end(key, ended, place),
                visitor,
            )
            self._calls[key] = call
        return call

    def past(self, key: str) -> Conversation:
        """What this browser has said and heard so far; empty if nothing is known of it."""
        self._forget_old()
        if call := self._calls.get(key):
            return call.conversation
        return self._past[key][1] if key in self._past else Conversation()

    def forget(self, key: str) -> None:
        """Let go of what was said before."""
        self._past.pop(key, None)

    def say_goodbye(self, notice: str, limit_s: float) -> None:
        """End all calls, from another thread; returns when they have ended, or after `limit_s`."""
        if self._loop is None or not self._loop.is_running():
            return
        ending = asyncio.run_coroutine_threadsafe(self._close(notice), self._loop)
        try:
            ending.result(limit_s)
        except TimeoutError:
            ending.cancel()

    async def _close(self, notice: str) -> None:
        self._closed = True
        if self._forgetting:
            self._forgetting.cancel()
        await asyncio.gather(*(call.close(notice) for call in list(self._calls.values())))

    def _end(self, key: str, call: Call, place: Place) -> None:
        del self._calls[key]
        self._places.give_back(place)
        if call.conversation.messages:
            self._past[key] = time.monotonic(), kept(call.conversation)
            self._past.move_to_end(key)
            self._forget_in_time()

    def _forget_in_time(self) -> None:
        """Let go of what is too old, and again when the next conversation will be."""
        self._forget_old()
        if self._forgetting:
            self._forgetting.cancel()
            self._forgetting = None
        if self._past and self._loop and not self._closed:
            ended_at, _ = next(iter(self._past.values()))
            wait_s = ended_at + REMEMBERED_S - time.monotonic()
            self._forgetting = self._loop.call_later(wait_s, self._forget_in_time)

    def _forget_old(self) -> None:
        oldest = time.monotonic() - REMEMBERED_S
        while self._past:
            key, (ended_at, _) = next(iter(self._past.items()))
            if ended_at > oldest and len(self._past) <= MOST_REMEMBERED:
                return
            del self._past[key]
