"""The calls of a server, by their ids.

Rule: a call is known from its answer to its end, and ends with the server.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from components.practice.server.webrtc import Call, OfferError

logger = logging.getLogger(__name__)

MOST: Final = 64


class Calls:
    """Those that run; `make` gives a fresh one."""

    def __init__(self) -> None:
        self._running: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, offer: str, make: Callable[[], Call]) -> tuple[str, str]:
        """The id of a new call and the answer to its offer; raises `OfferError`."""
        if len(self._running) >= MOST:
            raise OfferError(f"The server carries {MOST} calls already.")
        call = make()
        answer = await call.answer(offer)
        call_id = f"rtc_{uuid4().hex[:24]}"
        self._running[call_id] = call
        task = asyncio.create_task(self._run(call_id, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return call_id, answer

    def get(self, call_id: str) -> Call | None:
        """The call, if it runs."""
        return self._running.get(call_id)

    async def close(self) -> None:
        """Hang all of them up."""
        for call in self._running.values():
            call.hang_up()
        await asyncio.gather(*self._tasks)

    async def _run(self, call_id: str, call: Call) -> None:
        try:
            await call.run()
        except Exception:
            logger.exception("! a call failed")
        finally:
            del self._running[call_id]
