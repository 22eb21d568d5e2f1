"""Two replicas behind a real nginx, with a real Redis: calls spread, limits hold for both together,
and a call goes on when its replica dies."""

import asyncio
import time

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from components.replicas.redis_store import PLACES
from tests.peer import Peer
from tests.replicated import replicated

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(90),
]

MOST_CALLS = 4
MOST_STARTS = 5
MOST_DOLLARS = 0.02
"""Three or four short answers."""
REJOIN_S = 5.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory):
    with replicated(
        tmp_path_factory.mktemp("house"),
        MAX_CALLS=str(MOST_CALLS),
        MAX_CALLS_PER_VISITOR=str(MOST_CALLS),
        MAX_STARTS_PER_MINUTE=str(MOST_STARTS),
        MAX_VISITOR_COST=str(MOST_DOLLARS),
        REALTIME_MODEL="gpt-realtime-2.1",  # whose price is known, whatever answers
    ) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def visitors():
    """Peers who hang up at the end, each time from an address that nobody had before."""
    peers = []

    def come(address):
        peers.append(Peer(address=address))
        return peers[-1]

    yield come
    await asyncio.gather(*(peer.hang_up() for peer in peers))


async def connected(peer, url):
    await peer.join(url)
    await peer.sees(type="state", connection="connected")
    return peer


async def answers(peer, line="hello"):
    """The call lives: what is typed is answered."""
    peer.send(type="say", text=line)
    await peer.hears(500)


async def ended(peer):
    """The newest state of the call, when an answer that was under way is over."""
    await peer.sees(type="state", assistant="idle", since=len(peer.messages))
    states = [each for each in peer.messages if each["type"] == "state"]
    return states[-1]["connection"]


async def all_have_left(house):
    async with asyncio.timeout(15):
        while any(replica.calls for replica in house.replicas):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_calls_spread_and_are_whole_and_both_replicas_have_no_more_of_them_than_one(
    house, visitors
):
    peers = [await connected(visitors(f"127.0.0.2{n}"), house.url) for n in range(MOST_CALLS)]
    assert [replica.calls for replica in house.replicas] == [2, 2]
    for url in (house.url, *(replica.url for replica in house.replicas)):
        with pytest.raises(ConnectionError, match="All 4 calls"):
            await visitors("127.0.0.3").join(url)

    await asyncio.gather(*(answers(peer, f"my name is number {n}") for n, peer in enumerate(peers)))
    for number, peer in enumerate(peers):
        said = await peer.transcript(house.url)
        assert said[0] == f"my name is number {number}"
        assert len(said) > 1
    await peers[0].hang_up()
    await connected(visitors("127.0.0.3"), house.url)


async def test_starts_of_a_visitor_count_for_both_replicas_together(house, visitors):
    await all_have_left(house)
    for number in range(MOST_STARTS):
        peer = await connected(visitors("127.0.0.4"), house.replicas[number % 2].url)
        await peer.hang_up()
    for url in (house.url, *(replica.url for replica in house.replicas)):
        with pytest.raises(ConnectionError, match="too_many_starts"):
            await visitors("127.0.0.4").join(url)


async def test_what_a_visitor_costs_counts_for_both_replicas_together(house, visitors):
    await all_have_left(house)
    address = "127.0.0.8"
    peers = [await connected(visitors(address), replica.url) for replica in house.replicas]
    for _ in range(4):
        await asyncio.gather(*(answers(peer) for peer in peers))
        if "ended" in await asyncio.gather(*(ended(peer) for peer in peers)):
            break
    for peer in peers:
        state = await peer.sees(type="state", connection="ended")
        assert state["notice"].startswith("Calls from here have cost $0.02 within a day")
        assert state["cost"] < MOST_DOLLARS
    for url in (house.url, *(replica.url for replica in house.replicas)):
        with pytest.raises(ConnectionError, match="within a day"):
            await visitors(address).join(url)
    await connected(visitors("127.0.0.9"), house.url)


async def test_a_call_whose_replica_dies_goes_on_at_the_other_with_its_words(house, visitors):
    await all_have_left(house)
    peer = await connected(visitors("127.0.0.5"), house.url)
    await answers(peer, "my name is Ada")
    await peer.sees(type="state", assistant="idle", since=len(peer.messages))
    before = await peer.transcript(house.url)
    await asyncio.sleep(1.2)  # what was said in the last second may be lost
    dying, other = house.of(busy=True), house.of(busy=False)
    dying.kill()
    killed_at = time.monotonic()
    peer.forget()
    await peer.rejoin(house.url)
    await peer.sees(type="state", connection="connected")
    took_s = time.monotonic() - killed_at

    assert took_s < REJOIN_S
    assert other.calls == 1
    await answers(peer)
    assert (await peer.transcript(house.url))[: len(before)] == before
    dying.begin()
    await answers(peer)
    assert len(await peer.transcript(house.url)) > len(before)


async def test_calls_go_on_without_redis_and_new_ones_begin(house, visitors):
    await all_have_left(house)
    peer = await connected(visitors("127.0.0.6"), house.url)
    house.redis.kill()
    await answers(peer)
    await answers(await connected(visitors("127.0.0.6"), house.url))
    house.redis.begin()
    await answers(peer)

    async with Redis.from_url(f"redis://127.0.0.1:{house.redis.port}") as redis:
        async with asyncio.timeout(15):
            while await redis.zcard(PLACES) < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_calls_go_on_without_nginx(house, visitors):
    await all_have_left(house)
    peer = await connected(visitors("127.0.0.7"), house.url)
    house.nginx.kill()
    await answers(peer)
    with pytest.raises(httpx.ConnectError):
        await peer.transcript(house.url)
    house.nginx.begin()
    await answers(peer)
    assert await peer.transcript(house.url)


async def test_figures_are_for_nobody_who_comes_by_nginx(house):
    async with httpx.AsyncClient(trust_env=False) as visitor:
        assert (await visitor.get(f"{house.url}/metrics")).status_code == 404
        assert (await visitor.get(f"{house.url}/healthz")).text == "ok\n"
