"""One call between a browser and the Realtime server, as our server sees it from beside.

Rule: the call does not need us, so a sideband that breaks is attached again, and a limit of the
settings holds even where the call cannot be seen. Functions run as tasks of their own: nothing
that they do holds up an event.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from components import tools
from components.conversation import Connection
from components.direct.function_calls import FunctionCall, FunctionCalls
from components.direct.minting import Minting
from components.direct.observe import Seen, ended, observe
from components.protocol import Event, Severity
from components.settings import Settings
from components.upstream import Upstream, UpstreamError, open_upstream

log = logging.getLogger(__name__)

PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Before each try to attach; a call that has just been taken may not be known everywhere yet."""
SHORT_S: Final = 1.0
"""What lasts less was no connection."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why we hung a call up, which must not be begun again by itself."""

    code: str
    sentence: str


TIME_UP: Final = Verdict("time_up", "The time for this call is up. Start a new one.")
COST_UP: Final = Verdict("cost_limit", "This call has reached its cost limit. Start a new one.")
UNSEEN: Final = Verdict(
    "unwatched",
    "The server lets nobody watch what this call costs, so it was ended. "
    "The owner of this app can set MAX_CALL_COST to 0.",
)


class Watched:
    """A call; `run` watches it to its end. `verdict` says why we hung it up, if we did."""

    def __init__(self, settings: Settings, minting: Minting, call_id: str) -> None:
        self._settings = settings
        self._minting = minting
        self._call_id = call_id
        self.seen = Seen(settings.model)
        self.verdict: Verdict | None = None
        self._changed = asyncio.Event()
        self._functions = FunctionCalls()
        self._running: set[asyncio.Task[None]] = set()
        self._upstream: Upstream | None = None
        self._unsent: list[Event] = []

    @property
    def over(self) -> bool:
        return self.seen.conversation.connection is Connection.ENDED

    async def snapshots(self, pause_s: float) -> AsyncIterator[Seen]:
        """What is known whenever that has changed, to the end; never more often."""
        while True:
            changed, seen = self._changed, self.seen
            yield seen
            if seen.conversation.connection is Connection.ENDED:
                return
            await changed.wait()
            await asyncio.sleep(pause_s)

    async def run(self) -> None:
        """Watch, and run the functions that the assistant calls."""
        try:
            async with asyncio.timeout(self._settings.max_call_seconds or None):
                self.verdict = await self._watch()
        except TimeoutError:
            self.verdict = TIME_UP
        for task in self._running:
            task.cancel()
        if self.verdict:
            await self.hang_up()
        self._show(ended(self.seen, self.verdict.sentence if self.verdict else ""))

    async def hang_up(self) -> None:
        """End the call."""
        await self._minting.hang_up(self._call_id)

    async def _watch(self) -> Verdict | None:
        """To the end of the call, or until it must end; where it cannot be seen as well."""
        try:
            return await self._attend()
        except UpstreamError as error:
            log.info("! a call cannot be watched: %s", error)
        except Exception:
            log.exception("! watching a call failed")
        # It may go on; its limits still hold.
        if self._settings.max_call_cost:
            return UNSEEN
        if self._settings.max_call_seconds:
            await asyncio.Event().wait()
        return None

    async def _attend(self) -> Verdict | None:
        """Every event of the call to its end; `UpstreamError` if nobody lets us attach."""
        attached, attempt = False, 0
        while True:
            await asyncio.sleep(PAUSES_S[attempt])
            attempt += 1
            try:
                upstream = await self._attach()
            except UpstreamError as error:
                if attached and error.failure.severity is Severity.PERMANENT:
                    return None  # as after the end of every call: nobody knows it any more
                if attempt == len(PAUSES_S):
                    raise
                continue
            attached, began = True, time.monotonic()
            if verdict := await self._listen(upstream):
                return verdict
            # At once, or events are missed; but a socket that never holds is given time.
            attempt = 0 if time.monotonic() - began >= SHORT_S else 1

    async def _attach(self) -> Upstream:
        url = self._minting.sideband_url(self._call_id)
        return await open_upstream(url, self._minting.headers)

    async def _listen(self, upstream: Upstream) -> Verdict | None:
        self._upstream = upstream
        unsent, self._unsent = self._unsent, []
        self._send(unsent)
        try:
            with suppress(UpstreamError):
                async for event in upstream.events():
                    self._show(observe(self.seen, event, time.monotonic()))
                    self._serve(event)
                    if self._too_expensive:
                        return COST_UP
        finally:
            self._upstream = None
            await upstream.close()
        return None

    @property
    def _too_expensive(self) -> bool:
        limit, cost = self._settings.max_call_cost, self.seen.cost
        return bool(limit) and cost is not None and cost > limit

    def _serve(self, event: Event) -> None:
        """Run what the assistant calls."""
        calls, events = self._functions.receive(event)
        self._send(events)
        for call in calls:
            task = asyncio.create_task(self._call(call))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _call(self, call: FunctionCall) -> None:
        log.info("= the assistant calls %s", call.name[:100])
        output = await tools.run(call.name, call.arguments)
        self._send(self._functions.ran(call, output))

    def _send(self, events: list[Event]) -> None:
        for event in events:
            if self._upstream:
                self._upstream.send(event)
            else:
                self._unsent.append(event)

    def _show(self, seen: Seen) -> None:
        if seen != self.seen:
            self.seen = seen
            self._changed.set()
            self._changed = asyncio.Event()
