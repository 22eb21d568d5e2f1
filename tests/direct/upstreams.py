"""Realtime servers for the direct route: the practice server, and one that answers as told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from components.practice.server.server import listening


class Scripted:
    """Answers each request with the next of `answers`: status, body; and keeps what was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, bytes]] = []
        self.heads: list[Headers] = []
        self.base_url = ""

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, request.url.query, await request.body()))
        self.heads.append(request.headers)
        status, body = self.answers.pop(0)
        text = body if isinstance(body, str) else orjson.dumps(body).decode()
        return Response(text, status, {"Location": "/v1/realtime/calls/rtc_1"})


@asynccontextmanager
async def scripted(*answers: tuple[int, Any]) -> AsyncIterator[Scripted]:
    """A server with these answers."""
    server = Scripted(*answers)
    app = Starlette(routes=[Route("/{path:path}", server.answer, methods=["POST"])])
    async with listening(app, "127.0.0.1", 0) as (host, port):
        server.base_url = f"http://{host}:{port}/v1"
        yield server
