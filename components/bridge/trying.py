"""The address at which the page tries a function by hand.

Rule: a function runs here as it does in a call: the same check of its arguments, the same time
limit, the same bound on what it returns, threads out of the same pool. A tab tries one at a time;
all tabs together have the threads of one call. The login is the guard's business.
"""

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components import tools
from components.access.refusals import Refusal
from components.bridge.calls import is_key
from components.bridge.routes import asked

TRYING: Final = "/api/tools"
MOST_TRIES: Final = 32
"""That wait for their results, of all tabs together."""


def trying_routes() -> list[Route]:
    """What to add to the page's web server, where visitors may use the tools."""
    threads = tools.Threads()
    trying: set[str] = set()

    async def tried(request: Request) -> Response:
        try:
            key, name, arguments = await _wanted(request)
            if key in trying or len(trying) >= MOST_TRIES:
                raise Refusal(429, "busy", "Another try still runs. Wait for its result.")
        except Refusal as refusal:
            return refusal.response
        trying.add(key)
        began = time.monotonic()
        try:
            result = await tools.run(name, arguments, threads)
        finally:
            trying.discard(key)
        took_ms = round(1000 * (time.monotonic() - began))
        return JSONResponse(
            {"result": result, "took_ms": took_ms}, headers={"Cache-Control": "no-store"}
        )

    return [Route(TRYING, tried, methods=["POST"])]


async def _wanted(request: Request) -> tuple[str, str, str]:
    """The tab's key, the function and its arguments; `Refusal` if the page would not ask so."""
    match await asked(request):
        case {"key": str(key), "name": str(name), "arguments": str(arguments)} if is_key(key):
            return key, name, arguments
    raise Refusal(400, "bad_request", "The request names no function and its arguments.")
