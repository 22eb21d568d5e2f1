"""The practice server: its parts, its sessions, and the web server that carries them.

Rule: the server ends with its context, and with it every session, call and part.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import httpx
import uvicorn

from components.practice.brain.chat import Chat
from components.practice.brain.thinking import ChatModelThinker, Rules
from components.practice.engine.call_engine import CallEngine
from components.practice.engine.engine import Engine
from components.practice.engine.sessions import Session
from components.practice.server import connection
from components.practice.server.calls import Calls
from components.practice.server.connection import Connection, Parts
from components.practice.server.routes import application
from components.practice.server.socket_wire import AbortableProtocol
from components.practice.server.webrtc import Call
from components.practice.speech import vad
from components.practice.speech.ears import Ears
from components.practice.speech.voice import Voice
from components.settings import ChatModel

MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
"""More than an append of 15 MiB, in base64."""
PACE: Final = 8.0
STOP_LIMIT_S: Final = 2
LOOK_AGAIN_S: Final = 5.0
"""A look takes a few milliseconds; or half a second, but not of everybody who begins."""
Look = Callable[[], Awaitable[ChatModel | None]]
"""Finds a chat model, or none, soon."""
Tell = Callable[[Mapping[str, str]], None]
"""Takes the names of the parts."""


class PracticeServer:
    """A server that runs; `url` is what a client takes for its base URL."""

    def __init__(
        self,
        parts: Parts,
        open_vad: Callable[[], connection.Vad],
        session_seconds: float,
        ice_servers: Sequence[Mapping[str, Any]],
        look: Look | None,
        tell: Tell | None,
        minds: AsyncExitStack,
    ) -> None:
        """`minds` closes what belongs to chat models."""
        self.url = ""
        self.port = 0
        self._mind = ""
        self._parts = parts
        self._open_vad = open_vad
        self._session_seconds = session_seconds
        self._ice_servers = ice_servers
        self._look = look
        self._tell = tell
        self._minds = minds
        self._looked = -math.inf

    def listens(self, address: tuple[Any, ...]) -> None:
        """Learn the address that the system has given."""
        host, self.port = address[:2]
        self.url = f"ws://{f'[{host}]' if ':' in host else host}:{self.port}/v1"

    async def look(self) -> None:
        """While the rules think, look for a model; not more often than every few seconds."""
        now = time.monotonic()
        if self._look is None or self._mind or now < self._looked + LOOK_AGAIN_S:
            return
        self._looked = now
        if (found := await self._look()) is not None:
            await self.think_with(found)
            if self._tell is not None:
                self._tell(self.parts)

    async def think_with(self, chat_model: ChatModel) -> None:
        """From the next session on this model thinks, in place of the rules."""
        client = await self._minds.enter_async_context(_client(chat_model))
        self._mind = chat_model.model
        thinker = ChatModelThinker(Chat(chat_model, client), Rules())
        self._parts = replace(self._parts, thinker=thinker)

    @property
    def parts(self) -> dict[str, str]:
        """The names of its `ears`, `voice` and `mind`; empty for what it lacks."""
        ears, voice = self._parts.ears, self._parts.voice
        return {
            "ears": "" if ears.degraded else ears.name,
            "voice": "" if voice.degraded else voice.name,
            "mind": self._mind,
        }

    def session(self, model: str, wanted: Session | None) -> Connection:
        """A session over a WebSocket."""
        detector = self._open_vad()
        engine = Engine(model, wanted=wanted, **self._settings(detector))
        return Connection(engine, detector, self._parts)

    def call(self, wanted: Session) -> Call:
        """A session over WebRTC."""
        detector = self._open_vad()
        engine = CallEngine(wanted["model"], wanted=wanted, **self._settings(detector))
        return Call(engine, Connection(engine, detector, self._parts), self._ice_servers)

    def _settings(self, detector: connection.Vad) -> dict[str, Any]:
        notes = (self._parts.ears.degraded, self._parts.voice.degraded, detector.degraded)
        return {
            "unix_time": int(time.time()),
            "notes": [note for note in notes if note],
            "rules": isinstance(self._parts.thinker, Rules),
            "hop_ms": detector.hop_ms,
            "session_seconds": self._session_seconds,
            "new_id": lambda prefix: f"{prefix}_{uuid4().hex[:24]}",
        }


@asynccontextmanager
async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    key: str = "",
    chat_model: ChatModel | None = None,
    look: Look | None = None,
    tell: Tell | None = None,
    session_seconds: float = 3600,
    pace: float = PACE,
    ice_servers: Sequence[Mapping[str, Any]] = (),
    ears: connection.Ears | None = None,
    voice: connection.Voice | None = None,
    open_vad: Callable[[], connection.Vad] = vad.open_vad,
) -> AsyncIterator[PracticeServer]:
    """A practice server as long as the context lasts; `OSError` if the port is taken.

    `port` 0 lets the system choose. With a `key`, clients must show it. `pace` is how many times
    faster than real time speech is sent; `ice_servers` help calls to find a way; `look` may find
    a chat model, while the parts start or when a session begins, and `tell` is told so. The parts
    are the real ones unless given.
    """
    ears, voice = ears or Ears(), voice or Voice()
    async with AsyncExitStack() as stack:
        minds = await stack.enter_async_context(AsyncExitStack())
        stack.push_async_callback(ears.close)
        stack.push_async_callback(voice.close)
        parts = Parts(ears, voice, Rules(guided=True), pace)
        practice = PracticeServer(parts, open_vad, session_seconds, ice_servers, look, tell, minds)
        if chat_model is not None:
            await practice.think_with(chat_model)
        calls = Calls()
        app = application(practice, calls, key)
        address = await stack.enter_async_context(listening(app, host, port))
        stack.push_async_callback(calls.close)
        practice.listens(address)
        await asyncio.gather(practice.look(), ears.start(), voice.start())
        yield practice


def _client(chat_model: ChatModel) -> httpx.AsyncClient:
    # A proxy of the environment knows nothing of an endpoint on this machine.
    return httpx.AsyncClient(trust_env=not chat_model.is_here)


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs us, and does not look for its end ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which sets the date that answers carry
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1.0)


@asynccontextmanager
async def listening(app: Any, host: str, port: int) -> AsyncIterator[tuple[Any, ...]]:
    """Serve an application; gives the address. Binds by itself, as uvicorn exits where it fails."""
    loop = asyncio.get_running_loop()
    bound = await loop.create_server(asyncio.Protocol, host, port, start_serving=False)
    sockets = [socket.dup() for socket in bound.sockets]
    bound.close()
    config = uvicorn.Config(
        app,
        ws=AbortableProtocol,
        ws_max_size=MAX_MESSAGE_BYTES,
        # Base64 audio does not compress.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_LIMIT_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets))
    try:
        yield sockets[0].getsockname()
    finally:
        server.end()
        await serving
