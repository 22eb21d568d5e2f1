"""Lets a page's stream of Gradio's messages wait for the next one.

Gradio looks twenty times a second, for each page, whether there is one and whether the page is
still there; with a single call that took an eighth of its processor time, and a word waited up to
50 ms for the next look.

Rule: what is sent, and to whom, is Gradio's affair. Before each look it asks by `receive` whether
the page is gone, in a way that must not wait; here it does wait, until there is news.
"""

import asyncio
import math
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOK_S: Final = 0.5
"""So often Gradio looks when nothing is new: whether the app ends, for one."""
BEGIN_S: Final = 0.2
"""So often Gradio looks whether a page has asked for an event; ours ask once in a call."""
PROGRESS_S: Final = 5.0
"""So often it looks how far events have come; none of ours tells."""
_STREAM: Final = "/queue/data"
_NOTHING: Final[Message] = {"type": "http.request", "body": b"", "more_body": False}


class News:
    """A middleware for the app of `demo`, Gradio's Blocks."""

    def __init__(self, app: ASGIApp, demo: Any) -> None:
        self._app = app
        self._demo = demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pending = getattr(self._demo._queue, "pending_messages_per_session", None)
        if scope["type"] != "http" or not scope["path"].endswith(_STREAM) or pending is None:
            await self._app(scope, receive, send)
            return
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
        stream = _Stream(pending, session, receive)
        try:
            await self._app(scope, stream.receive, send)
        finally:
            stream.end()


def look_less(demo: Any) -> None:
    """Gradio's queue looks thirty times a second for what hardly ever comes; it need not."""
    demo._queue.sleep_when_free = BEGIN_S
    demo._queue.progress_update_sleep_when_free = PROGRESS_S


class _Stream:
    """The messages for one page, by Gradio's name for it, while it reads them."""

    def __init__(self, pending: Any, session: str, receive: Receive) -> None:
        self._pending = pending
        self._session = session
        self._receive = receive
        self._gone = False
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._bell: _Bell | None = None

    async def receive(self) -> Message:
        """As the web server tells it; but who must not wait waits for news."""
        if anyio.current_effective_deadline() > -math.inf:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._gone = True
                self._news.set()
            return message
        with anyio.CancelScope(shield=True):
            told = await self._wait()
        return _NOTHING if told else await self._receive()

    def ring(self) -> None:
        """There is a message; from any thread."""
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._news.set()
        else:
            self._loop.call_soon_threadsafe(self._news.set)

    def end(self) -> None:
        """Nobody reads any more."""
        if self._bell:
            self._bell.streams.discard(self)

    async def _wait(self) -> bool:
        """Until there is a message, or the page is gone; or for `LOOK_S`. Whether there is one."""
        messages = self._pending.get(self._session)
        if messages is None or self._gone:
            return False
        if self._bell is None or self._bell is not messages.put:
            self.end()
            self._bell = messages.put if isinstance(messages.put, _Bell) else _Bell(messages)
            self._bell.streams.add(self)
        self._news.clear()
        if messages.empty():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
        return not messages.empty()


class _Bell:
    """Stands in the place of a queue's `put`, and tells the streams that read from the queue."""

    def __init__(self, messages: Any) -> None:
        self.streams: set[_Stream] = set()
        self._put = messages.put
        messages.put = self

    def __call__(self, *arguments: Any, **options: Any) -> None:
        self._put(*arguments, **options)
        for stream in tuple(self.streams):
            stream.ring()
