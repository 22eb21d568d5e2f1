"""A proxy that holds back what passes: before the page, and before the Realtime server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.caller import calling
from tests.peer import Peer, caller
from tests.running import free_port, practice_server, running_app
from tests.tcp_proxy import tcp_proxy

pytestmark = pytest.mark.integration

API = "/gradio_api"
HELD_S = 1.0
FRAME_S = 0.02
PASSED_ON = ("content-type", "x-accel-buffering")


@asynccontextmanager
async def buffering_proxy(url: str, *, obedient: bool) -> AsyncIterator[str]:
    """Sends an answer on when it has all of it; if obedient, as nginx is, not one that forbids it.

    Yields the address that leads through it.
    """
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=None) as app:

        async def pass_on(request: Request) -> Response:
            headers = {
                name: value
                for name, value in request.headers.items()
                if name in ("content-type", "host")
            }
            question = app.build_request(
                request.method,
                httpx.URL(request.url.path, query=request.url.query.encode()),
                headers=headers,
                content=await request.body(),
            )
            answer = await app.send(question, stream=True)
            told = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
            if obedient and answer.headers.get("x-accel-buffering") == "no":
                return StreamingResponse(answer.aiter_raw(), answer.status_code, told)
            body = await answer.aread()
            return Response(body, answer.status_code, told)

        routes = [Route("/{path:path}", pass_on, methods=["GET", "POST"])]
        port = free_port()
        config = uvicorn.Config(Starlette(routes=routes), port=port, log_level="critical")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([config.bind_socket()]))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = server.force_exit = True
            await serving


async def followed(url: str, peer: Peer, until: str) -> str:
    """What the page of a call is told of its transcript, up to a word."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=None) as page:
        config = (await page.get("/config")).json()
        [event] = [
            each["id"]
            for each in config["dependencies"]
            if "state_change" in [name for _, name in each["targets"]]
        ]
        question: dict[str, Any] = {
            "fn_index": event,
            "data": [{"textbox": "", "webrtc_id": peer.webrtc_id}],
            "session_hash": peer.session_hash,
            "trigger_id": None,
            "event_data": None,
        }
        (await page.post(f"{API}/queue/join", json=question)).raise_for_status()
        heard = ""
        where = {"session_hash": peer.session_hash}
        async with page.stream("GET", f"{API}/queue/data", params=where) as stream:
            async for piece in stream.aiter_text():
                heard += piece
                if until in heard:
                    break
        return heard


async def talks(peer: Peer) -> None:
    await peer.sees(type="state", connection="connected")
    peer.send(type="say", text="what is 3 plus 4?")
    await peer.hears(300)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("app")) as url:
        yield url


async def test_proxy_is_told_to_pass_the_words_on_at_once(app):
    async with buffering_proxy(app, obedient=True) as url, caller(url) as peer:
        await talks(peer)
        async with asyncio.timeout(10):
            assert "3 plus 4" in await followed(url, peer, "3 plus 4")


async def test_proxy_that_holds_everything_back_keeps_only_the_words(app):
    """They are there as soon as the page is loaded again, or the call has ended."""
    async with buffering_proxy(app, obedient=False) as url:
        async with caller(url) as peer:
            await talks(peer)
            following = asyncio.create_task(followed(url, peer, "3 plus 4"))
            await talks(peer)
            assert any("3 plus 4" in line for line in await peer.transcript(url))
            assert not following.done()
        async with asyncio.timeout(10):
            assert "3 plus 4" in await following


async def test_sound_that_comes_in_bursts_is_played_without_a_gap():
    with practice_server() as server:
        async with tcp_proxy(server, hold_s=HELD_S) as proxy, calling(proxy.url) as caller:
            await caller.state(connection="connected")
            sound = recorded(caller)
            caller.say("count to five")
            await caller.state(assistant="speaking")
            await caller.state(assistant="idle")

    heard = [pcm is not None for pcm in sound]
    reply = heard[heard.index(True) : len(heard) - heard[::-1].index(True)]
    assert len(reply) * FRAME_S > 2 * HELD_S
    assert all(reply)
    assert caller.notices == []


def recorded(caller: Any) -> list[bytes | None]:
    """Whatever is played from now on, frame by frame; None for silence."""
    sound: list[bytes | None] = []
    play = caller.call.sound

    def played(now: float) -> bytes | None:
        sound.append(play(now))
        return sound[-1]

    caller.call.sound = played
    return sound
