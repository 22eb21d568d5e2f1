"""A server that drops a watched call's sideband, refuses the next one, or does not hang up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from components.core.places import NoPlaceError, Places
from components.direct import watched as module
from components.direct.minting import Minting
from components.direct.sideband import Sidebands
from components.direct.watched import UNSEEN, UNWATCHED, Watched
from components.practice.server.server import listening
from components.protocol.options import Refused
from components.settings import Settings

VISITOR = "192.0.2.1"
PATIENCE_S = 10


class Provider:
    """Takes every call; what becomes of its sideband and of a hang-up, a test says."""

    def __init__(self) -> None:
        self.base_url = ""
        self.sideband_status = 0
        """With which sidebands are refused from now on."""
        self.hang_up_statuses: list[int] = []
        """Of the next requests; 200 after the last."""
        self.hung_up: list[str] = []
        self.news = asyncio.Condition()
        self.sockets: list[WebSocket] = []
        self.app = Starlette(
            routes=[
                Route("/v1/realtime/calls", self._call, methods=["POST"]),
                Route("/v1/realtime/calls/{name}/hangup", self._hang_up, methods=["POST"]),
                WebSocketRoute("/v1/realtime", self._sideband),
            ]
        )
        self._calls = 0

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(PATIENCE_S), self.news:
            await self.news.wait_for(condition)

    async def drops_the_sideband(self, status: int) -> None:
        """The newest one, and refuses those that follow."""
        self.sideband_status = status
        await self.sockets[-1].close()

    async def _call(self, _: Request) -> Response:
        self._calls += 1
        location = {"Location": f"/v1/realtime/calls/rtc_{self._calls}"}
        return Response("v=0\r\n", 201, location)

    async def _hang_up(self, request: Request) -> Response:
        async with self.news:
            self.hung_up.append(request.path_params["name"])
            self.news.notify_all()
        return Response(status_code=self.hang_up_statuses.pop(0) if self.hang_up_statuses else 200)

    async def _sideband(self, socket: WebSocket) -> None:
        if self.sideband_status:
            await socket.send_denial_response(Response(status_code=self.sideband_status))
            return
        await socket.accept()
        await socket.send_text(orjson.dumps({"type": "session.created", "session": {}}).decode())
        async with self.news:
            self.sockets.append(socket)
            self.news.notify_all()
        with suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()


class House:
    """An app with one place, and the server behind it."""

    def __init__(self, provider: Provider, settings: Settings) -> None:
        self.provider = provider
        self.minting = Minting(settings, Refused())
        self.places = Places(1, 1)
        self.sidebands = Sidebands(settings, self.places)

    async def call(self, before: Watched | None = None) -> Watched:
        """A call that is watched."""
        known = len(self.provider.sockets)
        _, name = await self.sidebands.answer(self.minting, "v=0", VISITOR, before)
        await self.provider.until(lambda: len(self.provider.sockets) > known)
        watched = self.sidebands.get(name)
        assert watched is not None
        return watched

    def is_full(self) -> bool:
        try:
            self.places.give_back(self.places.take(VISITOR, 0.0))
        except NoPlaceError:
            return True
        return False


@asynccontextmanager
async def house(**fields: Any) -> AsyncIterator[House]:
    provider = Provider()
    async with listening(provider.app, "127.0.0.1", 0) as (host, port):
        base_url = f"http://{host}:{port}/v1"
        opened = House(provider, Settings(practice=False, base_url=base_url, **fields))
        try:
            yield opened
        finally:
            provider.hang_up_statuses.clear()
            for watched in opened.sidebands._watched.values():
                watched.end("The test is over.")
            await asyncio.gather(*(w.gone.wait() for w in opened.sidebands._watched.values()))
            for task in opened.sidebands._tasks:
                task.cancel()
            await asyncio.gather(*opened.sidebands._tasks, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HANG_UP_PAUSES_S", (0.0, 0.01, 0.01))
    monkeypatch.setattr(module, "LATER_PAUSE_S", 0.01)


async def gone(watched: Watched) -> None:
    await asyncio.wait_for(watched.gone.wait(), PATIENCE_S)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({}, UNWATCHED), ({"max_call_seconds": 600}, UNWATCHED), ({"max_call_cost": 1.0}, UNSEEN)],
)
async def test_a_call_that_may_not_be_watched_any_more_is_hung_up(
    fields: dict[str, Any], reason: str
) -> None:
    async with house(**fields) as app:
        watched = await app.call()
        await app.provider.drops_the_sideband(401)
        await gone(watched)

        assert app.provider.hung_up == ["rtc_1"]
        assert watched.reason == reason
        await asyncio.sleep(0)
        assert not app.is_full()


async def test_a_call_that_has_ended_by_itself_has_no_reason_and_needs_no_hanging_up() -> None:
    async with house() as app:
        watched = await app.call()
        await app.provider.drops_the_sideband(404)
        await gone(watched)

        assert (watched.reason, app.provider.hung_up) == ("", [])


async def test_a_refusal_of_a_call_that_is_gone_is_its_end() -> None:
    async with house() as app:
        app.provider.hang_up_statuses = [404]
        watched = await app.call()
        await app.provider.drops_the_sideband(403)
        await gone(watched)

        assert (watched.reason, app.provider.hung_up) == ("", ["rtc_1"])


async def test_a_place_is_kept_until_the_server_has_hung_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with house() as app:
        app.provider.hang_up_statuses = [401, 500, 503, 400, 429, 500]
        watched = await app.call()
        await app.provider.drops_the_sideband(401)
        while len(app.provider.hung_up) < 6:
            await app.provider.until(lambda: True)
            assert app.is_full()
            await asyncio.sleep(0.001)
        await gone(watched)

        assert len(app.provider.hung_up) == 7
    assert caplog.text.count("does not hang a call up") == 1


async def test_a_call_that_is_never_hung_up_keeps_its_place_for_as_long_as_calls_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LONGEST_CALL_S", 0.3)
    async with house() as app:
        app.provider.hang_up_statuses = [500] * 10_000
        watched = await app.call()
        begun = asyncio.get_running_loop().time()
        await app.provider.drops_the_sideband(401)
        await gone(watched)

        assert asyncio.get_running_loop().time() - begun > 0.2
        assert len(app.provider.hung_up) > 3


async def test_a_browser_that_comes_back_takes_no_second_place() -> None:
    async with house() as app:
        watched = await app.call()
        await app.call(before=watched)

        assert app.provider.hung_up == ["rtc_1"]
        assert watched.over
        assert watched.reason == ""  # it may come back again
        assert app.is_full()


async def test_a_server_that_keeps_the_former_call_keeps_its_place_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LEAVE_LIMIT_S", 0.1)
    async with house() as app:
        app.provider.hang_up_statuses = [500] * 10_000
        watched = await app.call()
        with pytest.raises(NoPlaceError):
            await app.call(before=watched)


async def test_the_end_of_the_app_hangs_up_what_the_server_refused_to_before() -> None:
    async with house() as app:
        app.provider.hang_up_statuses = [500] * 5
        watched = await app.call()
        watched.end("Its time is up.")
        await app.provider.until(lambda: len(app.provider.hung_up) >= 1)
        await asyncio.to_thread(app.sidebands.say_goodbye, PATIENCE_S)

        assert app.provider.hung_up[-1] == "rtc_1"
        assert app.provider.hang_up_statuses == []


async def test_calls_are_hung_up_even_when_the_app_s_event_loop_has_broken_down() -> None:
    async with house() as app:
        await app.call()
        stopped = asyncio.new_event_loop()
        app.sidebands._loop = stopped
        await asyncio.to_thread(app.sidebands.say_goodbye, PATIENCE_S)
        stopped.close()

        assert app.provider.hung_up == ["rtc_1"]
