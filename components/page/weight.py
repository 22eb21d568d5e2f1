"""Makes what a browser loads of the page light, on its way out of Gradio's web server.

Rule: nothing that can be seen or heard changes. What is compressed once is kept, and compressed in
a thread: the loop that carries the sound waits for none of it.

Gradio compresses its scripts anew for each visitor, on the loop, and its page not at all; fastrtc's
stylesheet brings sixty fonts for formulas, which no page of ours shows, and its component draws a
wave sixty times a second, in a call and without one, in a place that no page of ours shows either.
"""

import asyncio
import re
from collections.abc import Iterable
from typing import Final

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT_QUALITY: Final = 9
"""Of files that never change: compressed once."""
PAGE_QUALITY: Final = 5
"""Of the page itself, which is made for each visitor."""
LEAST_BYTES: Final = 1000
MOST_KEPT: Final = 500
"""Files; Gradio and fastrtc have some 300 that a page can ask for."""
_FONT: Final = re.compile(rb"@font-face\s*\{[^}]*\}")
_CHARSET: Final = re.compile(rb"<meta charset=[^>]*>")
_STYLES: Final = re.compile(r"^/gradio_api/custom_component/\w+/client/component/style\.css$")
_SCRIPTS: Final = re.compile(r"^/gradio_api/custom_component/\w+/client/component/index-\w+\.js$")
_NEXT_FRAME: Final = re.compile(rb"(\w+) = requestAnimationFrame\(\w+\)")
"""Of the wave, and of two loops that each call begins and none ends: they run once."""
_KEPT: Final = re.compile(r"^/(assets|gradio_api/custom_component)/.*\.(js|css|svg)$")


class Weight:
    """A middleware for Gradio's app; the head of its page begins with the tags `early`."""

    def __init__(self, app: ASGIApp, early: str = "") -> None:
        self._app = app
        self._early = early.encode()
        self._kept: dict[tuple[str, str], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._concerns(scope):
            await self._app(scope, receive, send)
            return
        answer = _Answer()
        await self._app(scope, receive, answer.take)
        if answer.is_whole:
            await self._make_light(scope["path"], answer)
        for message in answer.messages():
            await send(message)

    def _concerns(self, scope: Scope) -> bool:
        path = scope["path"]
        takes = "br" in Headers(scope=scope).get("accept-encoding", "")
        return scope["method"] == "GET" and takes and (path == "/" or bool(_KEPT.match(path)))

    async def _make_light(self, path: str, answer: "_Answer") -> None:
        tag = answer.headers.get("etag", "")
        body = self._kept.get((path, tag)) if tag else None
        if body is None:
            body = await asyncio.to_thread(_light, path, self._with_early(path, answer.body))
            if tag and _KEPT.match(path) and len(self._kept) < MOST_KEPT:
                self._kept[path, tag] = body
        answer.replace(body)

    def _with_early(self, path: str, body: bytes) -> bytes:
        """The page with the tags; not ahead of its character set, which browsers look for."""
        if path != "/":
            return body
        return _CHARSET.sub(lambda found: found[0] + self._early, body, count=1)


def _light(path: str, body: bytes) -> bytes:
    if _STYLES.match(path):
        body = _FONT.sub(b"", body)
    if _SCRIPTS.match(path):
        body = _NEXT_FRAME.sub(rb"\1 = 0", body)
    quality = KEPT_QUALITY if _KEPT.match(path) else PAGE_QUALITY
    return bytes(brotli.compress(body, mode=brotli.MODE_TEXT, quality=quality))


class _Answer:
    """A response that is kept until its end."""

    def __init__(self) -> None:
        self._start: Message = {}
        self._parts: list[bytes] = []

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._parts.append(message.get("body", b""))

    @property
    def headers(self) -> MutableHeaders:
        return MutableHeaders(raw=self._start["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(self._parts)

    @property
    def is_whole(self) -> bool:
        """Whether it is a file's or page's whole text, not compressed yet."""
        plain = "content-encoding" not in self.headers
        return self._start["status"] == 200 and plain and len(self.body) >= LEAST_BYTES

    def replace(self, body: bytes) -> None:
        self._parts = [body]
        headers = self.headers
        headers["content-encoding"] = "br"
        headers["content-length"] = str(len(body))
        headers.add_vary_header("accept-encoding")

    def messages(self) -> Iterable[Message]:
        yield self._start
        yield {"type": "http.response.body", "body": self.body}
