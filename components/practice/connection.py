"""Performs one session of the engine: a WebSocket on one side, the server's parts on the other.

Rule: everything that belongs to a connection ends with it, and a client that does not read is cut
off before it fills the memory.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from components.audio import BYTES_PER_MS
from components.practice.brain import Call, Say
from components.practice.engine import Engine
from components.practice.outputs import (
    Cancel,
    Close,
    Emit,
    Forget,
    Hear,
    Listen,
    Output,
    Speak,
    Think,
    Transcribe,
)
from components.practice.speech import Spoken

logger = logging.getLogger(__name__)

SLICE_BYTES: Final = 100 * BYTES_PER_MS
"""Audio judged at one go: some 5 ms of work, then the other connections have their turn."""
HEAD_START_S: Final = 1.0
"""So much of a sentence's sound is sent at once; the rest faster than real time."""
MOST_UNSENT_BYTES: Final = 64 * 1024 * 1024
COMFORTABLE_UNSENT_BYTES: Final = 1024 * 1024
TRANSCRIPT_LIMIT_S: Final = 25.0
"""The ears have a limit of their own, a little shorter."""


class Vad(Protocol):
    """The speech detector of one connection."""

    @property
    def hop_ms(self) -> int: ...
    @property
    def degraded(self) -> str: ...
    def feed(self, pcm: bytes) -> list[float]: ...
    def reset(self) -> None: ...


class Utterance(Protocol):
    """What the user says in one turn."""

    def feed(self, pcm: bytes) -> None: ...
    async def transcript(self) -> str | None: ...
    def cancel(self) -> None: ...


class Ears(Protocol):
    """The speech recogniser of the server."""

    degraded: str

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def listen(self, after: Any = None) -> Utterance: ...


class Voice(Protocol):
    """The speech synthesiser of the server."""

    degraded: str

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def speak(self, text: str, voice: str, speed: float = 1.0) -> AsyncGenerator[Spoken, None]: ...


class Thinker(Protocol):
    """Whoever finds the answers: rules, or a chat model."""

    def answer(self, think: Think) -> AsyncGenerator[Say | Call, None]: ...


@dataclass(frozen=True)
class Parts:
    """What the connections of a server share."""

    ears: Ears
    voice: Voice
    thinker: Thinker
    pace: float
    """How many times faster than real time speech is sent."""


class Connection:
    """One client's session, from the open socket to the closed one."""

    def __init__(self, socket: ServerConnection, engine: Engine, vad: Vad, parts: Parts) -> None:
        self._socket = socket
        self._engine = engine
        self._vad = vad
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._unsent: deque[bytes | Close] = deque()
        self._unsent_bytes = 0
        self._sent = asyncio.Event()
        self._wanted = asyncio.Event()
        self._unjudged: deque[Listen] = deque()
        self._utterances: dict[str, Utterance] = {}
        self._last: Utterance | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: dict[tuple[type, str], asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serve until either side closes."""
        writer = asyncio.create_task(self._write())
        try:
            self._perform(self._engine.open(self._now))
            async for message in self._socket:
                self._perform(self._parse(message))
                await self._judge()
        except ConnectionClosed:
            pass
        finally:
            if self._timer is not None:
                self._timer.cancel()
            tasks = [writer, *self._tasks]
            for task in tasks:
                task.cancel()
            for utterance in self._utterances.values():
                utterance.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _now(self) -> float:
        return self._loop.time()

    def _parse(self, message: str | bytes) -> list[Output]:
        if isinstance(message, bytes):
            return self._engine.refuse("invalid_event", "Binary frames are refused; send text.")
        try:
            event = orjson.loads(message)
        except orjson.JSONDecodeError as error:
            return self._engine.refuse("invalid_json", f"This is not JSON: {error}")
        return self._engine.receive(event, self._now)

    async def _judge(self) -> None:
        """Find the speech in the audio that has come, a slice at a time."""
        while self._unjudged:
            listen = self._unjudged.popleft()
            if listen.reset:
                self._vad.reset()
            for start in range(0, len(listen.pcm), SLICE_BYTES):
                probabilities = self._vad.feed(listen.pcm[start : start + SLICE_BYTES])
                self._perform(self._engine.heard(probabilities, self._now))
                await asyncio.sleep(0)

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            self._perform_one(output)
        self._set_timer()

    def _perform_one(self, output: Output) -> None:
        match output:
            case Emit(event):
                self._send(orjson.dumps(event))
            case Listen():
                self._unjudged.append(output)
            case Hear(item_id, pcm):
                if item_id not in self._utterances:
                    # The ears understand a person better who has spoken before.
                    self._last = self._parts.ears.listen(self._last)
                    self._utterances[item_id] = self._last
                self._utterances[item_id].feed(pcm)
            case Transcribe(item_id):
                self._start(self._transcribe(item_id, self._utterances[item_id]))
            case Forget(item_id):
                if utterance := self._utterances.pop(item_id, None):
                    utterance.cancel()
            case Think(response_id):
                work = self._or_fail(response_id, self._think(output))
                self._answering[Think, response_id] = self._start(work)
            case Speak(response_id):
                work = self._or_fail(response_id, self._speak(output))
                self._answering[Speak, response_id] = self._start(work)
            case Cancel(response_id):
                for kind in (Think, Speak):
                    if task := self._answering.pop((kind, response_id), None):
                        task.cancel()
            case Close():
                self._queue(output)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._answering = {key: t for key, t in self._answering.items() if t is not task}
        if not task.cancelled() and task.exception() is not None:
            self._crash(task.exception())

    def _crash(self, error: BaseException | None) -> None:
        """A fault of our own ends this connection, and no other."""
        logger.error("! session failed", exc_info=error)
        self._queue(Close(1011, "server_error.internal_error"))

    async def _transcribe(self, item_id: str, utterance: Utterance) -> None:
        try:
            async with asyncio.timeout(TRANSCRIPT_LIMIT_S):
                text = await utterance.transcript()
        except TimeoutError:
            utterance.cancel()
            text = ""
        self._utterances.pop(item_id, None)
        self._perform(self._engine.transcript(item_id, text, self._now))

    async def _or_fail(self, response_id: str, work: Coroutine[Any, Any, None]) -> None:
        """A part that breaks costs the answer, not the session."""
        try:
            await work
        except Exception:
            logger.exception("! an answer failed")
            outputs = self._engine.fail(
                response_id, "server_error", "The practice server failed to answer.", self._now
            )
            self._perform(outputs)

    async def _think(self, think: Think) -> None:
        async with aclosing(self._parts.thinker.answer(think)) as steps:
            async for step in steps:
                if isinstance(step, Say):
                    outputs = self._engine.say(think.response_id, step.text, self._now)
                else:
                    outputs = self._engine.call(
                        think.response_id, step.name, step.arguments, self._now
                    )
                self._perform(outputs)
        self._perform(self._engine.thought(think.response_id, self._now))

    async def _speak(self, speak: Speak) -> None:
        began, sent_s = self._now, 0.0
        chunks = self._parts.voice.speak(speak.text, speak.voice, speak.speed)
        async with aclosing(chunks):
            async for chunk in chunks:
                await self._wait_for_reader()
                due = began + max(0.0, sent_s - HEAD_START_S) / self._parts.pace
                await asyncio.sleep(max(0.0, due - self._now))
                self._perform(
                    self._engine.spoken(speak.response_id, chunk.pcm, chunk.words, self._now)
                )
                sent_s += len(chunk.pcm) / BYTES_PER_MS / 1000
        self._perform(self._engine.said(speak.response_id, self._now))

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._engine.deadline
        self._timer = self._loop.call_at(deadline, self._tick) if deadline is not None else None

    def _tick(self) -> None:
        try:
            self._perform(self._engine.tick(self._now))
        except Exception as error:
            self._crash(error)

    def _send(self, text: bytes) -> None:
        self._unsent_bytes += len(text)
        if self._unsent_bytes > MOST_UNSENT_BYTES:
            logger.warning("! a client reads too slowly; its connection is cut")
            self._socket.transport.abort()
        else:
            self._queue(text)

    def _queue(self, message: bytes | Close) -> None:
        self._unsent.append(message)
        self._wanted.set()

    async def _wait_for_reader(self) -> None:
        while self._unsent_bytes > COMFORTABLE_UNSENT_BYTES:
            self._sent.clear()
            await self._sent.wait()

    async def _write(self) -> None:
        while True:
            while self._unsent:
                message = self._unsent.popleft()
                if isinstance(message, Close):
                    await self._socket.close(message.code, message.reason)
                    return
                await self._socket.send(message.decode())
                self._unsent_bytes -= len(message)
                self._sent.set()
            self._wanted.clear()
            await self._wanted.wait()
