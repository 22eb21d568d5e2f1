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
from types import MappingProxyType
from typing import Any, Final

from components.audio import FLOOR_DBFS, FRAME_BYTES, FRAME_MS, level_of
from components.bridge.inspection import Inspection
from components.bridge.line import WATCH_S, Line
from components.bridge.lines import Lines
from components.bridge.pages import Page
from components.bridge.raw import RawEvents
from components.bridge.recorder import Recorder
from components.bridge.runs import Runs
from components.bridge.terms import NOTHING, Terms, Used
from components.bridge.tuning import Tuning
from components.core.conversation import Conversation
from components.core.outputs import (
    Hangup,
    Output,
    Reconnect,
    Renew,
    RunTool,
    Send,
    SendAudio,
    Show,
    StopPlayback,
)
from components.core.pace import Pace
from components.core.servers import Servers
from components.core.session import Session
from components.protocol.events import ErrorEvent, ServerEvent, SessionUpdated
from components.protocol.failures import OUR_FAULT, Failure
from components.protocol.images import Image
from components.protocol.options import Refused
from components.settings import Settings
from components.upstream.client import Upstream, open_upstream
from components.upstream.configuration import session_options
from components.upstream.trace import Trace
from components.upstream.wire import Record

log = logging.getLogger(__name__)

TICK_S: Final = 0.05
"""Levels go to the page, and limits are looked at, twenty times a second."""
GOODBYE_S: Final = 2.0
"""The page hangs up by itself when it learns of the end; after this long, we do."""
GONE_S: Final = 5.0
"""A browser that sends no packet for so long is gone; aioice would notice after thirty."""
REJOIN_S: Final = 20.0
"""So long a call waits for its browser to come back."""
LOOK_S: Final = 0.5
"""How often to look at the browser, while its frames bring the ticks along."""
PAUSE_FRAMES: Final = 1000 // FRAME_MS
"""Of silence in the place of a browser that has gone, so that a turn under way ends."""
TAKEN_OVER: Final = "This call goes on in another window."


class Call:
    """A conversation between a browser and a Realtime server.

    It begins with the first `attach` and is over when its session says so, or when no page has
    been attached for `REJOIN_S`; `on_end` is then called, once. What a connection calls must not
    raise.
    """

    def __init__(
        self,
        settings: Settings,
        past: Conversation,
        refused: Refused,
        on_end: Callable[["Call"], None],
        visitor: str = "",
        wishes: Mapping[str, Any] = MappingProxyType({}),
        pace: Pace | None = None,
        key: str = "",
        used: Used = NOTHING,
    ) -> None:
        """`past` is what was said before, by the same browser; `refused` what this process has
        learned of servers; `visitor` the address of who began, `wishes` what he wants to be
        different from the settings of the app, by names; `pace` is that of all visitors; `key`
        is one that he has brought along; `used` what the call has used elsewhere."""
        pace = pace or Pace()
        self._settings = settings
        self._tuning = Tuning(settings.visitors_may, local=not settings.reachable)
        options = self._tuning.begin(session_options(settings), wishes)
        self._model = options.model
        self.terms = Terms(settings, visitor, key, used)
        self._on_end = on_end
        self._session = Session(
            options,
            limits=self.terms.limits,
            chance=random.random,
            refused=refused,
            past=past,
            admit=lambda now: pace.admit(visitor, now),
            surcharge=self.terms.surcharge,
        )
        self._page: Page | None = None
        self._coming: Page | None = None
        self._line = Line(self, self._open)
        self._lines = Lines(self._tell)
        self._raw = RawEvents(settings, self.terms, self._line.send)
        self.recorder = Recorder(self._session, self._tell)
        self.inspection = Inspection(options.model, self.recorder)
        self._trace: Trace | None = None
        self._runs = Runs(self._ran)
        self._servers = Servers()
        self._clock: asyncio.Task[None] | None = None
        self._hung_up_at: float | None = None
        self._state: Mapping[str, str | float | None] = {}
        self._messages: object = ()
        self._level = FLOOR_DBFS
        """Of the microphone's newest frame."""
        self._packet_at = self._alone_since = self._begun = self._ticked_at = 0.0
        self._sounding = b""
        self._has_spoken = False

    @property
    def over(self) -> bool:
        """Whether it has ended; its sockets may still be closing."""
        return self._hung_up_at is not None

    @property
    def conversation(self) -> Conversation:
        """What is said and shown so far."""
        return self._session.conversation

    @property
    def used(self) -> Used:
        """Of what is limited, here and elsewhere before."""
        lasted_s = time.monotonic() - self._begun if self._begun else 0.0
        return self.terms.used + Used(lasted_s, self._session.dialogue.counted)

    def answer_no_more(self, why: str) -> None:
        """The call ends after the answer under way; `why` is the sentence that says so."""
        self._session.dialogue.answer_no_more(why)

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
        self._packet_at = time.monotonic()
        self.inspection.joined(self._packet_at)
        if self._clock is None and not self.over:
            self._begin()
        self._state = {}
        self._show(self.conversation)
        self._tell_settings()
        self._tell(self._servers.message)
        self.recorder.greet()
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
            self._perform(self._session.microphone(bytes(FRAME_BYTES), now))

    def abandon(self) -> None:
        """A connection could not be made: a call that has not begun never will."""
        if self._clock is None and self._coming is None:
            self._perform(self._session.hang_up(time.monotonic()))

    def microphone(self, pcm: bytes) -> None:
        """Sound of the microphone: PCM16, 24 kHz, mono, about 20 ms."""
        try:
            self._packet_at = now = time.monotonic()
            self._level = level_of(pcm)
            self.inspection.microphone(pcm, self._level, now)
            self._perform(self._session.microphone(pcm, now))
            if self._packet_at >= self._ticked_at + TICK_S:
                self._tick(self._packet_at)
        except Exception:
            log.exception("! the microphone failed")
            self.failed()

    def sound(self, now: float) -> bytes | None:
        """The 20 ms to play now; None for silence."""
        pcm = self._session.frame(now)
        self._sounding = pcm or b""
        if pcm:
            self._has_spoken = True
            self.inspection.sent(pcm, now)
        return pcm

    def command(self, message: Mapping[str, Any]) -> None:
        """A message of the page; one that nobody knows is ignored."""
        try:
            self._perform(self._obey(message))
        except Exception:
            log.exception("! a message of the page failed")
            self.failed()

    async def close(self, notice: str) -> None:
        """End the call and wait until nothing of it is left but its goodbye to the page."""
        self._perform(self._session.hang_up(time.monotonic(), notice))
        if self._clock:
            self._clock.cancel()
        await self._line.closed()
        if self._page:
            self._page.dismiss()

    def _begin(self) -> None:
        self._begun = self._packet_at
        self._session.connecting(self._begun)
        self._line.begin()
        self._clock = asyncio.create_task(self._keep_time())

    def _obey(self, message: Mapping[str, Any]) -> list[Output]:
        now = time.monotonic()
        self.inspection.obey(message, now)
        match message:
            case {"type": "say", "text": str(text), "image": Image() as image}:
                return self.inspection.follow(self._session.say(text, now, image), now)
            case {"type": "say", "text": str(text)} if self._lines.arrives(message):
                return self.inspection.follow(self._session.say(text, now), now)
            case {"type": "interrupt"}:
                return self._session.interrupt(now)
            case {"type": "mute", "on": bool(muted)}:
                return self._session.mute(muted, now)
            case {"type": "talk", "down": bool(down)}:
                return self.inspection.follow(self._session.push_to_talk(down, now), now)
            case {"type": "set", "name": str(name), "value": value}:
                return self._set(name, value, now)
            case {"type": "approve", "id": str(item_id), "allow": bool(allow)}:
                return self._servers.answer(item_id, allow)
            case {"type": "cap", "dollars": dollars}:
                limit, problem = self._session.cap(dollars)
                self.inspection.tell(cap=limit, cap_problem=problem)
            case {"type": "raw", "text": str(text)}:
                self.inspection.tell(raw=self._raw.send(text))
            case {"type": "hangup"}:
                return self._session.hang_up(now)
            case {"type": "playout"}:
                self._session.playout_delay(self.inspection.delays.to_ear_s)
        return []

    def _set(self, name: str, value: Any, now: float) -> list[Output]:
        """The page wishes a setting to be different."""
        wanted = self._session.agreement.wanted
        options = self._tuning.wish(wanted, name, value, spoken=self._has_spoken)
        outputs = self._session.change(options, now) if options else []
        self._tell_settings()
        return outputs

    def _tell_settings(self) -> None:
        self._tell(self._tuning.message(self._session.agreement))

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._page:
            self._page.tell(message)

    def _show(self, conversation: Conversation) -> None:
        """States at once over the data channel; the transcript through Gradio, when it is due."""
        state = {
            "connection": conversation.connection,
            "user": conversation.user,
            "assistant": conversation.assistant,
            "notice": conversation.notice,
            "cost": cost.dollars if (cost := self._session.cost) else None,
            "at_least": bool(cost and cost.unknown),
        }
        if state != self._state:
            self._state = state
            self._tell({"type": "state", **state})
        if conversation.messages is not self._messages:
            self._messages = conversation.messages
            if self._page:
                self._page.show(conversation)

    # The server's side: what the line tells.

    def opened(self) -> None:
        """Another socket stands."""
        self._servers.reset()
        self._perform(self._session.connected(time.monotonic(), time.time()))

    def received(self, event: ServerEvent) -> None:
        """A server event."""
        now = time.monotonic()
        self.inspection.receive(event, now)
        self._perform(self._session.receive(event, now))
        if isinstance(event, SessionUpdated | ErrorEvent):
            self._tell_settings()
        if self._servers.receive(event):
            self._tell(self._servers.message)

    def lost(self, failure: Failure) -> None:
        """The socket could not be opened, or has closed."""
        self.inspection.failed(failure)
        self._perform(self._session.lost(self.terms.judge(failure), time.monotonic()))

    def is_quiet(self) -> bool:
        """Whether a change of sockets goes unnoticed now."""
        return self._session.is_quiet(time.monotonic())

    def failed(self) -> None:
        """Something broke in this program; the call cannot go on."""
        self.inspection.failed(OUR_FAULT)
        try:
            self._perform(self._session.lost(OUR_FAULT, time.monotonic()))
        except Exception:
            log.exception("! the call could not be ended in order")
            self._hang_up()

    async def _open(self) -> Upstream:
        url, about = self.terms.address(self._model)
        if self._trace is None and self._settings.trace:
            self._trace = Trace(self._settings.trace)
        records: list[Record] = [self.inspection.events, *filter(None, [self._trace])]
        return await open_upstream(url, about, records)

    def _ran(self, call_id: str, output: str, took_s: float) -> None:
        """A function has run; the session may have ended or begun anew meanwhile."""
        self.inspection.timing.ran(took_s)
        self._perform(self._session.ran(call_id, output, time.monotonic()))

    # Performing, and keeping time.

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case SendAudio(pcm):
                    if self._line.send_audio(pcm):
                        self.inspection.events.appended(len(pcm), time.time())
                case Send(event):
                    self._line.send(event)
                case StopPlayback():
                    self._tell({"type": "stop"})
                    self.recorder.stopped(time.monotonic())
                case Show(conversation):
                    self._show(conversation)
                case RunTool():
                    self._runs.begin(output, self._session.agreement.wanted.tools)
                case Reconnect(pause_s):
                    self._line.reconnect(pause_s)
                case Renew():
                    self._line.renew()
                case Hangup():
                    self._hang_up()
        if self._page and self._session.has_sound:
            self._page.hurry()

    def _hang_up(self) -> None:
        """Once; the clock sees to the page's goodbye."""
        if self._hung_up_at is not None:
            return
        self._hung_up_at = time.monotonic()
        self._line.end()
        self.inspection.end(self._hung_up_at)
        self.terms.end()
        self._runs.cancel()
        if self._trace:
            self._trace.close()
        self._on_end(self)

    async def _keep_time(self) -> None:
        """Ticks that no microphone frame brings along, and an eye on the browser.

        A tick that fails ends the call, but not the clock: the page still has to be let go.
        """
        while self._hung_up_at is None or self._page is not None:
            by_frames = time.monotonic() - self._packet_at < WATCH_S
            await asyncio.sleep(LOOK_S if by_frames else WATCH_S)
            try:
                self._pass_time(time.monotonic())
            except Exception:
                log.exception("! the clock failed")
                self.failed()

    def _pass_time(self, now: float) -> None:
        if self._hung_up_at is None:
            if now > self._ticked_at + WATCH_S:
                self._tick(now)
            self._mind_the_browser(now)
        elif self._page is not None and now > self._hung_up_at + GOODBYE_S:
            self._leave()

    def _mind_the_browser(self, now: float) -> None:
        if self._page is None:
            if now - self._alone_since > REJOIN_S:
                self._perform(self._session.hang_up(now))
        elif now - self._packet_at > GONE_S:
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
                "user": self._level,
                "assistant": level_of(self._sounding),
                "t": round((now - self._begun) * 1000),
            }
        )

    def _leave(self) -> None:
        """The page has not hung up by itself."""
        page, self._page = self._page, None
        if page:
            page.tell({"type": "end_stream", "data": self.conversation.notice})
            page.dismiss()
