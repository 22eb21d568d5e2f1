"""The address at which the page sends an image, with the line that was typed beside it.

Rule: it becomes a turn of the call of the tab that holds the key, as a typed line does, under the
same pace; it comes here because a message over the call's own connection must not be so long.
What is no image is refused with a sentence. The login is the guard's business.
"""

from base64 import b64decode
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.access.refusals import Refusal
from components.bridge.calls import Calls, is_key
from components.bridge.routes import asked
from components.protocol.images import Image, ImageError, image_of

IMAGES: Final = "/api/image"
LONGEST_NAME: Final = 32


def image_routes(calls: Calls) -> list[Route]:
    """What to add to the page's web server."""

    async def image(request: Request) -> Response:
        try:
            key, text, shown = await _wanted(request)
            if not calls.command(key, {"type": "say", "text": text, "image": shown}):
                raise Refusal(404, "no_call", "The image was not sent, as there is no call.")
        except Refusal as refusal:
            return refusal.response
        return JSONResponse({}, headers={"Cache-Control": "no-store"})

    return [Route(IMAGES, image, methods=["POST"])]


async def _wanted(request: Request) -> tuple[str, str, Image]:
    """The tab's key, the line and the image; `Refusal` if the page would not ask so."""
    match await asked(request):
        case {"key": str(key), "name": str(name), "text": str(text), "image": str(coded)} if (
            is_key(key) and len(name) <= LONGEST_NAME
        ):
            try:
                return key, text, image_of(b64decode(coded, validate=True), name)
            except ValueError:
                raise Refusal(400, "bad_request", "The request's image is not base64.") from None
            except ImageError as error:
                raise Refusal(422, "no_image", str(error)) from None
    raise Refusal(400, "bad_request", "The request names no image and its call.")
