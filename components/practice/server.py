"""The practice server's door: who may come in, and what the others are told.

Rule: a refused client gets its WebSocket, one `error` and a close frame that names the reason, as
the API does it (protocol digest 2.6). Without a key, pages of other machines do not get in at all.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import orjson
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from components.practice import connection, vad
from components.practice.chat import Chat
from components.practice.connection import Connection, Parts
from components.practice.ears import Ears
from components.practice.engine import Engine
from components.practice.sessions import is_realtime_model
from components.practice.thinking import ChatModelThinker, Rules
from components.practice.voice import Voice
from components.settings import ChatModel

logger = logging.getLogger(__name__)

PATHS: Final = ("/v1/realtime", "/realtime")
MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
"""More than an append of 15 MiB, in base64."""
PACE: Final = 8.0
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_KEY_PROTOCOL: Final = "openai-insecure-api-key."
_BETA_PROTOCOL: Final = "openai-beta.realtime-v1"


class PracticeServer:
    """A server that runs; `url` is what a client takes for its base URL."""

    def __init__(
        self,
        parts: Parts,
        open_vad: Callable[[], connection.Vad],
        key: str,
        session_seconds: float,
    ) -> None:
        self.url = ""
        self.port = 0
        self._parts = parts
        self._open_vad = open_vad
        self._key = key
        self._session_seconds = session_seconds

    def started(self, server: Server) -> None:
        """Learn the address that the system has given."""
        host, self.port = next(iter(server.sockets)).getsockname()[:2]
        self.url = f"ws://{f'[{host}]' if ':' in host else host}:{self.port}/v1"

    async def serve(self, socket: ServerConnection) -> None:
        """One client, to the end."""
        assert socket.request is not None
        refusal = self._refusal(socket.request)
        if refusal is not None:
            await _refuse(socket, *refusal)
            return
        detector = self._open_vad()
        notes = (self._parts.ears.degraded, self._parts.voice.degraded, detector.degraded)
        engine = Engine(
            _query(socket.request, "model"),
            unix_time=int(time.time()),
            notes=[note for note in notes if note],
            rules=isinstance(self._parts.thinker, Rules),
            hop_ms=detector.hop_ms,
            session_seconds=self._session_seconds,
            new_id=lambda prefix: f"{prefix}_{uuid4().hex[:24]}",
        )
        await Connection(socket, engine, detector, self._parts).run()

    def answer_plainly(self, _: ServerConnection, request: Request) -> Response | None:
        """What is said without a WebSocket; None lets the handshake go on."""
        path = urlsplit(request.path).path.rstrip("/")
        if path == "":
            return _json(HTTPStatus.OK, {"status": "ok", "object": "practice_server"})
        if path not in PATHS:
            return _json(HTTPStatus.NOT_FOUND, _error("not_found", "There is nothing here."))
        if not self._key and not _is_local(request.headers.get("Origin")):
            message = "Pages of other machines may not use the practice server."
            return _json(HTTPStatus.FORBIDDEN, _error("forbidden_origin", message))
        if request.headers.get("Upgrade", "").lower() != "websocket":
            message = "This is a Realtime API: connect with a WebSocket."
            return _json(HTTPStatus.UPGRADE_REQUIRED, _error("websocket_required", message))
        return None

    def _refusal(self, request: Request) -> tuple[int, str, str] | None:
        """Close code, error code and message for a client that may not stay."""
        model = _query(request, "model")
        if self._key and not hmac.compare_digest(_key_of(request).encode(), self._key.encode()):
            return 3000, "invalid_api_key", "Incorrect API key provided."
        if "OpenAI-Beta" in request.headers or _BETA_PROTOCOL in _protocols(request):
            message = "The Realtime Beta API is no longer supported. Use the GA API."
            return 4000, "beta_api_shape_disabled", message
        if not model:
            return 4000, "missing_model", "You must provide a model parameter."
        if not is_realtime_model(model):
            message = f"The model '{model[:80]}' does not exist or you do not have access to it."
            return 4004, "model_not_found", message
        return None


@asynccontextmanager
async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    key: str = "",
    chat_model: ChatModel | None = None,
    session_seconds: float = 3600,
    pace: float = PACE,
    ears: connection.Ears | None = None,
    voice: connection.Voice | None = None,
    open_vad: Callable[[], connection.Vad] = vad.open_vad,
) -> AsyncIterator[PracticeServer]:
    """A practice server as long as the context lasts; `OSError` if the port is taken.

    `port` 0 lets the system choose. With a `key`, clients must show it. `pace` is how many times
    faster than real time speech is sent. The parts are the real ones unless given.
    """
    ears, voice = ears or Ears(), voice or Voice()
    async with AsyncExitStack() as stack:
        thinker: connection.Thinker = Rules()
        if chat_model is not None:
            # A proxy of the environment knows nothing of an endpoint on this machine.
            trust_env = not _is_local(chat_model.base_url)
            client = await stack.enter_async_context(httpx.AsyncClient(trust_env=trust_env))
            thinker = ChatModelThinker(Chat(chat_model, client), Rules())
        stack.push_async_callback(ears.close)
        stack.push_async_callback(voice.close)
        parts = Parts(ears, voice, thinker, pace)
        practice = PracticeServer(parts, open_vad, key, session_seconds)
        server = await stack.enter_async_context(
            listen(
                practice.serve,
                host,
                port,
                process_request=practice.answer_plainly,
                select_subprotocol=_realtime_protocol,
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                close_timeout=2,
            )
        )
        practice.started(server)
        await asyncio.gather(ears.start(), voice.start())
        yield practice


async def _refuse(socket: ServerConnection, close_code: int, code: str, message: str) -> None:
    event = {"type": "error", "event_id": f"event_{uuid4().hex[:24]}", **_error(code, message)}
    await socket.send(orjson.dumps(event).decode())
    await socket.close(close_code, f"invalid_request_error.{code}")


def _error(code: str, message: str) -> dict[str, object]:
    kind = "invalid_request_error"
    return {"error": {"type": kind, "code": code, "message": message, "param": None}}


def _json(status: HTTPStatus, content: object) -> Response:
    body = orjson.dumps(content)
    headers = Headers(
        {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
    )
    return Response(status.value, status.phrase, headers, body)


def _query(request: Request, name: str) -> str:
    return parse_qs(urlsplit(request.path).query).get(name, [""])[-1]


def _key_of(request: Request) -> str:
    """The key of a bearer header, or of the subprotocol that browsers have to use instead."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    keys = (p for p in _protocols(request) if p.startswith(_KEY_PROTOCOL))
    return next(keys, "").removeprefix(_KEY_PROTOCOL)


def _protocols(request: Request) -> list[str]:
    values = request.headers.get_all("Sec-WebSocket-Protocol")
    return [protocol.strip() for value in values for protocol in value.split(",")]


def _realtime_protocol(_: ServerConnection, offered: object) -> Subprotocol | None:
    return (
        Subprotocol("realtime")
        if isinstance(offered, list | tuple) and "realtime" in offered
        else None
    )


def _is_local(origin: str | None) -> bool:
    """Programs send no origin; a page of this machine has a local one."""
    if origin is None:
        return True
    try:
        return urlsplit(origin).hostname in _LOCAL
    except ValueError:
        return False
