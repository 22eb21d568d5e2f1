"""Stands before the page's web server: every request passes here first.

Rule: closed unless `admission` names it; nothing without the login, where there is one; no body is
read further than its limit. Every refusal is a status and one sentence.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any, Final, Protocol

import orjson
from starlette._utils import get_route_path  # the router's own reading of a path
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.access.admission import (
    COMPONENT_SERVER,
    CONFIG,
    DATA,
    JOIN,
    LOGIN,
    RUN,
    STARTUP,
    BadRequestError,
    component_request,
    door,
    event_request,
    from_other_site,
    visitor_of,
)
from components.access.body import (
    GoneError,
    again,
    announces_body,
    check_length,
    whole_body,
)
from components.access.gradio_routes import GradioPage
from components.access.origins import is_local, is_local_page
from components.access.paths import is_plain
from components.access.rates import Rates
from components.access.refusals import Refusal, foreign_name, login_needed, too_many

log = logging.getLogger(__name__)

LOGINS: Final = "10/minute"
EVENTS_PER_START: Final = 6
"""Gradio events that a visitor may ask for, for each start that is allowed him."""
MOST_REQUESTS: Final = 200
"""What one visitor may have under way, open event streams among it: Gradio polls each of these
twenty times a second."""
MOST_OF_A_STRANGER: Final = 32
"""The same before the login."""
_HEADERS: Final = {b"x-content-type-options": b"nosniff", b"referrer-policy": b"same-origin"}
_STREAM_HEADERS: Final = {**_HEADERS, b"x-accel-buffering": b"no"}
"""A proxy that waits for the end of a stream would keep a call's words until its end."""


class Page(Protocol):
    """What the guard asks of the web server behind it."""

    @property
    def started(self) -> bool:
        """Whether the start-up request has been made."""

    @property
    def needs_login(self) -> bool:
        """Whether there is a login."""

    def knows(self, cookies: dict[str, str]) -> bool:
        """Whether these cookies belong to a visitor who has logged in."""

    def has(self, component_id: int, name: str) -> bool:
        """Whether a component has a function for its page."""

    def inputs(self, fn_index: int) -> Sequence[bool] | None:
        """For each input of one of our events, whether it takes an object; None for others."""

    def waits(self, session_hash: str) -> bool:
        """Whether there is something to tell a session."""


class Guard:
    """The check of every request.

    `own` are the paths of the routes that we added to Gradio's, `public` those of them that need no
    login. With `local`, only this machine may open the page.
    """

    def __init__(
        self,
        rates: Rates,
        starts_per_minute: int,
        own: Sequence[str] = (),
        *,
        local: bool = False,
        public: Sequence[str] = (),
    ) -> None:
        self._rates = rates
        self._events = f"{EVENTS_PER_START * starts_per_minute}/minute"
        self._own = tuple(own)
        self._public = tuple(public)
        self._local = local
        self._under_way: Counter[tuple[str, bool]] = Counter()

    def lifespan(self, app: Any) -> AbstractAsyncContextManager[None]:
        """For Gradio's `app_kwargs`: called before the first request.

        A middleware given to Gradio would be inside its CORS and its debug pages, which have
        faults of their own.
        """
        return self._lifespan(app)

    @asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncIterator[None]:
        app.debug = False  # Gradio shows its source to whoever provokes an error
        app.middleware_stack = self.around(app.build_middleware_stack(), GradioPage(app))
        yield

    def around(self, inner: ASGIApp, page: Page) -> ASGIApp:
        """The guarded form of a web server."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await inner(scope, receive, send)
            elif scope["type"] == "http":
                await _Visit(self, page, scope).serve(inner, receive, send)
            else:  # a WebSocket: the page has none
                await send({"type": "websocket.close", "code": 1008})

        return guarded

    def is_own(self, path: str) -> bool:
        """Whether a path is one that we added."""
        return path in self._own

    async def check(self, page: Page, request: Request, path: str, is_stranger: bool) -> None:
        """`Refusal` unless this visitor may make this request, whatever its body says."""
        self._check_head(request, path)
        where = door(path, self._own)
        if path in self._public or (path == STARTUP and not page.started):
            where = "public"
        if where == "closed" or not is_plain(path):
            raise Refusal(404, "not_found", "There is nothing here.")
        if where == "members" and is_stranger:
            raise login_needed(request, path)
        is_plain_page = where == "public" and request.method in ("GET", "HEAD")
        if not (is_plain_page or path in self._own) and from_other_site(
            request.method, request.headers
        ):
            raise Refusal(403, "forbidden_origin", "Pages of other sites may not use this app.")
        await self._check_rates(request, path)

    @contextmanager
    def under_way(self, visitor: str, is_stranger: bool) -> Iterator[None]:
        """Count a request while it is under way; `Refusal` if the visitor has too many."""
        who = (visitor, is_stranger)  # who is in does not keep out who wants to log in
        if self._under_way[who] >= (MOST_OF_A_STRANGER if is_stranger else MOST_REQUESTS):
            raise too_many("requests at a time")
        self._under_way[who] += 1
        try:
            yield
        finally:
            self._under_way[who] -= 1
            if not self._under_way[who]:
                del self._under_way[who]

    def _check_head(self, request: Request, path: str) -> None:
        headers = request.headers
        host = headers.get("host")
        if not host:  # Gradio's CORS stumbles over that
            raise Refusal(400, "bad_request", "The request names no host.")
        check_length(request)
        origin = None if path in self._own else headers.get("origin")
        if self._local and not (is_local(host) and (origin is None or is_local_page(origin))):
            log.warning(
                "A request for %.80r from %.80r was refused: neither is local.", host, origin
            )
            raise foreign_name()

    async def _check_rates(self, request: Request, path: str) -> None:
        if request.method != "POST":
            return
        visitor = request.client.host if request.client else ""
        if path in LOGIN and not await self._rates.admit(LOGINS, "login", visitor):
            raise too_many("login attempts")
        if path in (JOIN, RUN) and not await self._rates.admit(self._events, "event", visitor):
            raise too_many("requests")


class _Visit:
    """One request on its way in, and its answer on its way out."""

    def __init__(self, guard: Guard, page: Page, scope: Scope) -> None:
        self._guard = guard
        self._page = page
        self._path = get_route_path(scope) or "/"
        self._visitor = visitor_of(scope["client"][0] if scope.get("client") else "")
        # Files are small here, and of many ranges Starlette makes answers that it cannot send.
        headers = [each for each in scope["headers"] if each[0] != b"range"]
        self._scope = {**scope, "client": (self._visitor, 0), "headers": headers}
        if self._path in ("/", CONFIG):
            # Gradio takes the name of a page and of a stored state from here: we have neither.
            self._scope["query_string"] = b""

    async def serve(self, inner: ASGIApp, receive: Receive, send: Send) -> None:
        request = Request(self._scope)
        dressed = self._dress(send)
        body: bytes | None = None
        is_stranger = self._page.needs_login and not self._page.knows(request.cookies)
        try:
            with self._guard.under_way(self._visitor, is_stranger):
                await self._guard.check(self._page, request, self._path, is_stranger)
                body = await whole_body(request, receive)
                if body is not None:
                    receive = again(self._rebuild(request, body), receive)
                self._check_stream(request)
                await inner(self._scope, receive, dressed)
        except Refusal as refusal:
            if body is None and announces_body(request):  # the rest of it is on its way
                refusal.response.headers["Connection"] = "close"
            await refusal.response(self._scope, receive, dressed)
        except GoneError:
            return

    def _rebuild(self, request: Request, body: bytes) -> bytes:
        """The body that is passed on to Gradio, rebuilt from its checked parts."""
        is_event = self._path in (JOIN, RUN)
        if not is_event and self._path not in COMPONENT_SERVER:
            return body
        try:
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                raise BadRequestError("The request is not JSON.")
            rebuilt = (
                event_request(body, self._page.inputs)
                if is_event
                else component_request(body, self._page.has)
            )
        except BadRequestError as error:
            raise Refusal(400, "bad_request", str(error)) from None
        headers = MutableHeaders(raw=list(self._scope["headers"]))
        # Gradio writes the type into its log, whatever it is.
        headers["content-type"], headers["content-length"] = "application/json", str(len(rebuilt))
        self._scope["headers"] = headers.raw
        return rebuilt

    def _check_stream(self, request: Request) -> None:
        """Gradio answers the same to an unknown session, but with a traceback in the log."""
        if self._path != DATA or self._page.waits(request.query_params.get("session_hash", "")):
            return
        refusal = Refusal(404, "not_found", "There is nothing to tell this session.")
        unknown = {
            "msg": "unexpected_error",
            "message": str(refusal),
            "session_not_found": True,
            "success": False,
        }
        told = f"data: {orjson.dumps(unknown).decode()}\n\n"
        refusal.response = Response(told, media_type="text/event-stream")
        raise refusal

    def _dress(self, send: Send) -> Send:
        own = self._guard.is_own(self._path)
        added = _STREAM_HEADERS if self._path == DATA else _HEADERS

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, value)
                    for name, value in message.get("headers", ())
                    if own or not name.lower().startswith(b"access-control-")
                ]
                message = {**message, "headers": [*headers, *added.items()]}
            await send(message)

        return dressed
