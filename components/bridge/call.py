"""One call: performs what its session decides, whichever connection its browser has just now.

Rule: a call outlives the connection to its page, for a while, because networks blink and phones
change them. Whatever the end, the socket, the tasks and the place are given back; no exception
leaves a method that the connection calls.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, Final, Protocol

import numpy as np

from components.audio import FRAME_BYTES, FRAME_MS, Samples, level_dbfs
from components.core.conversation import Conversation
from components.core.outputs import (
    Hangup,
    Output,
    Reconnect,
    Renew,
    Send,
    SendAudio,
    Show,
    StopPlayback,
)
from components.core.session import RealtimeSession
from components.protocol.addresses import headers, realtime_url
from components.protocol.failures import Failure, Severity
from components.protocol.options import SessionOptions
from components.protocol.prices import cost
from components.settings import Settings
from components.upstream.client import Upstream, UpstreamError, open_upstream
from components.upstream.trace import Trace

log = logging.getLogger(__name__)

TICK_S: Final = 0.05
"""Levels go to the page, and limits are looked at, twenty times a second."""
WATCH_S: Final = 0.1
"""How often to look whether frames still come."""
GOODBYE_S: Final = 2.0
"""The page hangs up by itself when it learns of the end; after this long, we do."""
GONE_S: Final = 5.0
"""A browser that sends no packet for so long is gone; aioice notices after thirty."""
REJOIN_S: Final = 20.0
"""So long a call waits for its browser to come back."""
PAUSE_FRAMES: Final = 1000 // FRAME_MS
"""Of silence in the place of a browser that has gone, so that a turn under way ends."""
TAKEN_OVER = "This call goes on in another window."


class Page(Protocol):
    """The browser's end of a call, by its connection."""

    def tell(self, message: Mapping[str, Any]) -> None:
        """A message over the data channel."""

    def show(self, conversation: Conversation) -> None:
        """The transcript has changed."""

    def hurry(self) -> None:
        """There is sound to play."""

    def dismiss(self) -> None:
        """The call does without this page from now on: the connection closes."""


class Call:
    """A conversation between a browser and a Realtime server.

    It begins with the first `attach` and is over when its session says so, or when no page has
    been attached for `REJOIN_S`; `on_end` is then called, once. What a connection calls must not
    raise.
    """

    def __init__(
        self, settings: Settings, past: Conversation, on_end: Callable[["Call"], None]
    ) -> None:
        """`past` is what was said before, by the same browser."""
        self._settings = settings
        self._on_end = on_end
        self._session = RealtimeSession(
            SessionOptions(
                model=settings.model,
                voice=settings.voice,
                instructions=settings.instructions,
                turn_detection=settings.turn_detection,
                transcription_model=settings.transcription_model,
            ),
            limit_s=settings.max_call_seconds,
            idle_s=settings.max_idle_seconds,
            most_cost=settings.max_call_cost,
            chance=random.random,
            past=past,
        )
        self._page: Page | None = None
        self._coming: Page | None = None
        self._upstream: Upstream | None = None
        self._successor: Upstream | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._trace: Trace | None = None
        self._pause_s: float | None = 0.0
        """When to connect, from now; None for not at all."""
        self._bridge: asyncio.Task[None] | None = None
        self._clock: asyncio.Task[None] | None = None
        self._hung_up_at: float | None = None
        self._state: tuple[str | float | None, ...] = ()
        self._messages: object = ()
        self._heard = b""
        self._heard_at = 0.0
        self._alone_since = 0.0
        self._begun = 0.0
        self._ticked_at = 0.0
        self._spoken = b""

    @property
    def over(self) -> bool:
        """Whether it has ended; its sockets may still be closing."""
        return self._hung_up_at is not None

    @property
    def conversation(self) -> Conversation:
        """What is said and shown so far."""
        return self._session.conversation

    # The page's side.

    def expect(self, page: Page) -> None:
        """A browser is on its way; one that was before it has given up, or will."""
        if self._coming is not None:
            self._coming.dismiss()
        self._coming = page

    def attach(self, page: Page) -> None:
        """A browser is here: the call begins, or goes on where it was."""
        if self._page is not None:
            self._page.tell({"type": "end_stream", "data": TAKEN_OVER})
            self._page.dismiss()
        self._page = page
        self._coming = None
        self._heard_at = time.monotonic()
        if self._bridge is None and not self.over:
            self._begin()
        self._state = ()
        self._show(self.conversation)
        page.show(self.conversation)
        if self.over:
            page.dismiss()

    def detach(self, page: Page) -> None:
        """The connection of this page is gone; the call waits for another, if it has begun."""
        if self._coming is page:
            self._coming = None
            self.abandon()
        if self._page is not page:
            return
        self._page = None
        self._alone_since = now = time.monotonic()
        self._perform(self._session.push_to_talk(False, now))
        for _ in range(PAUSE_FRAMES):
            self._perform(self._session.microphone(bytes(FRAME_BYTES)))

    def abandon(self) -> None:
        """A connection could not be made: a call that has not begun never will."""
        if self._bridge is None and self._coming is None:
            self._perform(self._session.hang_up())

    def microphone(self, pcm: bytes) -> None:
        """Sound of the microphone: PCM16, 24 kHz, mono, about 20 ms."""
        try:
            self._heard = pcm
            self._heard_at = time.monotonic()
            self._perform(self._session.microphone(pcm))
            if self._heard_at >= self._ticked_at + TICK_S:
                self._tick(self._heard_at)
        except Exception:
            log.exception("! the microphone failed")
            self.fail()

    def sound(self, now: float) -> bytes | None:
        """The 20 ms to play now; None for silence."""
        pcm = self._session.frame(now)
        self._spoken = pcm or b""
        return pcm

    def command(self, message: Mapping[str, Any]) -> None:
        """A message of the page; one that nobody knows is ignored."""
        try:
            self._perform(self._obey(message))
        except Exception:
            log.exception("! a message of the page failed")
            self.fail()

    async def close(self, notice: str) -> None:
        """End the call and wait until nothing of it is left but its goodbye to the page."""
        self._perform(self._session.hang_up(notice))
        tasks = [task for task in (self._bridge, self._clock, self._renewal) if task]
        for task in (self._clock, self._renewal):
            if task:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._page:
            self._page.dismiss()

    def fail(self) -> None:
        """Something broke in this program; the call cannot go on."""
        sentence = "Something went wrong in this app. Start the call again; the log says more."
        self._perform(self._session.lost(Failure(Severity.PERMANENT, sentence)))

    def _begin(self) -> None:
        self._begun = self._heard_at
        self._session.connecting()
        self._bridge = asyncio.create_task(self._converse())
        self._clock = asyncio.create_task(self._keep_time())

    def _obey(self, message: Mapping[str, Any]) -> list[Output]:
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

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._page:
            self._page.tell(message)

    def _show(self, conversation: Conversation) -> None:
        """States at once over the data channel; the transcript through Gradio, when it is due."""
        state = (
            conversation.connection,
            conversation.user,
            conversation.assistant,
            conversation.notice,
            cost(conversation.usage, self._settings.model),
        )
        if state != self._state:
            self._state = state
            names = ("connection", "user", "assistant", "notice", "cost")
            self._tell({"type": "state", **dict(zip(names, state, strict=True))})
        if conversation.messages is not self._messages:
            self._messages = conversation.messages
            if self._page:
                self._page.show(conversation)

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
        """Open the successor; only when it stands, and nobody speaks, is the present one closed."""
        try:
            self._successor = await self._open()
        except UpstreamError as error:
            log.info("! the session could not be renewed: %s", error)
            return
        # The session keeps no time of its own, so there is nothing to wait for but time.
        while not self._session.is_quiet(time.monotonic()):  # noqa: ASYNC110
            await asyncio.sleep(WATCH_S)
        if self._upstream:
            await self._upstream.close()

    async def _close_sockets(self) -> None:
        for upstream in (self._upstream, self._successor):
            if upstream:
                await upstream.close()
        self._upstream = self._successor = None

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
                    self._tell({"type": "stop"})
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
        if self._page and self._session.has_sound:
            self._page.hurry()

    def _hang_up(self) -> None:
        """Once: cancelled a second time, the bridge could not close its socket."""
        if self._hung_up_at is not None:
            return
        self._hung_up_at = time.monotonic()
        if self._bridge and self._bridge is not asyncio.current_task():
            self._bridge.cancel()
        self._on_end(self)

    async def _keep_time(self) -> None:
        """Ticks that no microphone frame brings along, and an eye on the browser."""
        while True:
            await asyncio.sleep(WATCH_S)
            now = time.monotonic()
            if now > self._ticked_at + WATCH_S:
                self._tick(now)
            if self._hung_up_at is None:
                self._mind_the_browser(now)
            elif self._page is None or now > self._hung_up_at + GOODBYE_S:
                self._leave()
                return

    def _mind_the_browser(self, now: float) -> None:
        if self._page is None:
            if now - self._alone_since > REJOIN_S:
                self._perform(self._session.hang_up())
        elif now - self._heard_at > GONE_S:
            log.info("! the browser sends nothing any more")
            page = self._page
            self.detach(page)
            page.dismiss()

    def _tick(self, now: float) -> None:
        """Limits for the session, levels for the page's plot.

        It comes with a microphone frame: a timer of its own would wake the process as often again.
        """
        # Twenty a second on the average, though frames come at multiples of 20 ms.
        self._ticked_at = max(self._ticked_at + TICK_S, now - TICK_S)
        self._perform(self._session.tick(now))
        self._tell(
            {
                "type": "levels",
                "user": _level(self._heard),
                "assistant": _level(self._spoken),
                "t": round((now - self._begun) * 1000),
            }
        )

    def _leave(self) -> None:
        """The page has not hung up by itself."""
        self._tell({"type": "end_stream", "data": self.conversation.notice})
        if self._page:
            self._page.dismiss()


def _level(pcm: bytes) -> float:
    """The level of the newest frame, as the page's plot wants it."""
    samples: Samples = np.frombuffer(pcm, np.int16)
    return round(level_dbfs(samples), 1)
