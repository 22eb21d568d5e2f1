"""The fastrtc handler: one object per call, which performs what the session decides.

Rule: no exception leaves `start_up`, `receive` or `emit`; fastrtc goes deaf or mute for the rest of
the call after one. Whatever the end, the socket, the tasks and the slot are given back.
"""

import asyncio
import functools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import nullcontext, suppress
from typing import Any, Final, ParamSpec, TypeVar

import av
import numpy as np
import orjson
from fastrtc import AdditionalOutputs, AsyncStreamHandler

from components.audio import FRAME_SAMPLES, SAMPLE_RATE, Samples, level_dbfs
from components.conversation import Conversation
from components.playout import FRAME_S
from components.protocol import (
    Failure,
    SessionOptions,
    Severity,
    headers,
    realtime_url,
)
from components.session import (
    Hangup,
    Output,
    RealtimeSession,
    Reconnect,
    Renew,
    Send,
    SendAudio,
    Show,
    StopPlayback,
)
from components.settings import Settings
from components.speaker import Speaker
from components.trace import Trace
from components.upstream import Upstream, UpstreamError, open_upstream

log = logging.getLogger(__name__)

TICK_S: Final = 0.05
"""Levels go to the page, and limits are looked at, twenty times a second."""
WATCH_S: Final = 0.1
"""How often to look whether frames still come."""
SNAPSHOT_S: Final = 0.2
"""The page gets a whole transcript at most five times a second: words are spoken no faster, and
each snapshot is work for Gradio."""
GOODBYE_S: Final = 2.0
"""The page hangs up by itself when it learns of the end; after this long, we do."""
GONE_S: Final = 5.0
"""A browser that sends no packet for so long is gone; aioice notices after thirty (trap B8)."""
EMIT_LIMIT_S: Final = 30.0
"""fastrtc warns of an `emit` that takes a minute."""

P = ParamSpec("P")
R = TypeVar("R")


class Screen:
    """The newest transcript for the page; one that was not fetched in time is forgotten."""

    def __init__(self) -> None:
        self._newest: Conversation | None = None
        self.changed = asyncio.Event()
        """There is something that the page has not been told to fetch."""

    def put(self, conversation: Conversation) -> None:
        self._newest = conversation
        self.changed.set()

    def take(self) -> Conversation | None:
        """What has come since the last time; None if nothing has."""
        newest, self._newest = self._newest, None
        return newest


def _contained(
    method: Callable[P, Awaitable[R]],
) -> Callable[P, Awaitable[R | None]]:
    """Let no exception out of a method that fastrtc calls: end the call with a sentence instead."""

    @functools.wraps(method)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return await method(*args, **kwargs)
        except Exception:
            call = args[0]
            assert isinstance(call, Call)
            log.exception("! %s failed", method.__name__)
            call.fail()
            await asyncio.sleep(FRAME_S)  # fastrtc calls again at once
            return None

    return wrapper


class Call(AsyncStreamHandler):  # type: ignore[misc]  # fastrtc ships no types
    """One call between a page and a Realtime server.

    fastrtc copies the prototype for every connection, calls `start_up` when the data channel is
    open, `emit` in a loop, and `shutdown` at the end. The sound from the page comes to `hear`, the
    sound to it is taken from `speaker`; `hang_up_peer` closes the connection (all by `peer.py`).
    """

    _resampler: av.AudioResampler | None

    def __init__(self, settings: Settings) -> None:
        super().__init__("mono", output_sample_rate=SAMPLE_RATE, input_sample_rate=SAMPLE_RATE)
        self._settings = settings
        self._session = RealtimeSession(
            SessionOptions(
                model=settings.model,
                voice=settings.voice,
                instructions=settings.instructions,
                turn_detection=settings.turn_detection,
                transcription_model=settings.transcription_model,
            ),
            limit_s=settings.max_call_seconds,
            chance=random.random,
        )
        self.speaker = Speaker(self._sound)
        self.hang_up_peer: Callable[[], None] | None = None
        self._screen = Screen()
        self._upstream: Upstream | None = None
        self._successor: Upstream | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._trace: Trace | None = None
        self._pause_s: float | None = 0.0
        """When to connect, from now; None for not at all."""
        self._bridge: asyncio.Task[None] | None = None
        self._clock: asyncio.Task[None] | None = None
        self._hung_up_at: float | None = None
        self._snapshot_due = 0.0
        self._state: tuple[str, ...] = ()
        self._messages: object = ()
        self._heard = b""
        self._heard_at = 0.0
        self._begun = 0.0
        self._ticked_at = 0.0
        self._spoken = b""

    def copy(self) -> "Call":
        return Call(self._settings)

    @_contained
    async def start_up(self) -> None:
        self.channel.on("message", self._from_page)
        self._screen.put(self._session.conversation)  # the page still shows the call before
        self._perform(self._session.connecting())
        self._bridge = asyncio.create_task(self._converse())
        self._clock = asyncio.create_task(self._keep_time())

    def resample(self, frame: av.AudioFrame) -> Generator[av.AudioFrame, None, None]:
        """Frames of 20 ms: fastrtc's own resampler hands out 40 ms at 24 kHz (trap B2)."""
        if self._resampler is None:
            self._resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE, FRAME_SAMPLES)
        yield from self._resampler.resample(frame)

    @_contained
    async def receive(self, frame: tuple[int, Samples]) -> None:
        """A microphone frame that came fastrtc's way, because it is not Opus."""
        self.hear(frame[1].tobytes())

    def hear(self, pcm: bytes) -> None:
        """Sound of the microphone; never raises."""
        try:
            self._heard = pcm
            self._heard_at = time.monotonic()
            self._perform(self._session.microphone(pcm))
            if self._heard_at >= self._ticked_at + TICK_S:
                self._tick(self._heard_at)
        except Exception:
            log.exception("! the microphone failed")
            self.fail()

    @_contained
    async def emit(self) -> AdditionalOutputs | None:
        """The transcript for the page, when it has changed; the sound goes through `speaker`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._screen.changed.wait(), EMIT_LIMIT_S)
        await asyncio.sleep(max(0.0, self._snapshot_due - time.monotonic()))
        if not self._screen.changed.is_set() or not self._page_listens:
            return None
        self._screen.changed.clear()
        self._snapshot_due = time.monotonic() + SNAPSHOT_S
        return AdditionalOutputs(self._screen)

    async def shutdown(self) -> None:
        """The connection is gone; fastrtc may call this more than once."""
        self._perform(self._session.hang_up())
        self.speaker.stop()
        self._screen.changed.set()  # lets `emit` go, which fastrtc never cancels
        tasks = [task for task in (self._bridge, self._clock, self._renewal) if task]
        for task in (self._clock, self._renewal):
            if task:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fail(self) -> None:
        """Something broke in this program; the call cannot go on."""
        sentence = "Something went wrong in this app. Start the call again; the log says more."
        self._perform(self._session.lost(Failure(Severity.PERMANENT, sentence)))

    # The server's side.

    async def _converse(self) -> None:
        """Connect, hand every event to the session, and connect again when it says so."""
        try:
            with Trace(self._settings.trace) if self._settings.trace else nullcontext() as trace:
                self._trace = trace
                while self._pause_s is not None:
                    await asyncio.sleep(self._pause_s)
                    self._pause_s = None
                    await self._hold_session()
        except Exception:
            log.exception("! the call failed")
            self.fail()
        finally:
            await self._close_sockets()

    async def _hold_session(self) -> None:
        """From the opening of a socket to its end, or that of the one which took its place."""
        try:
            self._upstream = await self._open()
            while self._upstream:
                self._perform(self._session.connected(time.monotonic()))
                await self._listen(self._upstream)
                self._upstream = self._successor
                self._successor = None
        except UpstreamError as error:
            if self._pause_s is None:  # else the session itself gave this socket up
                log.info("! %s", error)
                self._perform(self._session.lost(error.failure))
        await self._close_sockets()

    async def _open(self) -> Upstream:
        url = realtime_url(self._settings.base_url, self._settings.model)
        return await open_upstream(url, headers(url, self._settings.api_key), self._trace)

    async def _listen(self, upstream: Upstream) -> None:
        """Every event of a socket, until the call is over or a successor stands."""
        try:
            async for event in upstream.events():
                self._perform(self._session.receive(event, time.monotonic()))
                if self._hung_up_at is not None:
                    return
        except UpstreamError:
            if self._successor is None:
                raise

    async def _renew(self) -> None:
        """Open the successor; only when it stands is the present socket closed."""
        try:
            self._successor = await self._open()
        except UpstreamError as error:
            log.info("! the session could not be renewed: %s", error)
            return
        if self._upstream:
            await self._upstream.close()

    async def _close_sockets(self) -> None:
        for upstream in (self._upstream, self._successor):
            if upstream:
                await upstream.close()
        self._upstream = self._successor = None

    # The page's side.

    def _from_page(self, text: object) -> None:
        """A message of the page; what is none of ours is fastrtc's, or nobody's."""
        try:
            message = orjson.loads(text) if isinstance(text, str | bytes) else None
        except orjson.JSONDecodeError:
            return
        if isinstance(message, Mapping):
            try:
                self._perform(self._command(message))
            except Exception:
                log.exception("! a message of the page failed")
                self.fail()

    def _command(self, message: Mapping[str, Any]) -> list[Output]:
        now = time.monotonic()
        match message:
            case {"type": "say", "text": str(text)}:
                return self._session.say(text, now)
            case {"type": "interrupt"}:
                return self._session.interrupt(now)
            case {"type": "mute", "on": bool(muted)}:
                return self._session.mute(muted)
            case {"type": "talk", "down": bool(down)}:
                return self._session.push_to_talk(down, now)
            case {"type": "hangup"}:
                return self._session.hang_up()
            case {
                "type": "playout",
                "delay_ms": int(delay) | float(delay),
                "rtt_ms": int(rtt) | float(rtt),
            }:
                self._session.playout_delay((delay + rtt / 2) / 1000)
        return []

    def _tell_page(self, message: Mapping[str, Any]) -> None:
        if self._page_listens:
            self.channel.send(orjson.dumps(message).decode())

    @property
    def _page_listens(self) -> bool:
        return self.channel is not None and self.channel.readyState == "open"

    def _show(self, conversation: Conversation) -> None:
        """States at once over the data channel; the transcript through Gradio, when it is due."""
        state = (
            conversation.connection,
            conversation.user,
            conversation.assistant,
            conversation.notice,
        )
        if state != self._state:
            self._state = state
            names = ("connection", "user", "assistant", "notice")
            self._tell_page({"type": "state", **dict(zip(names, state, strict=True))})
        if conversation.messages is not self._messages:
            self._messages = conversation.messages
            self._screen.put(conversation)

    # Performing, and keeping time.

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case SendAudio(pcm):
                    if self._upstream:
                        self._upstream.send_audio(pcm)
                case Send(event):
                    if self._upstream:
                        self._upstream.send(event)
                case StopPlayback():
                    self._tell_page({"type": "stop"})
                case Show(conversation):
                    self._show(conversation)
                case Reconnect(pause_s):
                    self._pause_s = pause_s
                    if self._upstream:
                        self._upstream.abort()
                case Renew():
                    self._renewal = asyncio.create_task(self._renew())
                case Hangup():
                    self._hang_up()
        if self._session.has_sound:
            self.speaker.hurry()

    def _hang_up(self) -> None:
        """Once: cancelled a second time, the bridge could not close its socket."""
        if self._hung_up_at is not None:
            return
        self._hung_up_at = time.monotonic()
        if self._bridge and self._bridge is not asyncio.current_task():
            self._bridge.cancel()

    async def _keep_time(self) -> None:
        """Ticks that no microphone frame brings along, and an eye on the browser."""
        self._begun = self._heard_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            now = time.monotonic()
            if now > self._ticked_at + WATCH_S:
                self._tick(now)
            if now - self._heard_at > GONE_S:
                self._perform(self._session.hang_up("The browser sends no sound any more."))
            if self._hung_up_at is not None and now > self._hung_up_at + GOODBYE_S:
                self._leave()
                return

    def _tick(self, now: float) -> None:
        """Limits for the session, levels for the page's plot.

        It comes with a microphone frame: a timer of its own would wake the process as often again.
        """
        # Twenty a second on the average, though frames come at multiples of 20 ms.
        self._ticked_at = max(self._ticked_at + TICK_S, now - TICK_S)
        self._perform(self._session.tick(now))
        self._tell_page(
            {
                "type": "levels",
                "user": _level(self._heard),
                "assistant": _level(self._spoken),
                "t": round((now - self._begun) * 1000),
            }
        )

    def _leave(self) -> None:
        """The page has not hung up by itself."""
        self._tell_page({"type": "end_stream", "data": self._session.conversation.notice})
        if self.hang_up_peer:
            self.hang_up_peer()

    def _sound(self, now: float) -> bytes | None:
        """What the speaker plays now."""
        pcm = self._session.frame(now)
        self._spoken = pcm or b""
        return pcm


def _level(pcm: bytes) -> float:
    """The level of the newest frame, as the page's plot wants it."""
    return round(level_dbfs(np.frombuffer(pcm, np.int16)), 1)
