"""The addresses at which the page looks into its call, and fetches its recording.

Rule: both are for the tab that holds the call's key, and for nobody else. The login is the
guard's business, which stands before all routes.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from components.access.admission import from_other_site
from components.access.refusals import Refusal
from components.bridge.calls import Calls
from components.bridge.inspection import Inspection

INSPECTION: Final = "/api/inspection"
RECORDING: Final = "/api/recording"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""A proxy that gathers what is sent would hold reports back."""


def inspection_routes(calls: Calls) -> list[Route]:
    """What to add to the page's web server."""

    async def inspection(request: Request) -> Response:
        try:
            found, seen = await _call_of(request, calls)
        except Refusal as refusal:
            return refusal.response
        lines = _lines(found, seen)
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=_HEADERS)

    return [Route(INSPECTION, inspection, methods=["POST"])]


def recording_routes(calls: Calls) -> list[Route]:
    """What to add to the page's web server, where calls may be recorded."""

    async def recording(request: Request) -> Response:
        try:
            path = await _archive(request, calls)
        except Refusal as refusal:
            return refusal.response
        headers = {"Cache-Control": "no-store"}
        return FileResponse(path, media_type="application/zip", headers=headers)

    return [Route(RECORDING, recording, methods=["POST"])]


async def _archive(request: Request, calls: Calls) -> Path:
    """The ZIP that a request asks for, when it is written; `Refusal` if there is none."""
    match await asked(request):
        case {"key": str(key)}:
            recording = calls.recording(key)
            if recording and not recording.over:
                raise Refusal(409, "under_way", "End the recording, then download it.")
            if recording:
                await recording.written()
            if recording is None or recording.archive is None:
                raise Refusal(404, "no_recording", "There is no recording of this tab any more.")
            return recording.archive
    raise Refusal(400, "bad_request", "The request names no recording.")


async def asked(request: Request) -> Mapping[str, object]:
    """What our page asks in a body of JSON, empty if it is no object; `Refusal` for other pages."""
    if from_other_site(request.method, request.headers):
        raise Refusal(403, "forbidden_origin", "Pages of other sites may not use this app.")
    try:
        found = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, Mapping) else {}


async def _call_of(request: Request, calls: Calls) -> tuple[Inspection, int]:
    """The call that a request asks for, and what the page has seen of it; `Refusal` if none."""
    match await asked(request):
        case {"key": str(key), "seen": int(seen)}:
            if found := calls.inspection(key):
                return found, seen
            raise Refusal(404, "no_call", "There is no call to look into yet.")
    raise Refusal(400, "bad_request", "The request names no call.")


async def _lines(inspection: Inspection, seen: int) -> AsyncIterator[bytes]:
    async for report in inspection.reports(seen):
        yield orjson.dumps(report) + b"\n"
