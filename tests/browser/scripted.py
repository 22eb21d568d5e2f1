"""Calls without a model: they do what a test tells them, and keep what the page sends."""

import asyncio
import math
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from components.audio import FRAME_SAMPLES, SAMPLE_RATE
from components.bridge.pages import Page
from components.core.conversation import Assistant, Connection, Conversation, User
from components.core.places import Place, Places


class ScriptedCall:
    """In the place of a `Call`; its own methods are safe to use from the test's thread."""

    def __init__(self, control: "Control", past: Conversation, place: Place) -> None:
        self.place = place
        self.wishes: Mapping[str, Any] = {}
        """The settings that the page wants, as it sent them."""
        self.received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.heard = threading.Event()
        """Set by the first sound from the microphone."""
        self.left = threading.Event()
        """Set when a connection of the page is gone."""
        self.over = False
        self.conversation = Conversation(connection=Connection.CONNECTED, messages=past.messages)
        self.cost: float | None = None
        self._control = control
        self._page: Page | None = None
        self._sample = 0
        self._levels: asyncio.Task[None] | None = None

    # For the connection, in its event loop.

    def expect(self, page: Page) -> None:
        """Nobody else is on the way to a scripted call."""

    def attach(self, page: Page) -> None:
        self._running = asyncio.get_running_loop()
        if before := self._page:
            self.detach(before)
            before.dismiss()
        self._page = page
        self._levels = asyncio.create_task(self._send_levels())
        if not self._control.silent:
            self._send_state()
            page.show(self.conversation)
        self._control.attached.put(self)

    def detach(self, page: Page) -> None:
        if self._page is not page:
            return
        self._page = None
        if self._levels:
            self._levels.cancel()
        self.left.set()

    def abandon(self) -> None:
        """A connection is gone, or could not be made."""

    def microphone(self, pcm: bytes) -> None:
        if np.abs(np.frombuffer(pcm, np.int16)).max(initial=0) > 1000:
            self.heard.set()

    def sound(self, _now: float) -> bytes | None:
        """A tone while the assistant speaks."""
        if self._control.mute or self.conversation.assistant is not Assistant.SPEAKING:
            return None
        at = (self._sample + np.arange(FRAME_SAMPLES)) / SAMPLE_RATE
        self._sample += FRAME_SAMPLES
        return (3000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16).tobytes()

    def command(self, message: Mapping[str, Any]) -> None:
        self.received.put(dict(message))
        if message.get("type") == "say":
            self._tell({"type": "said", "id": message["id"]})
        self.over = self.over or message.get("type") == "hangup"

    # For the test.

    def change(self, cost: float | None = None, **fields: Any) -> None:
        """Change the conversation, and show it."""
        self._running.call_soon_threadsafe(self._change, cost, fields)

    def raw(self, message: dict[str, Any]) -> None:
        """Send a message over the data channel."""
        self._running.call_soon_threadsafe(self._tell, message)

    def drop(self, *, over: bool = False) -> None:
        """Lose the page without a word; `over` ends the call as well."""
        self._running.call_soon_threadsafe(self._drop, over)

    def next(self, kind: str) -> dict[str, Any]:
        """The next message of this type from the page."""
        while True:
            message = self.received.get(timeout=20)
            if message["type"] == kind:
                return message

    def _change(self, cost: float | None, fields: dict[str, Any]) -> None:
        self.cost = cost
        self.conversation = replace(self.conversation, **fields)
        self.over = self.conversation.connection in (Connection.ENDED, Connection.FAILED)
        self._send_state()
        if self._page:
            self._page.show(self.conversation)

    def _drop(self, over: bool) -> None:
        self.over = over
        if page := self._page:
            self.detach(page)
            page.dismiss()

    def _tell(self, message: dict[str, Any]) -> None:
        if self._page:
            self._page.tell(message)

    def _send_state(self) -> None:
        shown = self.conversation
        self._tell(
            {
                "type": "state",
                "connection": shown.connection,
                "user": shown.user,
                "assistant": shown.assistant,
                "notice": shown.notice,
                "cost": self.cost,
            }
        )

    async def _send_levels(self) -> None:
        start = time.monotonic()
        while True:
            t = time.monotonic() - start
            speaking = self.conversation.assistant is Assistant.SPEAKING
            user = -50 + 8 * math.sin(3 * t)
            if self.conversation.user is User.SPEAKING:
                user = -26 + 9 * math.sin(9 * t) * math.cos(2.3 * t)
            assistant = -22 + 7 * math.sin(7 * t) if speaking else -90
            self._tell(
                {"type": "levels", "user": user, "assistant": assistant, "t": round(1000 * t)}
            )
            await asyncio.sleep(0.05)


class Control:
    """In the place of `Calls`, and what the tests hold: the calls as pages come to them."""

    def __init__(self, most: int) -> None:
        self.attached: queue.Queue[ScriptedCall] = queue.Queue()
        """A call whenever a page has come, or come back, to it."""
        self.silent = False
        """Never tell the page that the call has begun."""
        self.mute = False
        """Speak without a sound."""
        self._places = Places(most, most)
        self._calls: dict[str, ScriptedCall] = {}

    def call(self) -> ScriptedCall:
        """The next call that a page comes to."""
        return self.attached.get(timeout=20)

    def running(self, key: str) -> bool:
        return key in self._calls and not self._calls[key].over

    def enter(
        self,
        key: str,
        visitor: str,
        wishes: Mapping[str, Any],
        own_key: str = "",
        *,
        comes_back: bool = False,
    ) -> ScriptedCall:
        if not self.running(key):
            self._give_back()
            place = self._places.take(visitor, time.monotonic())
            self._calls[key] = ScriptedCall(self, self.past(key), place)
            self._calls[key].wishes = wishes
        return self._calls[key]

    def past(self, key: str) -> Conversation:
        return self._calls[key].conversation if key in self._calls else Conversation()

    async def fetch(self, key: str) -> None:
        """There is no other replica."""

    async def confirm(self, key: str) -> None:
        """There is no other replica."""

    async def recall(self, key: str) -> Conversation:
        return self.past(key)

    async def forget_elsewhere(self, key: str) -> None:
        """There is no other replica."""

    def remember(self, key: str, conversation: Conversation) -> None:
        """No scripted call takes the direct route."""

    def forget(self, key: str) -> None:
        self._give_back()
        self._calls.pop(key, None)

    def _give_back(self) -> None:
        for call in self._calls.values():
            if call.over:
                self._places.give_back(call.place)
