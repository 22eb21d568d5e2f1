"""Performs one session of the engine: its clients on one side, the server's parts on the other.

Rule: everything that belongs to a connection ends with it. A session has one client, or several:
a call's data channel, and whoever watches the call from beside.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol
from uuid import uuid4

import orjson

from components.audio import BYTES_PER_MS
from components.practice.brain.rules import Call, Say, Step
from components.practice.engine.engine import Engine
from components.practice.engine.outputs import (
    Cancel,
    Close,
    Detect,
    Emit,
    Forget,
    Hearing,
    Output,
    Pause,
    Recognise,
    Resume,
    Speak,
    Think,
    Transcribe,
)
from components.practice.server.outlet import Outlet, Wire
from components.practice.speech.chunks import Spoken

logger = logging.getLogger(__name__)

SLICE_BYTES: Final = 100 * BYTES_PER_MS
"""Audio judged at one go: some 5 ms of work, then the other connections have their turn."""
HEAD_START_S: Final = 1.0
"""So much of a sentence's sound is sent at once; the rest faster than real time."""
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
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    async def transcript(self, heard: Callable[[str], None]) -> str | None: ...
    def cancel(self) -> None: ...


class Ears(Protocol):
    """The speech recogniser of the server."""

    @property
    def name(self) -> str: ...

    degraded: str

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def listen(self, after: Any = None, language: str = "") -> Utterance: ...


class Voice(Protocol):
    """The speech synthesiser of the server."""

    @property
    def name(self) -> str: ...

    degraded: str

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def speak(self, text: str, voice: str, speed: float = 1.0) -> AsyncGenerator[Spoken, None]: ...


class Thinker(Protocol):
    """Whoever finds the answers: rules, or a chat model."""

    def answer(self, think: Think) -> AsyncGenerator[Step, None]: ...


@dataclass(frozen=True)
class Parts:
    """What the connections of a server share."""

    ears: Ears
    voice: Voice
    thinker: Thinker
    pace: float
    """How many times faster than real time speech is sent."""


class Connection:
    """One session, from its first client to `close`; `over` when it will not go on."""

    def __init__(self, engine: Engine, vad: Vad, parts: Parts) -> None:
        self.over = asyncio.Event()
        self._engine = engine
        self._vad = vad
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._outlets: list[Outlet] = []
        self._undetected: deque[Detect] = deque()
        self._detecting = asyncio.Lock()
        self._utterances: dict[str, Utterance] = {}
        self._last: Utterance | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: dict[tuple[type, str], asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def serve(self, wire: Wire) -> None:
        """A session with this one client, until either side closes."""
        try:
            with self.attached(wire):
                self.open()
                async for message in wire.messages():
                    await self.take(message)
        finally:
            await self.close()

    def open(self) -> None:
        """Begin the session."""
        self.perform(self._engine.open(self._now))

    @contextmanager
    def attached(self, wire: Wire) -> Iterator[Outlet]:
        """From now on this client learns everything."""
        outlet = Outlet(wire)
        self._outlets.append(outlet)
        try:
            yield outlet
        finally:
            self._outlets.remove(outlet)
            outlet.close()

    async def watch(self, wire: Wire) -> None:
        """One more client of a session that runs, until it leaves or the session ends."""
        greeting = {"type": "session.created", "event_id": f"event_{uuid4().hex[:24]}"}
        with self.attached(wire) as outlet:
            outlet.put(orjson.dumps({**greeting, "session": self._engine.session}))
            async for message in wire.messages():
                await self.take(message)

    async def take(self, message: str | bytes) -> None:
        """A message of a client."""
        try:
            self.perform(self._parse(message))
            await self._detect_speech()
        except Exception as error:
            self._crash(error)

    async def take_sound(self, outputs: list[Output]) -> None:
        """What a call's microphone brought about."""
        try:
            self.perform(outputs)
            await self._detect_speech()
        except Exception as error:
            self._crash(error)

    async def close(self) -> None:
        """End everything that belongs to the session."""
        self.over.set()
        if self._timer is not None:
            self._timer.cancel()
        for outlet in tuple(self._outlets):
            outlet.put(Close(1000, ""))
        for task in self._tasks:
            task.cancel()
        for utterance in self._utterances.values():
            utterance.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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

    async def _detect_speech(self) -> None:
        """Find the speech in the audio that has come, a slice at a time."""
        async with self._detecting:
            while self._undetected:
                detect = self._undetected.popleft()
                if detect.reset:
                    self._vad.reset()
                for start in range(0, len(detect.pcm), SLICE_BYTES):
                    probabilities = self._vad.feed(detect.pcm[start : start + SLICE_BYTES])
                    self.perform(self._engine.detected(probabilities, self._now))
                    await asyncio.sleep(0)

    def perform(self, outputs: list[Output]) -> None:
        """Do what the engine asks."""
        for output in outputs:
            self._perform_one(output)
        self._set_timer()

    def _perform_one(self, output: Output) -> None:
        match output:
            case Emit(event):
                self._send(orjson.dumps(event))
            case Detect():
                self._undetected.append(output)
            case Recognise() | Pause() | Resume() | Transcribe() | Forget():
                self._hear(output)
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
                self._end(output)

    def _hear(self, output: Hearing) -> None:
        """Tell the ears."""
        match output:
            case Recognise(item_id, pcm, language):
                if item_id not in self._utterances:
                    # The ears understand a person better who has spoken before.
                    self._last = self._parts.ears.listen(self._last, language)
                    self._utterances[item_id] = self._last
                self._utterances[item_id].feed(pcm)
            case Pause(item_id):
                self._utterances[item_id].pause()
            case Resume(item_id):
                self._utterances[item_id].resume()
            case Transcribe(item_id):
                self._start(self._transcribe(item_id, self._utterances[item_id]))
            case Forget(item_id):
                if utterance := self._utterances.pop(item_id, None):
                    utterance.cancel()

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
        self._end(Close(1011, "server_error.internal_error"))

    def _end(self, close: Close) -> None:
        for outlet in self._outlets:
            outlet.put(close)
        self.over.set()

    async def _transcribe(self, item_id: str, utterance: Utterance) -> None:
        try:
            async with asyncio.timeout(TRANSCRIPT_LIMIT_S):
                text = await utterance.transcript(partial(self._heard, item_id))
        except TimeoutError:
            utterance.cancel()
            text = ""
        self._utterances.pop(item_id, None)
        self.perform(self._engine.transcript(item_id, text, self._now))

    def _heard(self, item_id: str, words: str) -> None:
        self.perform(self._engine.transcribed(item_id, words))

    async def _or_fail(self, response_id: str, work: Coroutine[Any, Any, None]) -> None:
        """A part that breaks costs the answer, not the session."""
        try:
            await work
        except Exception:
            logger.exception("! an answer failed")
            outputs = self._engine.fail(
                response_id, "server_error", "The practice server failed to answer.", self._now
            )
            self.perform(outputs)

    async def _think(self, think: Think) -> None:
        async with aclosing(self._parts.thinker.answer(think)) as steps:
            async for step in steps:
                self.perform(self._told(think.response_id, step))
        self.perform(self._engine.thought(think.response_id, self._now))

    def _told(self, response_id: str, step: Step) -> list[Output]:
        """What the engine makes of a step of an answer."""
        match step:
            case Say(text):
                return self._engine.say(response_id, text, self._now)
            case Call(name, arguments):
                return self._engine.call(response_id, name, arguments, self._now)
            case _:
                return self._engine.remind(response_id, step.text, step.after_s)

    async def _speak(self, speak: Speak) -> None:
        began, sent_s = self._now, 0.0
        chunks = self._parts.voice.speak(speak.text, speak.voice, speak.speed)
        async with aclosing(chunks):
            async for chunk in chunks:
                for outlet in tuple(self._outlets):
                    await outlet.comfortable()
                due = began + max(0.0, sent_s - HEAD_START_S) / self._parts.pace
                await asyncio.sleep(max(0.0, due - self._now))
                self.perform(
                    self._engine.spoken(speak.response_id, chunk.pcm, chunk.words, self._now)
                )
                sent_s += len(chunk.pcm) / BYTES_PER_MS / 1000
        self.perform(self._engine.said(speak.response_id, self._now))

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._engine.deadline
        self._timer = self._loop.call_at(deadline, self._tick) if deadline is not None else None

    def _tick(self) -> None:
        try:
            self.perform(self._engine.tick(self._now))
        except Exception as error:
            self._crash(error)

    def _send(self, text: bytes) -> None:
        for outlet in self._outlets:
            outlet.put(text)
