"""One call between a browser and the Realtime server, as our server sees it from beside.

Rule: the call does not need us, so a sideband that breaks is attached again, and the limits of time
and cost hold even where the call cannot be seen. Functions run as tasks of their own: nothing that
they do holds up an event.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from components import tools
from components.core.allowance import Allowance
from components.core.conversation import Assistant, Connection
from components.direct.function_calls import FunctionCall, FunctionCalls
from components.direct.minting import Minting
from components.direct.observe import Seen, ended, is_active, noting, observe
from components.protocol.failures import Severity
from components.protocol.fields import Event
from components.settings import Settings
from components.upstream.client import Upstream, UpstreamError, open_upstream

log = logging.getLogger(__name__)

PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Before each try to attach; a call that has just been taken may not be known everywhere yet."""
SHORT_S: Final = 1.0
"""What lasts less was no connection."""


TICK_S: Final = 1.0
"""Between two looks at the limits."""
UNSEEN: Final = (
    "The server lets nobody watch what this call costs, so it was ended. "
    "The owner of this app can set MAX_CALL_COST to 0."
)
SPENT: Final = "This call has reached its cost limit. You can start another."


class Watched:
    """A call; `run` watches it to its end. `reason` says why we hung it up, if we did."""

    def __init__(self, settings: Settings, minting: Minting, call_id: str) -> None:
        self._minting = minting
        self._call_id = call_id
        self._limits = settings.max_call_seconds, settings.max_idle_seconds, settings.max_call_cost
        self._allowance = Allowance(*self._limits)
        self.seen = Seen(settings.model)
        self.reason = ""
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
        """Watch, run the functions that the assistant calls, and hold the limits."""
        tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._hold())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.reason = next(filter(None, (task.result() for task in done)), "")
        finally:
            for task in (*tasks, *self._running):
                task.cancel()
        if self.reason:
            await self.hang_up()
        self._show(ended(self.seen, self.reason))

    async def hang_up(self) -> None:
        """End the call."""
        await self._minting.hang_up(self._call_id)

    async def _hold(self) -> str:
        """To the moment when the call must end, and why."""
        self._allowance.begin(time.monotonic())
        while True:
            await asyncio.sleep(TICK_S)
            now, conversation = time.monotonic(), self.seen.conversation
            if self._upstream is None or is_active(conversation):
                self._allowance.stir(now)  # what cannot be seen may be speech
            answering = conversation.assistant is not Assistant.IDLE
            verdict = self._allowance.verdict(now, answering)
            if verdict and verdict.over:
                return verdict.sentence
            self._show(noting(self.seen, verdict.sentence if verdict else ""))

    async def _watch(self) -> str:
        """To the end of the call, or until it must end, and why; also where it cannot be seen."""
        try:
            return await self._attend()
        except UpstreamError as error:
            log.info("! a call cannot be watched: %s", error)
        except Exception:
            log.exception("! watching a call failed")
        # It may go on; its limits still hold.
        longest_s, _, most_cost = self._limits
        if most_cost:
            return UNSEEN
        if longest_s:
            await asyncio.Event().wait()
        return ""

    async def _attend(self) -> str:
        """Every event of the call to its end; `UpstreamError` if nobody lets us attach."""
        attached, attempt = False, 0
        while True:
            await asyncio.sleep(PAUSES_S[attempt])
            attempt += 1
            try:
                upstream = await self._attach()
            except UpstreamError as error:
                if attached and error.failure.severity is Severity.PERMANENT:
                    return ""  # as after the end of every call: nobody knows it any more
                if attempt == len(PAUSES_S):
                    raise
                continue
            attached, began = True, time.monotonic()
            if reason := await self._listen(upstream):
                return reason
            # At once, or events are missed; but a socket that never holds is given time.
            attempt = 0 if time.monotonic() - began >= SHORT_S else 1

    async def _attach(self) -> Upstream:
        url = self._minting.sideband_url(self._call_id)
        return await open_upstream(url, self._minting.headers)

    async def _listen(self, upstream: Upstream) -> str:
        self._upstream = upstream
        unsent, self._unsent = self._unsent, []
        self._send(unsent)
        try:
            with suppress(UpstreamError):
                async for event in upstream.events():
                    if self._allowance.spent and event["type"] == "response.created":
                        return SPENT  # the last answer that was paid for has been heard
                    self._show(observe(self.seen, event, time.monotonic()))
                    self._allowance.spend(self.seen.cost)
                    self._serve(event)
        finally:
            self._upstream = None
            await upstream.close()
        return ""

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
