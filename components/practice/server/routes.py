"""The addresses of the practice server: WebSocket, client secrets, calls.

Rule: a refused WebSocket is accepted, gets one `error` and a close frame that names the reason, as
the API does it; everything else is answered by status and JSON.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from uuid import uuid4

import orjson
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from components.practice.engine.schema import RefusedError
from components.practice.engine.sessions import Session
from components.practice.server import door
from components.practice.server.calls import Calls
from components.practice.server.client_secrets import (
    PREFIX,
    ClientSecrets,
    shown_session,
    wanted_session,
)
from components.practice.server.connection import Connection
from components.practice.server.socket_wire import SocketWire
from components.practice.server.webrtc import Call, OfferError
from components.settings import PRACTICE_MODEL

PREFIXES: Final = ("/v1", "")
MAX_BODY_BYTES: Final = 1024 * 1024
_ANY_HEADER: Final = ["*"]
_LOCAL_ORIGIN: Final = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


class Sessions(Protocol):
    """Makes what a client talks to."""

    async def look(self) -> None:
        """Someone is about to begin: look for who could think for them."""

    def session(self, model: str, wanted: Session | None) -> Connection:
        """A session over a WebSocket."""

    def call(self, wanted: Session) -> Call:
        """A session over WebRTC."""


Handler = Callable[[Request], Awaitable[Response]]


class Refusal(Exception):  # noqa: N818
    """A request that gets an error for an answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def application(sessions: Sessions, calls: Calls, key: str) -> Starlette:
    """Everything that is served; `key` is what clients must show, empty if any will do."""
    routes = _Routes(sessions, calls, key)
    placed: list[Route | WebSocketRoute] = [Route("/", _status)]
    for prefix in PREFIXES:
        realtime = f"{prefix}/realtime"
        placed += [
            WebSocketRoute(realtime, routes.socket),
            Route(realtime, _no_socket),
            Route(f"{realtime}/client_secrets", routes.client_secrets, methods=["POST"]),
            Route(f"{realtime}/calls", routes.calls, methods=["POST"]),
            Route(f"{realtime}/calls/{{call_id}}/hangup", routes.hang_up, methods=["POST"]),
        ]
    placed += [WebSocketRoute("/{path:path}", _no_such_socket), Route("/{path:path}", _nothing)]
    origins: Any = {"allow_origins": ["*"]} if key else {"allow_origin_regex": _LOCAL_ORIGIN}
    cors = Middleware(
        CORSMiddleware,
        **origins,
        allow_methods=["POST"],
        allow_headers=_ANY_HEADER,
        expose_headers=["Location"],
    )
    return Starlette(
        routes=placed, middleware=[cors], exception_handlers={Refusal: _refused_request}
    )


class _Routes:
    def __init__(self, sessions: Sessions, calls: Calls, key: str) -> None:
        self._sessions = sessions
        self._calls = calls
        self._key = key
        self._secrets = ClientSecrets()

    async def socket(self, socket: WebSocket) -> None:
        """A session of its own, or a place beside a call."""
        if not self._key and not door.is_local(socket.headers.get("origin")):
            await _deny(socket, 403, door.error("forbidden_origin", door.FORBIDDEN))
            return
        protocols: list[str] = socket.scope["subprotocols"]
        given = door.key_of(socket.headers, protocols)
        if call_id := socket.query_params.get("call_id"):
            await self._beside(socket, call_id, given)
            return
        await socket.accept("realtime" if "realtime" in protocols else None)
        wanted = self._secrets.session(given, time.time())
        model = socket.query_params.get("model", "") or (wanted or {}).get("model", "")
        if wanted is None and (wrong := door.wrong_key(given, self._key)):
            await _refuse(socket, 3000, wrong)
            return
        beta = "openai-beta" in socket.headers or door.BETA_PROTOCOL in protocols
        if refusal := door.wrong_session(model, beta):
            close_code, code, message = refusal
            await _refuse(socket, close_code, door.error(code, message))
            return
        if wanted is not None:
            wanted = {**wanted, "model": model}
        await self._sessions.look()
        await self._sessions.session(model, wanted).serve(SocketWire(socket))

    async def _beside(self, socket: WebSocket, call_id: str, given: str) -> None:
        call = self._calls.get(call_id)
        if call is None or door.wrong_key(given, self._key):
            message = f"No session found for call_id '{call_id[:80]}'."
            await _deny(socket, 404, door.error("call_id_not_found", message))
            return
        await socket.accept()
        await call.connection.watch(SocketWire(socket))

    async def client_secrets(self, request: Request) -> Response:
        """Mint a short-lived key."""
        self._check_origin(request)
        self._check_key(door.key_of(request.headers))
        body = await _body(request)
        try:
            wish = orjson.loads(body or b"{}")
            secret = self._secrets.mint(wish, time.time())
            session = shown_session(secret.wanted, f"sess_{uuid4().hex[:24]}")
        except orjson.JSONDecodeError:
            raise Refusal(400, door.error("invalid_json", "The body is not JSON.")) from None
        except RefusedError as refusal:
            raise _refusal(refusal) from None
        return _json(
            200, {"value": secret.value, "expires_at": secret.expires_at, "session": session}
        )

    async def calls(self, request: Request) -> Response:
        """Begin a call: an offer with a short-lived key, or with a session and a server's key."""
        self._check_origin(request)
        given = door.key_of(request.headers)
        offer, wanted = await self._offer(request, given)
        await self._sessions.look()
        try:
            call_id, answer = await self._calls.answer(offer, lambda: self._sessions.call(wanted))
        except OfferError as error:
            raise Refusal(400, door.error("invalid_offer", str(error))) from None
        except RefusedError as refusal:
            raise _refusal(refusal) from None
        location = {"Location": f"/v1/realtime/calls/{call_id}"}
        return Response(answer, 201, location, "application/sdp")

    async def hang_up(self, request: Request) -> Response:
        """End a call."""
        self._check_key(door.key_of(request.headers))
        call = self._calls.get(request.path_params["call_id"])
        if call is None:
            raise Refusal(404, door.error("call_id_not_found", "There is no such call."))
        call.hang_up()
        return Response()

    async def _offer(self, request: Request, given: str) -> tuple[str, Session]:
        wanted = self._secrets.session(given, time.time())
        if given.startswith(PREFIX) and wanted is None:
            message = "This client secret has expired, or never was one."
            raise Refusal(401, door.error("invalid_api_key", message))
        if wanted is None:
            self._check_key(given)
        body = await _body(request)
        try:
            if request.headers.get("content-type", "").startswith("multipart/form-data"):
                form = await request.form(max_files=2, max_fields=2)
                offer, session = [await _text(form.get(name)) for name in ("sdp", "session")]
                await form.close()
                return offer, wanted or wanted_session(orjson.loads(session or "null"))
            model = request.query_params.get("model", PRACTICE_MODEL)
            plain = wanted_session({"type": "realtime", "model": model})
            return body.decode(errors="replace"), wanted or plain
        except orjson.JSONDecodeError:
            raise Refusal(400, door.error("invalid_json", "'session' is not JSON.")) from None
        except RefusedError as refusal:
            raise _refusal(refusal) from None
        except (ValueError, HTTPException):  # the latter is Starlette's word for some bad forms
            raise Refusal(400, door.error("invalid_form", "The form cannot be read.")) from None

    def _check_key(self, given: str) -> None:
        if wrong := door.wrong_key(given, self._key):
            raise Refusal(401, wrong)

    def _check_origin(self, request: Request) -> None:
        if not self._key and not door.is_local(request.headers.get("origin")):
            raise Refusal(403, door.error("forbidden_origin", door.FORBIDDEN))


async def _body(request: Request) -> bytes:
    """The body, which is kept for `request.form` as well."""
    announced = request.headers.get("content-length", "")
    if not announced.isdecimal():
        raise Refusal(411, door.error("length_required", "The request must tell its length."))
    if int(announced) > MAX_BODY_BYTES:
        raise Refusal(413, door.error("body_too_large", "The request is too long."))
    return await request.body()


async def _text(part: UploadFile | str | None) -> str:
    if isinstance(part, UploadFile):
        return (await part.read()).decode(errors="replace")
    return part or ""


async def _refuse(socket: WebSocket, close_code: int, body: dict[str, Any]) -> None:
    event = {"type": "error", "event_id": f"event_{uuid4().hex[:24]}", **body}
    await socket.send_text(orjson.dumps(event).decode())
    await SocketWire(socket).close(close_code, f"invalid_request_error.{body['error']['code']}")


async def _deny(socket: WebSocket, status: int, body: dict[str, Any]) -> None:
    await socket.send_denial_response(_json(status, body))


async def _no_such_socket(socket: WebSocket) -> None:
    await _deny(socket, 404, _NOTHING)


async def _status(_: Request) -> Response:
    return _json(200, {"status": "ok", "object": "practice_server"})


async def _no_socket(_: Request) -> Response:
    message = "This is a Realtime API: connect with a WebSocket."
    return _json(426, door.error("websocket_required", message))


async def _nothing(_: Request) -> Response:
    return _json(404, _NOTHING)


async def _refused_request(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return _json(refusal.status, refusal.body)


def _refusal(refusal: RefusedError) -> Refusal:
    status = 404 if refusal.code == "model_not_found" else 400
    return Refusal(status, door.error(refusal.code, refusal.message, refusal.param))


def _json(status: int, content: object) -> Response:
    return JSONResponse(content, status)


_NOTHING: Final = door.error("not_found", "There is nothing here.")
