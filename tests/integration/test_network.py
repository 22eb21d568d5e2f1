"""Calls over a bad network: what heals, what the caller comes back to, and what ends."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.network import Network
from tests.peer import Peer, caller
from tests.running import practice_server, running_app
from tests.speech import speech
from tests.tcp_proxy import TcpProxy, tcp_proxy

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

MOST_CALLS = 3
GONE_S = 5
"""A browser that sends nothing for so long is taken for gone."""
REJOIN_S = 20
"""A call waits so long for its browser."""
SLACK_S = 10
"""For a busy machine; aioice alone would notice only after 30 s."""


@dataclass
class House:
    """The app, and what lies between it and its Realtime server."""

    url: str
    upstream: TcpProxy

    @contextmanager
    def one_session_more(self) -> Iterator[None]:
        """What happens inside opens one connection to the Realtime server, and no second."""
        before = self.upstream.opened
        yield
        assert self.upstream.opened == before + 1


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    with practice_server() as server:
        async with tcp_proxy(server) as upstream:
            settings: dict[str, Any] = {
                "REALTIME_BASE_URL": upstream.url,
                "MAX_STARTS_PER_MINUTE": "1000",
            }
            with running_app(folder, MAX_CALLS=str(MOST_CALLS), **settings) as url:
                yield House(url, upstream)


async def connected(peer):
    await peer.sees(type="state", connection="connected")


async def counting(peer):
    """Bring the assistant to talk for longer than any of these tests lasts."""
    await connected(peer)
    peer.send(type="say", text="count to thirty")
    await peer.hears(500)


def connections_seen(peer):
    return {message["connection"] for message in peer.messages if message["type"] == "state"}


async def test_call_survives_a_cut_of_three_seconds(house):
    with house.one_session_more():
        async with caller(house.url) as peer:
            await counting(peer)
            before = await peer.transcript(house.url)
            peer.network.cut(3)
            await peer.hears(1500)  # what is there to hear comes after the cut, or little of it

            peer.forget()
            peer.microphone.say(speech("what time is it"))
            await peer.sees(type="state", assistant="thinking")
            await peer.hears(1000)
            assert (await peer.transcript(house.url))[0] == before[0]
            assert peer.connection_state == "connected"
            assert connections_seen(peer) == {"connected"}


@pytest.mark.parametrize("after_s", [0, GONE_S + 3], ids=["at once", "when it was missed"])
async def test_caller_comes_back_to_the_same_call_and_the_reply_goes_on(house, after_s):
    with house.one_session_more():
        async with caller(house.url) as peer:
            await counting(peer)
            before = await peer.transcript(house.url)
            await peer.vanish()
            await asyncio.sleep(after_s)
            peer.forget()
            peer.network = Network()
            await peer.rejoin(house.url)

            await peer.hears(1000)
            assert (await peer.transcript(house.url))[0] == before[0]
            peer.microphone.say(speech("what time is it"))
            await peer.sees(type="state", user="speaking")
            await peer.sees(type="state", assistant="thinking")
            await peer.hears(1000)
            assert connections_seen(peer) == {"connected"}


async def test_stranger_cannot_take_a_waiting_call(house):
    with house.one_session_more():
        async with caller(house.url) as peer:
            await counting(peer)
            await peer.vanish()
            stranger = Peer()
            with pytest.raises(ConnectionError, match="call_over"):
                await stranger.rejoin(house.url)
            await stranger.close()

            assert await stranger.transcript(house.url) == []
            peer.network = Network()
            await peer.rejoin(house.url)
            await peer.hears(500)


async def vanishes(peer):
    await peer.vanish()


async def closes(peer):
    """As a browser does whose tab is closed or whose page is loaded again."""
    await peer.close()


async def closes_its_channel(peer):
    peer.close_channel()


@pytest.mark.timeout(120)
async def test_call_without_its_browser_ends_and_gives_its_place_back(house):
    goings = [vanishes, closes, closes_its_channel]
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(caller(house.url)) for _ in goings]
        for peer in peers:
            await counting(peer)
        for go, peer in zip(goings, peers, strict=True):
            await go(peer)
        with pytest.raises(ConnectionError, match="concurrency_limit_reached"):
            async with caller(house.url):
                pass

        await house.upstream.until(lambda: house.upstream.open == 0, GONE_S + REJOIN_S + SLACK_S)
        for _ in goings:
            await connected(await stack.enter_async_context(caller(house.url)))


@pytest.mark.timeout(120)
async def test_caller_who_comes_back_too_late_is_told_so_and_may_start_again(house):
    async with caller(house.url) as peer:
        await counting(peer)
        await peer.vanish()
        await house.upstream.until(lambda: house.upstream.open == 0, GONE_S + REJOIN_S + SLACK_S)
        peer.network = Network()
        with pytest.raises(ConnectionError, match="call_over"):
            await peer.rejoin(house.url)

        peer.forget()
        await peer.close()
        await peer.join(house.url)
        await connected(peer)
        assert "count to thirty" in (await peer.transcript(house.url))[0]
