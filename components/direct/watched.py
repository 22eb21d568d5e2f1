"""One call between a browser and the Realtime server, watched from beside.

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
from components.core.allowance import Limits
from components.core.observer import Observer, Seen
from components.core.outputs import Output, RunTool, Send
from components.direct.minting import Minting
from components.protocol.failures import OUR_FAULT, Severity, safe
from components.protocol.fields import Json
from components.settings import Settings
from components.upstream.client import Upstream, UpstreamError, open_upstream
from components.upstream.trace import Trace

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


class Watched:
    """A call; `run` watches it to its end."""

    def __init__(self, settings: Settings, minting: Minting, call_id: str) -> None:
        self._minting = minting
        self._call_id = call_id
        self._limits = Limits(
            call_s=settings.max_call_seconds,
            idle_s=settings.max_idle_seconds,
            cost=settings.max_call_cost,
        )
        self._observer = Observer(settings.model, self._limits)
        self._trace = Trace(settings.trace) if settings.trace else None
        self.seen = self._observer.seen
        self._changed = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._threads = tools.Threads()
        self._upstream: Upstream | None = None
        self._unsent: list[Json] = []

    @property
    def over(self) -> bool:
        return self._observer.over

    @property
    def reason(self) -> str:
        """Why we have ended the call; empty if it goes on, or has ended by itself."""
        return self._observer.reason

    async def snapshots(self, pause_s: float) -> AsyncIterator[Seen]:
        """What is known whenever that has changed, to the end; never more often."""
        while True:
            changed, seen = self._changed, self.seen
            yield seen
            if self.over and seen is self.seen:
                return
            await changed.wait()
            await asyncio.sleep(pause_s)

    async def run(self) -> None:
        """Watch, run the functions that the assistant calls, and hold the limits."""
        self._perform(self._observer.begin(time.monotonic()))
        tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._hold())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, *self._running):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._trace:
                self._trace.close()
        self._perform(self._observer.end())
        if self.reason:
            await self.hang_up()

    def end(self, reason: str) -> None:
        """The call must end, for a reason; `run` then hangs it up."""
        self._perform(self._observer.end(reason))

    async def hang_up(self) -> None:
        """Ask the server to end the call."""
        await self._minting.hang_up(self._call_id)

    async def _hold(self) -> None:
        """To the moment when the call must end."""
        try:
            while not self.over:
                await asyncio.sleep(TICK_S)
                attached = self._upstream is not None
                self._perform(self._observer.tick(time.monotonic(), attached))
        except Exception:
            log.exception("! the limits of a call cannot be held")
            self.end(OUR_FAULT.sentence)

    async def _watch(self) -> None:
        """To the end of the call, or until it must end; also where it cannot be seen."""
        try:
            await self._attend()
            return
        except UpstreamError as error:
            log.info("! a call cannot be watched: %s", error)
        except Exception:
            log.exception("! watching a call failed")
        # It may go on; its limits still hold.
        if self._limits.cost:
            self.end(UNSEEN)
        elif self._limits.call_s:
            await asyncio.Event().wait()

    async def _attend(self) -> None:
        """Every event of the call to its end; `UpstreamError` if nobody lets us attach."""
        attached, attempt = False, 0
        while not self.over:
            await asyncio.sleep(PAUSES_S[attempt])
            attempt += 1
            try:
                upstream = await self._attach()
            except UpstreamError as error:
                if attached and error.failure.severity is Severity.PERMANENT:
                    return  # as after the end of every call: nobody knows it any more
                if attempt == len(PAUSES_S):
                    raise
                continue
            attached, began = True, time.monotonic()
            await self._listen(upstream)
            # At once, or events are missed; but a socket that never holds is given time.
            attempt = 0 if time.monotonic() - began >= SHORT_S else 1

    async def _attach(self) -> Upstream:
        url = self._minting.sideband_url(self._call_id)
        return await open_upstream(url, self._minting.headers, [self._trace] if self._trace else [])

    async def _listen(self, upstream: Upstream) -> None:
        self._upstream = upstream
        unsent, self._unsent = self._unsent, []
        for waiting in unsent:
            upstream.send(waiting)
        try:
            with suppress(UpstreamError):
                async for event in upstream.events():
                    self._perform(self._observer.receive(event, time.monotonic()))
                    if self.over:
                        return
        finally:
            self._upstream = None
            await upstream.close()

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(event):
                    self._send(event)
                case RunTool():
                    task = asyncio.create_task(self._run_tool(output))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
        if self._observer.seen != self.seen:
            self.seen = self._observer.seen
            self._changed.set()
            self._changed = asyncio.Event()

    async def _run_tool(self, call: RunTool) -> None:
        log.info("= the assistant calls %s", safe(call.name[:100]))
        output = await tools.run(call.name, call.arguments, self._threads)
        self._perform(self._observer.ran(call.call_id, output, time.monotonic()))

    def _send(self, event: Json) -> None:
        if self._upstream:
            self._upstream.send(event)
        else:
            self._unsent.append(event)
