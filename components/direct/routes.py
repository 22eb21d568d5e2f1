"""The addresses of the direct route: token, call, ICE servers, widget and demo page.

Rule: every refusal is a status and one sentence in JSON; no answer holds the key. What a visitor
may do is decided before anything is asked of the Realtime server. The login, and who a visitor is,
are the guard's business, which stands before all routes.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from components.access.origins import may_ask
from components.access.rates import Rates
from components.browser.sources import demo_page, widget_script
from components.core.conversation import Conversation
from components.core.places import NoPlaceError, Places
from components.direct.minting import TOKEN_SECONDS, Minting, MintingError, Token
from components.direct.sideband import Sidebands
from components.media.ice import STUN, TurnError, browser_configuration
from components.protocol.options import Refused
from components.replicas.replicas import Replicas
from components.settings import Settings

log = logging.getLogger(__name__)

MAX_OFFER_BYTES: Final = 64 * 1024
FOR_ALL: Final = "200/minute"
"""Behind a proxy that does not name its visitors, all of them are one."""
WINDOW_S: Final = 60

FOREIGN: Final = "Pages of this address may not use the voice button of this app."
NAMELESS: Final = (
    "The request does not say which page asks (Origin). A proxy before the app may take that away."
)
TAB_KEY: Final = "X-Tab-Key"
"""Our own page names its tab by it; pages of other origins cannot send it."""

Recall = Callable[[str], Awaitable[Conversation]]
Handler = Callable[[Request], Awaitable[Response]]


class _Refusal(Exception):  # noqa: N818
    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


async def _nothing(_: str) -> Conversation:
    return Conversation()


def direct_routes(
    settings: Settings,
    sidebands: Sidebands,
    rates: Rates,
    refused: Refused,
    places: Places,
    recall: Recall = _nothing,
    replicas: Replicas | None = None,
) -> list[Route]:
    """What to add to the page's web server; nothing unless the settings allow it.

    `rates` and `places` are those of the whole app: a start is a start, and a call a call, by
    whichever route; `refused` is what this process has learned of servers; `recall` knows what a
    tab has said before, by its key; `replicas` are the other processes that serve this app.
    """
    if not settings.direct:
        return []
    others = replicas or Replicas(places)
    direct = _Direct(settings, sidebands, rates, refused, places, recall, others)
    return [
        Route("/api/realtime/token", direct.guarded(direct.token), methods=["POST"]),
        Route("/api/realtime/call", direct.guarded(direct.call), methods=["POST"]),
        Route("/api/realtime/ice", direct.guarded(direct.ice, "ice"), methods=["POST"]),
        Route("/widget.js", _widget),
        Route("/direct", _demo),
    ]


class _Direct:
    def __init__(
        self,
        settings: Settings,
        sidebands: Sidebands,
        rates: Rates,
        refused: Refused,
        places: Places,
        recall: Recall,
        replicas: Replicas,
    ) -> None:
        self._settings = settings
        self._sidebands = sidebands
        self._rates = rates
        self._places = places
        self._replicas = replicas
        self._recall = recall
        self._minting = Minting(settings, refused)
        self._ice = browser_configuration(settings)

    def guarded(self, handler: Handler, purpose: str = "start") -> Handler:
        """The handler, for those who may; how often is counted for each purpose."""

        async def endpoint(request: Request) -> Response:
            origin = request.headers.get("origin")
            host = request.headers.get("host", "")
            settings = self._settings
            if not may_ask(origin, host, settings.direct_origins, settings.reachable):
                return _refused(403, "forbidden_origin", NAMELESS if origin is None else FOREIGN)
            try:
                await self._admit(request, purpose)
                response = await handler(request)
            except _Refusal as refusal:
                response = _refused(refusal.status, refusal.code, str(refusal))
            except MintingError as error:
                self._sidebands.refused(error)
                response = _refused(error.status, "upstream", str(error))
            except NoPlaceError as error:
                code = "busy" if error.all_taken else "too_many_calls"
                response = _refused(503, code, str(error))
            response.headers["Cache-Control"] = "no-store"
            response.headers["Access-Control-Allow-Origin"] = str(origin)
            response.headers["Access-Control-Expose-Headers"] = "Location"
            response.headers["Vary"] = "Origin"
            return response

        return endpoint

    async def token(self, request: Request) -> Response:
        """Where one browser calls, and a token for it; none where the offer has to come to us."""
        await _body(request, 0)
        answer: dict[str, Any]
        answer = {"token": None, "expires_at": None, "url": "call", "model": self._settings.model}
        if not self._through_us:
            token = await self._token(_visitor(request))
            url = self._minting.calls_url
            answer |= {"token": token.value, "expires_at": token.expires_at, "url": url}
        return JSONResponse({**answer, "ice_servers": await self._ice_servers()})

    async def ice(self, request: Request) -> Response:
        """The STUN and TURN servers for one call, whose offer comes to us."""
        await _body(request, 0)
        return JSONResponse({"ice_servers": await self._ice_servers()})

    async def _ice_servers(self) -> list[Any]:
        """As the bridged route tells them. Without TURN most calls go on, so that ends none."""
        try:
            found = self._ice if isinstance(self._ice, dict) else await asyncio.to_thread(self._ice)
        except TurnError as error:
            log.warning("! %s", error)
            return [STUN]
        return list(found["iceServers"])

    async def _token(self, visitor: str) -> Token:
        """A token, for whose lifetime a place is taken: nobody sees the call that it begins."""
        now = time.monotonic()
        place = self._places.take(visitor, now, until=now + TOKEN_SECONDS)
        try:
            await self._replicas.admit(place)
            return await self._minting.token(visitor)
        except BaseException:
            self._places.give_back(place)
            raise

    @property
    def _through_us(self) -> bool:
        """Other machines cannot reach the practice server; no limit holds in a call unseen."""
        settings = self._settings
        limited = settings.max_call_seconds or settings.max_call_cost or settings.max_visitor_cost
        return bool(limited) or (settings.practice and settings.reachable)

    async def call(self, request: Request) -> Response:
        """The answer to a browser's offer; `Location` ends in the name under which we watch it."""
        offer = (await _body(request, MAX_OFFER_BYTES)).decode(errors="replace")
        if not offer.startswith("v=0"):
            raise _Refusal(400, "invalid_offer", "The request holds no session description.")
        before = self._sidebands.get(request.query_params.get("after", ""))
        if before is not None and before.reason:
            raise _Refusal(410, "call_over", before.reason)
        visitor = _visitor(request)
        # A browser that calls again tells by itself what was said in its call.
        past = before.past if before else await self._recall(request.headers.get(TAB_KEY, ""))
        sdp, name = await self._sidebands.answer(self._minting, offer, visitor, before, past)
        location = {"Location": f"/api/realtime/call/{name}"}
        return Response(sdp, 201, location, "application/sdp")

    async def _admit(self, request: Request, purpose: str) -> None:
        per_visitor = f"{self._settings.max_starts_per_minute}/minute"
        everybody = "direct" if purpose == "start" else purpose
        limits = ((per_visitor, purpose, _visitor(request)), (FOR_ALL, everybody, "all"))
        for limit, what, who in limits:
            if not await self._rates.admit(limit, what, who):
                sentence = "Too many calls were begun from here. Wait a minute, then try again."
                raise _Refusal(429, "too_many_requests", sentence)


def _visitor(request: Request) -> str:
    return request.client.host if request.client else ""


async def _widget(_: Request) -> Response:
    return Response(
        widget_script(),
        media_type="text/javascript",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"},
    )


async def _demo(_: Request) -> Response:
    return HTMLResponse(demo_page(), headers={"Cache-Control": "no-cache"})


async def _body(request: Request, longest: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not announced.isdecimal():
        raise _Refusal(411, "length_required", "The request must tell its length.")
    if int(announced) > longest:
        raise _Refusal(413, "too_long", "The request is too long.")
    return await request.body()


def _refused(status: int, code: str, sentence: str) -> Response:
    retry = {"Retry-After": str(WINDOW_S)} if status == 429 else None
    return JSONResponse({"error": {"code": code, "message": sentence}}, status, retry)
