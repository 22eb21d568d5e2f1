"""A call without a browser: a page that remembers, a microphone and a loudspeaker that run."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from components.audio import FRAME_BYTES, FRAME_MS
from components.bridge.call import Call
from components.core.conversation import Conversation
from components.settings import Settings
from tests.scripted import PATIENCE_S

QUIET = b"\2\0" * (FRAME_BYTES // 2)
"""A room in which nobody speaks: not the silence of a dead microphone."""


class Caller:
    """The browser's end of a call, and the call."""

    def __init__(self, **settings: Any) -> None:
        self.states: list[Mapping[str, Any]] = []
        self.conversation = Conversation()
        self.dismissed = asyncio.Event()
        self.ended = 0
        self.turns_s: list[float] = []
        """When each frame was due, and how late it came."""
        self.call = Call(Settings(practice=False, **settings), Conversation(), self._end)
        self._changed = asyncio.Event()

    # What the call tells its page.

    def tell(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "state":
            self.states.append(message)
            self._wake()

    def show(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._wake()

    def hurry(self) -> None:
        pass

    def dismiss(self) -> None:
        self.dismissed.set()

    # What a test asks.

    @property
    def notices(self) -> list[str]:
        """All that were shown, each once."""
        return list(dict.fromkeys(state["notice"] for state in self.states if state["notice"]))

    async def until(self, condition: Callable[[], Any], limit_s: float = PATIENCE_S) -> None:
        """Wait until something holds of what the page was told."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def state(self, limit_s: float = PATIENCE_S, **expected: Any) -> Mapping[str, Any]:
        """Wait until the page is in this state."""
        await self.until(
            lambda: self.states and expected.items() <= self.states[-1].items(), limit_s
        )
        return self.states[-1]

    async def reads(self, *texts: str) -> None:
        """Wait for this transcript."""
        await self.until(lambda: self.texts == list(texts))

    @property
    def texts(self) -> list[str]:
        return [m.text for m in self.conversation.messages if m.role in ("user", "assistant")]

    def say(self, text: str) -> None:
        self.call.command({"type": "say", "text": text})

    # The two tracks.

    async def live(self) -> None:
        """A frame each way at every 20 ms."""
        due = time.monotonic()
        while True:
            self.call.microphone(QUIET)
            self.call.sound(time.monotonic())
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.turns_s.append(time.monotonic() - due)

    def _end(self, _call: Call) -> None:
        self.ended += 1

    def _wake(self) -> None:
        self._changed.set()


@asynccontextmanager
async def calling(url: str, **settings: Any) -> AsyncIterator[Caller]:
    """A call that has begun, and ends with the block."""
    caller = Caller(base_url=url, **settings)
    caller.call.attach(caller)
    living = asyncio.create_task(caller.live())
    try:
        yield caller
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        await caller.call.close("")
