"""No more files can be opened: the limit of a process, which sockets count towards, is reached."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.caller import calling
from tests.peer import caller
from tests.running import App, forked_app

if sys.platform != "win32":
    import resource

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit"),
]


MOST_LOG_BYTES = 100_000
VISITORS = 50
WAIT_S = 3


@contextmanager
def no_file_left() -> Iterator[None]:
    """What is open stays so, and nothing more can be opened here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_call_that_gets_no_socket_says_that_it_is_this_server():
    with no_file_left():
        async with calling("ws://127.0.0.1:9/v1") as caller:
            state = await caller.state(connection="failed")

    assert state["notice"].startswith("This server has no room for another connection")


@contextmanager
def no_file_left_to(app: App) -> Iterator[None]:
    """The same for an app."""
    process = app.pid
    before = resource.prlimit(process, resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path(f"/proc/{process}/fd").iterdir())
    resource.prlimit(process, resource.RLIMIT_NOFILE, (highest + 1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_NOFILE, before)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit and /proc")
async def test_calls_go_on_and_visitors_come_again_when_an_app_had_no_file_left(tmp_path):
    with forked_app(tmp_path) as app:
        async with caller(app.url) as peer:
            await peer.sees(type="state", connection="connected")
            async with visitors() as many:
                with no_file_left_to(app):
                    knocking = [asyncio.create_task(knock(many, app.url)) for _ in range(VISITORS)]
                    peer.send(type="say", text="count to thirty")
                    await peer.hears(2000)
                    await asyncio.gather(*knocking)

            peer.send(type="say", text="what is 3 plus 4?")
            await peer.hears(300)
            assert await peer.is_now("connected") == "connected"
            async with caller(app.url) as other:
                await other.sees(type="state", connection="connected")
        assert 0 < app.log.stat().st_size < MOST_LOG_BYTES


def visitors() -> httpx.AsyncClient:
    """Each request goes over a connection of its own."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(trust_env=False, timeout=WAIT_S, limits=limits)


async def knock(visitors: httpx.AsyncClient, url: str) -> None:
    """Ask for the page, whether it comes or not."""
    with suppress(httpx.TransportError):
        await visitors.get(url)
