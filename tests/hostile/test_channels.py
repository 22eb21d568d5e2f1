"""Pages that use their data channel against the app: what it keeps of them, and what it costs."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiortc.exceptions import InvalidStateError

from tests.attacks import Attacker
from tests.peer import Peer, caller
from tests.running import App, forked_app

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

MEGABYTE = 1024 * 1024
FEW_BYTES = 20 * MEGABYTE
LIMIT_S = 15


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    with forked_app(folder, MAX_CALLS="40", MAX_STARTS_PER_MINUTE="100") as app:
        yield app
        assert "Traceback" not in log_of(app)
        assert len(log_of(app)) < MEGABYTE


def log_of(app: App) -> str:
    return app.log.read_text(errors="replace")


def memory_of(app: App) -> int:
    pages = Path(f"/proc/{app.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def cpu_of(app: App) -> float:
    """Seconds of a core that the app has used."""
    words = Path(f"/proc/{app.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


async def connected(peer: Peer) -> None:
    await peer.sees(type="state", connection="connected")


async def works(app: App) -> None:
    """Another visitor is answered aloud."""
    async with caller(app.url) as peer:
        await connected(peer)
        peer.send(type="say", text="what is 3 plus 4?")
        await peer.hears(300)


async def hung_up(app: App, before: int) -> None:
    """The app has ended a connection; its goodbye may be lost in the attacker's own flood."""
    async with asyncio.timeout(LIMIT_S):
        while log_of(app).count("hung up") == before:  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.05)


async def test_a_second_channel_makes_the_app_keep_nothing(app: App) -> None:
    """Everything that is said over it would come back, and nothing that comes is acknowledged."""
    async with caller(app.url) as peer:
        await connected(peer)
        assert peer._pc is not None
        attacker = Attacker(peer._pc)
        second = peer._pc.createDataChannel("second")
        await asyncio.sleep(0.5)
        before = memory_of(app)
        attacker.acknowledge_nothing()
        with suppress(InvalidStateError, ValueError, ConnectionError):
            for _ in range(3000):
                second.send("x" * 10_000)
                await asyncio.sleep(0.002)
        grown = memory_of(app) - before

    assert grown < FEW_BYTES
    await works(app)


async def test_a_page_that_acknowledges_nothing_is_let_go(app: App) -> None:
    async with caller(app.url) as peer:
        await connected(peer)
        assert peer._pc is not None
        Attacker(peer._pc).acknowledge_nothing()
        begun = time.monotonic()
        async with asyncio.timeout(45):
            while peer.connection_state == "connected":  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    assert time.monotonic() - begun < 40


Attack = Callable[[Attacker], Awaitable[None]]
ATTACKS: dict[str, Attack] = {
    "an endless message": lambda attacker: attacker.endless_message(30_000, 1100, pause=20),
    "an endless message of crumbs": lambda attacker: attacker.endless_message(30_000, 1, pause=20),
    "holes": lambda attacker: attacker.holes(20_000),
    "gaps": lambda attacker: attacker.gaps(),
    "small messages": lambda attacker: attacker.messages(50_000),
    "heartbeats": lambda attacker: attacker.heartbeats(50_000),
    "streams": lambda attacker: attacker.many_streams(1000),
    "no text": lambda attacker: attacker.no_text(),
    "a channel twice": lambda attacker: attacker.channel_again(),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_what_no_page_sends_costs_its_sender_the_connection(app: App, name: str) -> None:
    async with caller(app.url) as peer:
        await connected(peer)
        assert peer._pc is not None
        ends = log_of(app).count("hung up")
        before, spent = memory_of(app), cpu_of(app)
        attacking = asyncio.ensure_future(ATTACKS[name](Attacker(peer._pc)))
        try:
            await hung_up(app, ends)
        finally:
            attacking.cancel()
        spent = cpu_of(app) - spent

    assert memory_of(app) - before < FEW_BYTES
    assert spent < 3
    await works(app)
