"""One call between a browser and the Realtime server, watched from beside.

Rule: the call does not need us, so a sideband that breaks is attached again, and what cannot be
watched any more is hung up, as no limit would hold in it. The server is asked to hang up until it
has done so, or the call is as old as none can be. Functions run as tasks of their own: nothing that
they do holds up an event.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from components import tools
from components.core.allowance import Limits
from components.core.attachment import Attachment, End, Refusal
from components.core.conversation import Conversation
from components.core.observer import Observer, Seen
from components.core.outputs import Output, RunTool, Send
from components.direct.minting import GONE, HangUp, Minting
from components.operating.metrics import Meter
from components.protocol.events import ServerEvent
from components.protocol.failures import OUR_FAULT, Severity, safe
from components.protocol.fields import Json
from components.protocol.prices import surcharge_at
from components.settings import Settings
from components.upstream.client import Upstream, UpstreamError, open_upstream
from components.upstream.trace import Trace

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
"""Between two looks at the limits."""
HANG_UP_PAUSES_S: Final = (0.0, 1.0, 3.0)
"""A limit that is not enforced is none, so a server that does not hang up is asked again."""
LATER_PAUSE_S: Final = 30.0
LONGEST_CALL_S: Final = 3600.0
"""The API ends every session by then."""
GOODBYE_PAUSES_S: Final = (0.0, 0.2, 0.4)
"""The same, of an app that is about to end."""
LEAVE_LIMIT_S: Final = 3.0
"""Whoever calls again does not wait longer for the end of the call before."""
UNSEEN: Final = (
    "The server lets nobody watch what this call costs, so it was ended. "
    "The owner of this app can set MAX_CALL_COST and MAX_VISITOR_COST to 0."
)
UNWATCHED: Final = (
    "The server lets this app watch the call no longer, so it was ended. You can start another."
)


class Watched:
    """A call; `run` watches it to its end."""

    def __init__(
        self,
        settings: Settings,
        minting: Minting,
        call_id: str,
        meter: Meter | None = None,
        past: Conversation | None = None,
    ) -> None:
        """`meter` counts what happens; `past` is what was said before, with which the call goes
        on."""
        self.past = past
        self._minting = minting
        self._meter = meter
        self._call_id = call_id
        self._limits = Limits(
            call_s=settings.max_call_seconds,
            idle_s=settings.max_idle_seconds,
            cost=settings.max_call_cost,
        )
        self._observer = Observer(
            settings.model, self._limits, surcharge_at(settings.base_url), past
        )
        self._is_paid = bool(settings.max_call_cost or settings.max_visitor_cost)
        """Whether what it costs must be seen."""
        self._trace = Trace(settings.trace) if settings.trace else None
        self.seen = self._observer.seen
        self._changed = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._threads = tools.Threads()
        self._upstream: Upstream | None = None
        self._unsent: list[Json] = []
        self._begun = self._counted = 0.0
        self._unwanted = False
        self._hung_up = False
        self.gone = asyncio.Event()
        """Set when nothing of the call can go on any more."""

    @property
    def over(self) -> bool:
        return self._observer.over

    @property
    def reason(self) -> str:
        """Why we have ended the call; empty if it goes on, or has ended by itself."""
        return self._observer.reason

    def uncounted(self) -> float:
        """What the call has cost since this was last asked, in US dollars."""
        counted, self._counted = self._counted, self._observer.dialogue.counted
        return max(0.0, self._counted - counted)

    def answer_no_more(self, why: str) -> None:
        """The call ends after the answer under way; `why` is the sentence that says so."""
        self._observer.dialogue.answer_no_more(why)

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
        self._begun = time.monotonic()
        self._perform(self._observer.begin(self._begun))
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
        if self.reason or self._unwanted:
            await self._hang_up_for_sure()
        self.gone.set()

    def end(self, reason: str) -> None:
        """The call must end, for a reason; `run` then hangs it up."""
        self._perform(self._observer.end(reason))

    async def leave(self) -> None:
        """The browser has begun another call in the place of this one: hang this one up."""
        self._unwanted = True
        self.end("")
        with suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), LEAVE_LIMIT_S)

    async def hang_up(self) -> None:
        """Ask the server to end the call, a few times, as this app is about to end itself."""
        for pause_s in GOODBYE_PAUSES_S:
            await asyncio.sleep(pause_s)
            if await self._minting.hang_up(self._call_id) is not HangUp.REFUSED:
                return

    async def _hang_up_for_sure(self) -> None:
        """Ask the server to end the call until nothing of it is left."""
        tries = 0
        while not self._hung_up:
            await asyncio.sleep(_at(HANG_UP_PAUSES_S, tries, LATER_PAUSE_S))
            tries += 1
            outcome = await self._minting.hang_up(self._call_id)
            self._hung_up = outcome is not HangUp.REFUSED
            if tries == len(HANG_UP_PAUSES_S) and not self._hung_up:
                log.warning("! the server does not hang a call up; it is asked again")
            old = time.monotonic() >= self._begun + LONGEST_CALL_S
            if old and tries >= len(HANG_UP_PAUSES_S):
                return

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
            end = await self._attend()
        except Exception:
            log.exception("! watching a call failed")
            end = End.UNWATCHED
        if end is End.NEVER_WATCHED and self._limits.call_s and not self._is_paid:
            await asyncio.Event().wait()  # the one limit that holds without being watched
        if end in (End.UNWATCHED, End.NEVER_WATCHED):
            await self._give_up(end)

    async def _give_up(self, end: End) -> None:
        """The call cannot be watched (any more), so it has to end, unless it has done so itself.

        A server that never lets anybody watch is named to the owner whose limit needs it.
        """
        outcome = await self._minting.hang_up(self._call_id)
        self._hung_up = outcome is not HangUp.REFUSED
        unseen = self._is_paid
        if outcome is not HangUp.GONE or (unseen and end is End.NEVER_WATCHED):
            self.end(UNSEEN if unseen else UNWATCHED)

    async def _attend(self) -> End:
        """Hand on every event of the call, over one connection after the other; how that ends."""
        attachment = Attachment(cost_limited=self._is_paid)
        pause_s = 0.0
        while not self.over:
            await asyncio.sleep(pause_s)
            try:
                upstream = await self._attach()
                attachment.attached(time.monotonic())
                await self._listen(upstream)
            except UpstreamError as error:
                log.info("! a call is not watched: %s", error)
                verdict = attachment.dropped(_refusal(error), time.monotonic())
                if isinstance(verdict, End):
                    if self._meter and verdict is not End.GONE:
                        self._meter.failed(error.failure)
                    return verdict
                pause_s = verdict
        return End.GONE

    async def _attach(self) -> Upstream:
        url = self._minting.sideband_url(self._call_id)
        return await open_upstream(url, self._minting.headers, [self._trace] if self._trace else [])

    async def _listen(self, upstream: Upstream) -> None:
        """Every event to the end of the call; `UpstreamError` if the connection ends before."""
        self._upstream = upstream
        unsent, self._unsent = self._unsent, []
        for waiting in unsent:
            upstream.send(waiting)
        try:
            async for event in upstream.events():
                before = self.seen.answer_s
                self._perform(self._observer.receive(event, time.monotonic()))
                self._count(event, before)
                if self.over:
                    return
        finally:
            self._upstream = None
            await upstream.close()

    def _count(self, event: ServerEvent, before: float | None) -> None:
        """An event for who watches over the app; `before` it came, an answer took so long."""
        if self._meter:
            self._meter.receive(event)
            answer_s = self.seen.answer_s
            if answer_s is not None and answer_s is not before:
                self._meter.answered(answer_s)

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


def _refusal(error: UpstreamError) -> Refusal:
    if error.status in GONE:
        return Refusal.GONE
    permanent = error.failure.severity is Severity.PERMANENT
    return Refusal.PERMANENT if permanent else Refusal.TRANSIENT


def _at(pauses_s: Sequence[float], number: int, later_s: float) -> float:
    return pauses_s[number] if number < len(pauses_s) else later_s
