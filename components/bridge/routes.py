"""The address at which the page looks into its call.

Rule: a call is looked into by the tab that holds its key, and by nobody else. The login is the
guard's business, which stands before all routes.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from components.access.admission import from_other_site
from components.access.refusals import Refusal
from components.bridge.calls import Calls
from components.bridge.inspection import Inspection

INSPECTION: Final = "/api/inspection"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""A proxy that gathers what is sent would hold reports back."""


def inspection_routes(calls: Calls) -> list[Route]:
    """What to add to the page's web server."""

    async def inspection(request: Request) -> Response:
        try:
            found, seen = await _asked(request, calls)
        except Refusal as refusal:
            return refusal.response
        lines = _lines(found, seen)
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=_HEADERS)

    return [Route(INSPECTION, inspection, methods=["POST"])]


async def _asked(request: Request, calls: Calls) -> tuple[Inspection, int]:
    """The call that a request asks for, and what the page has seen of it; `Refusal` if none."""
    if from_other_site(request.method, request.headers):
        raise Refusal(403, "forbidden_origin", "Pages of other sites may not use this app.")
    match _json(await request.body()):
        case {"key": str(key), "seen": int(seen)}:
            if found := calls.inspection(key):
                return found, seen
            raise Refusal(404, "no_call", "There is no call to look into yet.")
    raise Refusal(400, "bad_request", "The request names no call.")


def _json(body: bytes) -> Mapping[str, object]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, Mapping) else {}


async def _lines(inspection: Inspection, seen: int) -> AsyncIterator[bytes]:
    async for report in inspection.reports(seen):
        yield orjson.dumps(report) + b"\n"
