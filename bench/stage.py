"""One app with its scripted server and its callers: what each measurement stands on."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from bench.apps import App, Name, running
from bench.control import Child, child
from bench.figures import Delay, Sent, delays
from bench.signals import find_marks

LONGEST_WAY_NS: Final = 5_000_000_000
"""Marks that are older when the measurement begins do not matter to it."""
UNDER_WAY_NS: Final = 1_000_000_000
"""Marks as young as this at the end may not have arrived yet, and are not judged."""

Start = Callable[[Name, str], AbstractAsyncContextManager[App]]
"""Starts the app of a name for a server at an address."""


@dataclass
class Stage:
    """`server` is the scripted Realtime server; calls are numbered as it sees them, from 0."""

    app: App
    server: Child
    processes: list[Child]
    """Processes with callers in them, by turns."""
    inspected: bool = False
    """Whether calls of ours are recorded, with the drawer open on their events."""
    _callers: list[tuple[Child, int]] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many have joined."""
        return len(self._callers)

    async def join(self, loss: float = 0.0) -> int:
        """One more caller, who loses so much of what it sends; the number of its call."""
        call = len(self._callers)
        process = self.processes[call % len(self.processes)]
        reports = self.app.name == "ours"  # as each app's own page does
        caller = await process.ask(
            "join",
            url=self.app.url,
            loss=loss,
            reports=reports,
            inspected=reports and self.inspected,
        )
        self._callers.append((process, caller))
        await self.server.ask("configured", call=call)
        return call

    async def heard(self, call: int, since: int, until: int) -> dict[str, Any]:
        """What the caller of a call sent and heard in a time (ns): see `Callers.heard`."""
        process, caller = self._callers[call]
        heard: dict[str, Any] = await process.ask("heard", caller=caller, since=since, until=until)
        return heard

    async def microphone(self, call: int, since: int, until: int) -> tuple[list[Delay], int]:
        """The way of each mark in a time (ns), and how many were sent and not lost."""
        appended = await self.server.ask("appended", call=call, since=since, until=until)
        heard = await self.heard(call, since - LONGEST_WAY_NS, until)
        sent = [Sent(*mark) for mark in heard["marks"]]
        samples = np.frombuffer(base64.b64decode(appended["pcm"]), np.int16)
        way = await asyncio.to_thread(delays, sent, find_marks(samples), appended["arrivals"])
        last = until - UNDER_WAY_NS
        expected = sum(1 for mark in sent if since <= mark.ns < last and not mark.lost)
        return [delay for delay in way if since <= delay.ns < last], expected

    async def leave(self) -> None:
        """All callers hang up; what they heard is still known."""
        await asyncio.gather(*(process.ask("leave") for process in self.processes))

    async def callers_cpu_s(self) -> float:
        """Processor time of the callers' processes so far."""
        return float(sum([await process.ask("cost") for process in self.processes]))


@asynccontextmanager
async def stage(
    name: Name, processes: int = 1, inspected: bool = False, start: Start = running
) -> AsyncIterator[Stage]:
    """The app of this name, ready for callers, and an end of everything afterwards."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(child("bench.realtime"))
        callers = [
            await stack.enter_async_context(child("bench.callers")) for _ in range(processes)
        ]
        app = await stack.enter_async_context(start(name, await server.ask("address")))
        made = Stage(app, server, callers, inspected)
        yield made
        await made.leave()
