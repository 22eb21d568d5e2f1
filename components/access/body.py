"""The body of a request: read whole, before anything behind the guard sees it.

Rule: no body is read further than its limits of size and time, and none whose length can be read in
two ways.
"""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.types import Message, Receive

from components.access.refusals import Refusal, too_long

MAX_BODY_BYTES: Final = 262_144
"""An offer has some ten thousand bytes, every other request of the page fewer."""
BODY_LIMIT_S: Final = 10.0


class GoneError(Exception):
    """The browser has left before its request was complete."""


def announces_body(request: Request) -> bool:
    """Whether a body follows the head of a request."""
    announced = request.headers.get("content-length", "0")
    return "transfer-encoding" in request.headers or announced != "0"


def check_length(request: Request) -> None:
    """`Refusal` if what stands before us may have read another length than our server does."""
    if "transfer-encoding" not in request.headers:
        return
    if "content-length" in request.headers or request.scope.get("http_version") == "1.0":
        raise Refusal(400, "bad_request", "The request tells its length in two ways.")


async def whole_body(request: Request, receive: Receive) -> bytes | None:
    """The body of a request; None if it announces none. `Refusal` beyond the limits."""
    if not announces_body(request) and request.method != "POST":
        return None
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > MAX_BODY_BYTES:
        raise too_long()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise GoneError
                body += message.get("body", b"")
                if len(body) > MAX_BODY_BYTES:
                    raise too_long()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Refusal(408, "timeout", "The request did not arrive in time.") from None


def again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that begins with a whole body."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def first_then_rest() -> Message:
        return whole.pop() if whole else await receive()

    return first_then_rest
