"""Who is in a call, and what was said before: by the secret key of each browser's tab.

Rule: a key opens its own call and no other, and is shown to nobody. A call that waits for its
browser holds its place; what is remembered of ended calls is bounded in time and number, and is let
go when its time is over, whether or not anybody asks.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from components.bridge.call import Call
from components.bridge.handover import Handover
from components.bridge.inspection import Inspection
from components.bridge.memory import Memory
from components.bridge.recorder import Keeping, Transcripts
from components.bridge.terms import NOTHING
from components.core.conversation import Conversation
from components.core.history import kept
from components.core.pace import Pace
from components.core.places import Place, Places
from components.heap import give_back
from components.operating.metrics import Metrics, ending_of
from components.protocol.options import Refused
from components.recording.recording import Recording
from components.recording.shelf import Shelf
from components.replicas.kept import Kept
from components.replicas.replicas import Replicas
from components.settings import Settings

REMEMBERED_S: Final = 30 * 60.0
"""So long after its end a conversation can be continued."""
MOST_REMEMBERED: Final = 200
MOST_INSPECTIONS: Final = 8
"""Of ended calls that can still be looked into; each may hold some megabytes."""
_KEY: Final = re.compile(r"[0-9a-f]{32}")


def is_key(value: str) -> bool:
    """Whether this is one that a page makes up for its tab."""
    return _KEY.fullmatch(value) is not None


def key_of(value: Any) -> str:
    """The key that a page sent; one that sent none, or no key, is a stranger with a fresh one."""
    return value if isinstance(value, str) and is_key(value) else secrets.token_hex(16)


class Calls:
    """The calls of this process. All methods belong to the event loop of the calls."""

    def __init__(
        self,
        settings: Settings,
        refused: Refused,
        places: Places,
        transcripts: Transcripts = lambda _: {},
        metrics: Metrics | None = None,
        replicas: Replicas | None = None,
    ) -> None:
        """`refused` is what this process has learned of servers; `places` are those of the app,
        `transcripts` makes the files of what was said in a recording, `metrics` count; `replicas`
        are the other processes that serve this app."""
        self._settings = settings
        self._refused = refused
        self._places = places
        self._metrics = metrics or Metrics(settings.model)
        self._pace = Pace()
        self._transcripts = transcripts
        self._shelf = Shelf()
        self._calls: dict[str, Call] = {}
        self._past = Memory[Conversation](MOST_REMEMBERED, REMEMBERED_S)
        self._inspections = Memory[Inspection](MOST_INSPECTIONS, REMEMBERED_S)
        self._handover = Handover(replicas or Replicas(places), self._learn)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forgetting: asyncio.TimerHandle | None = None
        """Runs while anything is remembered, to the end of the app."""
        self._closed = False

    def running(self, key: str) -> bool:
        """Whether this browser's call has not ended."""
        return key in self._calls

    def enter(
        self,
        key: str,
        visitor: str,
        wishes: Mapping[str, Any] = MappingProxyType({}),
        own_key: str = "",
        *,
        comes_back: bool = False,
    ) -> Call:
        """The call of this browser: the one that runs, or a new one that takes a place.

        `visitor` is the browser's address, `wishes` what a new call is to be like, `own_key`
        what opens its sockets in the place of the app's. With `comes_back` the call goes on that
        `fetch` has found at another replica.
        `NoPlaceError` if there is none for a new call; `confirm` asks the other replicas.
        """
        self._loop = asyncio.get_running_loop()
        call = self._calls.get(key)
        if call is None:
            place = self._places.take(visitor, time.monotonic())
            try:
                call = Call(
                    self._settings,
                    self.past(key),
                    self._refused,
                    lambda ended: self._end(key, ended, place),
                    visitor,
                    wishes,
                    self._pace,
                    own_key,
                    self._handover.used(key) if comes_back else NOTHING,
                )
            except BaseException:
                self._places.give_back(place)
                raise
            call.recorder.keeping = self._keeping(key)
            call.inspection.meter = self._metrics.call(
                "bridged", time.monotonic(), model=call.inspection.model, own_key=bool(own_key)
            )
            if comes_back:
                call.inspection.meter.rejoined()
            self._calls[key] = call
            self._handover.begin(key, call, place)
        return call

    async def fetch(self, key: str) -> Kept | None:
        """A call of this browser that has not ended at another replica; learn what was said."""
        return await self._handover.fetch(key)

    async def confirm(self, key: str) -> None:
        """Have the call that was entered counted by all replicas; `NoPlaceError` if they do not
        take it, and then it has ended."""
        await self._handover.confirm(key)

    async def recall(self, key: str) -> Conversation:
        """What this browser has said and heard so far, here or at another replica."""
        await self._handover.look(key)
        return self.past(key)

    def command(self, key: str, message: Mapping[str, Any]) -> bool:
        """A message of a browser that did not come over its connection; whether its call runs."""
        call = self._calls.get(key)
        if call:
            call.command(message)
        return call is not None

    def past(self, key: str) -> Conversation:
        """What is known here of what this browser has said and heard; empty if nothing is."""
        if call := self._calls.get(key):
            return call.conversation
        return self._past.get(key, time.monotonic()) or Conversation()

    def inspection(self, key: str) -> Inspection | None:
        """What can be looked into of this browser's call: the one that runs, or else its last."""
        if call := self._calls.get(key):
            return call.inspection
        return self._inspections.get(key, time.monotonic())

    def recording(self, key: str) -> Recording | None:
        """The newest recording of this browser's tab."""
        return self._shelf.of(key)

    def remember(self, key: str, conversation: Conversation) -> None:
        """Keep what was said under a key, over whichever route."""
        self._learn(key, conversation)
        self._handover.remember(key, conversation)

    def _learn(self, key: str, conversation: Conversation | None) -> None:
        self._loop = asyncio.get_running_loop()
        if conversation is None:
            self._past.drop(key)
        else:
            self._past.put(key, kept(conversation), time.monotonic())
        self._forget_in_time()

    async def forget_elsewhere(self, key: str) -> None:
        """Have other replicas let go of what was said before."""
        await self._handover.forget(key)

    def forget(self, key: str) -> None:
        """Let go of what was said before."""
        self._past.drop(key)
        self._inspections.drop(key)
        self._shelf.delete(key)

    def say_goodbye(self, notice: str, limit_s: float) -> None:
        """End all calls, from another thread; returns when they have ended, or after `limit_s`."""
        if self._loop is None or not self._loop.is_running():
            return
        ending = asyncio.run_coroutine_threadsafe(self._close(notice), self._loop)
        try:
            ending.result(limit_s)
        except TimeoutError:
            ending.cancel()

    def _keeping(self, key: str) -> Keeping | None:
        """Where a call may be recorded; None if visitors may not."""
        may = self._settings.visitors_may
        if "record" not in may:
            return None
        return Keeping(self._shelf, key, may, "events" in may, self._transcripts)

    async def _close(self, notice: str) -> None:
        self._closed = True
        if self._forgetting:
            self._forgetting.cancel()
        try:
            await asyncio.gather(*(call.close(notice) for call in list(self._calls.values())))
            await self._handover.close()
        finally:
            self._shelf.close()

    def _end(self, key: str, call: Call, place: Place) -> None:
        del self._calls[key]
        self._handover.end(key, call)
        if not self._calls:
            give_back()  # which takes some milliseconds; now there is time
        self._places.give_back(place)
        if meter := call.inspection.meter:
            meter.over(ending_of(call.conversation, meter.has_joined))
        now = time.monotonic()
        self._inspections.put(key, call.inspection, now)
        if call.conversation.messages:
            self._past.put(key, kept(call.conversation), now)
        self._forget_in_time()

    def _forget_in_time(self) -> None:
        """Let go of what is too old, and again when the next will be."""
        now = time.monotonic()
        dues = [self._past.purge(now), self._inspections.purge(now)]
        if self._forgetting:
            self._forgetting.cancel()
            self._forgetting = None
        if self._loop and not self._closed and (due := min(filter(None, dues), default=None)):
            self._forgetting = self._loop.call_later(due - now, self._forget_in_time)
