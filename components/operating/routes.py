"""The addresses for whoever watches over the app: is it alive, and what has it done.

Rule: `/healthz` says nothing that a stranger may not know. `/metrics` is for who shows the token;
without one it is there only while nobody but this machine can open the page, behind the login, if
there is one.
"""

import hmac
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.core.places import Places
from components.operating.metrics import CONTENT_TYPE, Metrics
from components.settings import Settings

HEALTH: Final = "/healthz"
METRICS: Final = "/metrics"
NO_TOKEN: Final = "The figures are for who shows the METRICS_TOKEN of this app."
_HEADERS: Final = {"Cache-Control": "no-store"}


def operating_routes(settings: Settings, metrics: Metrics, places: Places) -> list[Route]:
    """What to add to the page's web server."""

    async def health(_: Request) -> Response:
        word = "draining" if places.closed else "ok"
        return PlainTextResponse(f"{word}\n", headers=_HEADERS)

    def figures(request: Request) -> Response:  # not async: it is made outside the event loop
        if not _may_see(request, settings.metrics_token):
            refused = {"error": {"code": "token_needed", "message": NO_TOKEN}}
            return JSONResponse(refused, 401, {**_HEADERS, "WWW-Authenticate": "Bearer"})
        return Response(metrics.exposition(), media_type=CONTENT_TYPE, headers=_HEADERS)

    routes = [Route(HEALTH, health)]
    if settings.metrics_token or not settings.reachable:
        routes.append(Route(METRICS, figures))
    return routes


def public_paths(settings: Settings) -> list[str]:
    """Of these addresses those that need no login."""
    return [HEALTH, METRICS] if settings.metrics_token else [HEALTH]


def _may_see(request: Request, token: str) -> bool:
    shown = request.headers.get("authorization", "").encode()
    return not token or hmac.compare_digest(shown, f"Bearer {token}".encode())
