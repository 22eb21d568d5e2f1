"""The fastrtc handler: one browser's connection to a call.

Rule: it carries sound and messages between the page and its `Call`, which outlives it, and decides
nothing. fastrtc's own audio workers are never started: `peer.py` gives the connection the speaker
and the microphone, and the handler begins when its data channel is there.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from fastrtc import AsyncStreamHandler

from components.audio import SAMPLE_RATE
from components.bridge.call import Call
from components.bridge.outgoing import Outgoing
from components.bridge.screen import Screen
from components.core.conversation import Conversation
from components.media.candidates import Candidates
from components.media.speaker import Speaker

log = logging.getLogger(__name__)

JOIN_LIMIT_S: Final = 15.0
"""From an answered offer to an open data channel; the page gives up after ten seconds."""
LAST_WORDS_S: Final = 0.3
"""A connection that is closed at once takes its last messages along."""
NEWS_S: Final = 0.5
"""So long after it was told of news a page is told of more."""
MAX_MESSAGE_BYTES: Final = 65_536
"""Of the page; the longest line that a session takes, 8,000 characters, fits in when escaped."""


class Leg(AsyncStreamHandler):  # type: ignore[misc]  # fastrtc ships no types
    """A connection; fastrtc copies the prototype for each.

    `belong` tells it its call before the browser has the answer, `set_channel` begins, `shutdown`
    ends; fastrtc may call both of these more than once.
    """

    def __init__(self) -> None:
        super().__init__("mono", output_sample_rate=SAMPLE_RATE, input_sample_rate=SAMPLE_RATE)
        self.session_hash = ""
        """The Gradio session that made the offer; nobody else gets the transcript."""
        self.candidates: Candidates | None = None
        """Where the browser may be reached, by its offer and what it has told since."""
        self.speaker = Speaker(self._sound)
        self.screen = Screen(Conversation())
        self._call: Call | None = None
        self._outgoing: Outgoing | None = None
        self._hang_up: Callable[[], None] = lambda: None
        self._patience: asyncio.TimerHandle | None = None
        self._has_news = False
        self._has_words = False
        self._telling: asyncio.TimerHandle | None = None

    def copy(self) -> "Leg":
        return Leg()

    def belong(self, call: Call, session_hash: str, hang_up: Callable[[], None]) -> None:
        """The call of this connection; `hang_up` closes the connection."""
        self._call = call
        self.session_hash = session_hash
        self._hang_up = hang_up
        self._patience = asyncio.get_running_loop().call_later(JOIN_LIMIT_S, hang_up)
        call.expect(self)

    def set_channel(self, channel: Any) -> None:
        """The data channel is open: the call can begin, or go on."""
        if self.channel is not None:
            return
        super().set_channel(channel)
        if self._patience:
            self._patience.cancel()
        self._outgoing = Outgoing(channel, self._left_behind)
        # Trap: fastrtc sends back whatever comes, and a long message breaks the connection.
        channel.remove_all_listeners("message")
        channel.on("message", self._from_page)
        # Nobody can speak with a page any more whose sound may go on for hours.
        channel.on("close", self._hang_up)
        if self._call:
            self._call.attach(self)

    def microphone(self, pcm: bytes) -> None:
        """Sound of the microphone; never raises."""
        if self._call:
            self._call.microphone(pcm)

    async def shutdown(self) -> None:
        """The connection is gone."""
        call, self._call = self._call, None
        if self._patience:
            self._patience.cancel()
        self._stop_telling()
        self.speaker.stop()
        self.screen.close()
        if call:
            call.detach(self)

    async def receive(self, frame: Any) -> None:
        """Never called, as fastrtc's workers do not run; the sound comes to `microphone`."""

    async def emit(self) -> None:
        """Never called; the sound goes through `speaker`."""

    # What a call tells its page.

    def tell(self, message: Mapping[str, Any]) -> None:
        """Over the data channel, at once if the page has taken what was before it."""
        if self._outgoing:
            self._outgoing.put(message, time.monotonic())

    def show(self, conversation: Conversation) -> None:
        """The transcript has changed; fastrtc's component then asks Gradio for it.

        Told again and again, as only the page knows whether the event that brings it still lives;
        but not for each word, which costs as much as a frame of sound. Whether there are new words
        tells it to expect them.
        """
        self._has_words |= self.screen.show(conversation)
        self._has_news = True
        if self._telling is None:
            self._tell_news()

    def hurry(self) -> None:
        """There is sound to play."""
        self.speaker.hurry()

    def dismiss(self) -> None:
        """The call does without this page from now on: the connection closes."""
        self._call = None
        self._tell_news()
        self._stop_telling()
        asyncio.get_running_loop().call_later(LAST_WORDS_S, self._hang_up)

    def _tell_news(self) -> None:
        """There is something to be asked for, if there is; and again later, if there is more."""
        self._stop_telling()
        if self._has_news:
            self.tell({"type": "fetch_output", "data": [], "new": self._has_words})
            self._has_news = self._has_words = False
            self._telling = asyncio.get_running_loop().call_later(NEWS_S, self._tell_news)

    def _stop_telling(self) -> None:
        if self._telling:
            self._telling.cancel()
            self._telling = None

    def _left_behind(self) -> None:
        log.info("! a page takes no messages any more: it is hung up on")
        self._hang_up()

    def _from_page(self, text: object) -> None:
        """A message of the page; what is none of ours is fastrtc's, or nobody's."""
        if self._call is None or not isinstance(text, str | bytes):
            return
        if len(text) > MAX_MESSAGE_BYTES:
            return
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        if isinstance(message, Mapping):
            self._call.command(message)

    def _sound(self, now: float) -> bytes | None:
        return self._call.sound(now) if self._call else None
