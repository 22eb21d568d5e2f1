"""The functions that run for one call.

Rule: only what the session is offered runs; a model that asks for another is told so. Each run is a
task that ends with its call.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from components import tools
from components.core.outputs import RunTool
from components.protocol.failures import safe
from components.protocol.fields import Json

log = logging.getLogger(__name__)


class Runs:
    """Of one call."""

    def __init__(self, ended: Callable[[str, str, float], None]) -> None:
        """`ended` is told the id of a call, what the model is told, and how long it took in s."""
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = tools.Threads()

    def begin(self, call: RunTool, offered: Sequence[Json]) -> None:
        """Run a function of `tools.py` that is among those declared to the session."""
        task = asyncio.create_task(self._run(call, offered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """The call is over: nobody waits for a result any more."""
        for task in self._tasks:
            task.cancel()

    async def _run(self, call: RunTool, offered: Sequence[Json]) -> None:
        log.info("= the assistant calls %s", safe(call.name[:100]))
        began = time.monotonic()
        names = {each.get("name") for each in offered}
        mine = [each for each in tools.TOOLS if each.name in names]
        output = await tools.run(call.name, call.arguments, self._threads, mine)
        self._ended(call.call_id, output, time.monotonic() - began)
