"""A call handler without a model: it does what a test tells it, and keeps what the page sends."""

import asyncio
import json
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from fastrtc import AdditionalOutputs, AsyncStreamHandler

from components.audio import FRAME_SAMPLES, SAMPLE_RATE
from components.conversation import Assistant, Connection, Conversation, User
from components.speaker import Speaker


class Screen:
    """The newest snapshot, taken once."""

    def __init__(self) -> None:
        self._newest: Conversation | None = None

    def put(self, conversation: Conversation) -> None:
        self._newest = conversation

    def take(self) -> Conversation | None:
        newest, self._newest = self._newest, None
        return newest


class ScriptedCall(AsyncStreamHandler):
    """One call; `control` is safe to use from the test's thread."""

    def __init__(self, control: "Control") -> None:
        super().__init__(input_sample_rate=SAMPLE_RATE, output_sample_rate=SAMPLE_RATE)
        self.control = control
        self.received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.heard = threading.Event()
        """Set by the first sound from the microphone."""
        self.ended = threading.Event()
        self._screen = Screen()
        self._show = asyncio.Event()
        self._conversation = Conversation(connection=Connection.CONNECTED)
        self.speaker = Speaker(self._sound)
        self.hang_up_peer: Callable[[], None] | None = None
        self._sample = 0
        self._tasks: list[asyncio.Task[None]] = []

    def copy(self) -> "ScriptedCall":
        return ScriptedCall(self.control)

    async def start_up(self) -> None:
        self._running = asyncio.get_running_loop()
        assert self.channel is not None
        self.channel.on("message", self._take)
        self._tasks = [asyncio.create_task(self._send_levels())]
        if not self.control.silent:
            self._send_state()
        self.control.calls.put(self)

    async def receive(self, frame: tuple[int, np.ndarray]) -> None:
        self.hear(frame[1].tobytes())

    def hear(self, pcm: bytes) -> None:
        if np.abs(np.frombuffer(pcm, np.int16)).max(initial=0) > 1000:
            self.heard.set()

    async def emit(self) -> AdditionalOutputs | None:
        await self._show.wait()
        self._show.clear()
        return None if self.ended.is_set() else AdditionalOutputs(self._screen)

    async def shutdown(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.speaker.stop()
        self.ended.set()
        self._show.set()

    def change(self, **fields: Any) -> None:
        """Change the conversation: the state at once, the transcript with the next snapshot."""
        self._running.call_soon_threadsafe(self._change, fields)

    def raw(self, message: dict[str, Any]) -> None:
        """Send a message over the data channel."""
        self._running.call_soon_threadsafe(self._send, message)

    def next(self, kind: str) -> dict[str, Any]:
        """The next message of this type from the page."""
        while True:
            message = self.received.get(timeout=20)
            if message["type"] == kind:
                return message

    def _change(self, fields: dict[str, Any]) -> None:
        self._conversation = replace(self._conversation, **fields)
        self._send_state()
        self._screen.put(self._conversation)
        self._show.set()

    def _take(self, text: str) -> None:
        if text != "handshake":
            self.received.put(json.loads(text))

    def _send(self, message: dict[str, Any]) -> None:
        if self.channel is not None:
            self.channel.send(json.dumps(message))

    def _send_state(self) -> None:
        shown = self._conversation
        self._send(
            {
                "type": "state",
                "connection": shown.connection,
                "user": shown.user,
                "assistant": shown.assistant,
                "notice": shown.notice,
            }
        )

    async def _send_levels(self) -> None:
        start = time.monotonic()
        while True:
            t = time.monotonic() - start
            speaking = self._conversation.assistant is Assistant.SPEAKING
            user = -50 + 8 * math.sin(3 * t)
            if self._conversation.user is User.SPEAKING:
                user = -26 + 9 * math.sin(9 * t) * math.cos(2.3 * t)
            assistant = -22 + 7 * math.sin(7 * t) if speaking else -90
            self._send(
                {"type": "levels", "user": user, "assistant": assistant, "t": round(1000 * t)}
            )
            await asyncio.sleep(0.05)

    def _sound(self, _now: float) -> bytes | None:
        """A tone while the assistant speaks."""
        if self._conversation.assistant is not Assistant.SPEAKING:
            return None
        at = (self._sample + np.arange(FRAME_SAMPLES)) / SAMPLE_RATE
        self._sample += FRAME_SAMPLES
        return (3000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16).tobytes()


class Control:
    """What the tests hold: the calls as they come in."""

    def __init__(self) -> None:
        self.calls: queue.Queue[ScriptedCall] = queue.Queue()
        self.silent = False
        """Never tell the page that the call has begun."""

    def call(self) -> ScriptedCall:
        """The next call that comes in."""
        return self.calls.get(timeout=20)
