"""What replicas share: the same of a process's memory and of a real Redis server."""

import asyncio

import pytest

from components.replicas.redis_store import RedisStore
from components.replicas.store import MemoryStore, Taken
from tests.services import redis_server

SOON_S = 0.05
LONG_S = 60.0


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.integration)])
async def store(request):
    """One that knows nothing yet."""
    if request.param == "memory":
        yield MemoryStore(shared=True)
        return
    server = request.getfixturevalue("redis")
    store = RedisStore(f"redis://127.0.0.1:{server.port}")
    await store._redis.flushall()
    yield store
    await store.close()


async def take(store, place, most=2, most_of_one=2, **others):
    return await store.take(place, most, most_of_one, LONG_S, **others)


async def test_there_are_so_many_places_and_one_that_is_free_can_be_taken(store):
    assert await take(store, "ann 1") is Taken.YES
    assert await take(store, "bob 1") is Taken.YES
    assert await take(store, "eve 1") is Taken.ALL_TAKEN

    await store.free("bob 1")
    assert await take(store, "eve 1") is Taken.YES


async def test_a_place_that_is_taken_again_counts_once(store):
    assert await take(store, "ann 1") is Taken.YES
    assert await take(store, "ann 1") is Taken.YES
    assert await take(store, "bob 1") is Taken.YES


async def test_a_visitor_has_no_more_than_his_share(store):
    assert await take(store, "ann 1", most=3, most_of_one=1) is Taken.YES
    assert await take(store, "ann 2", most=3, most_of_one=1) is Taken.SHARE_TAKEN
    assert await take(store, "anna 1", most=3, most_of_one=1) is Taken.YES


async def test_a_place_can_be_taken_instead_of_another(store):
    await take(store, "ann 1")
    await take(store, "bob 1")

    assert await take(store, "ann 2", instead_of="ann 1") is Taken.YES
    assert await take(store, "ann 1") is Taken.ALL_TAKEN


async def test_a_place_of_which_nobody_says_anything_any_more_is_free(store):
    await store.take("ann 1", 1, 1, 1.0)
    await store.hold(["ann 1"], LONG_S)
    assert await take(store, "bob 1", most=1) is Taken.ALL_TAKEN

    await store.hold(["ann 1"], -1.0)
    assert await take(store, "bob 1", most=1) is Taken.YES


async def test_a_place_that_the_store_has_lost_is_there_again_when_it_is_held(store):
    await store.hold(["ann 1"], LONG_S)

    assert await take(store, "bob 1", most=1) is Taken.ALL_TAKEN


async def test_many_who_take_at_a_time_get_no_more_places_than_there_are(store):
    taken = await asyncio.gather(*(take(store, f"ann {n}", 5, 5) for n in range(20)))

    assert taken.count(Taken.YES) == 5


async def test_a_value_is_its_owners_until_another_claims_it(store):
    assert await store.put("call", "one", b"\xff first", LONG_S)
    assert await store.read("call") == b"\xff first"

    assert await store.claim("call", "two", LONG_S) == b"\xff first"
    assert not await store.put("call", "one", b"late", LONG_S)
    assert await store.put("call", "two", b"second", LONG_S)
    assert await store.read("call") == b"second"


async def test_there_is_nothing_to_claim_where_nothing_was_put(store):
    assert await store.claim("call", "one", LONG_S) == b""
    assert await store.read("call") == b""
    assert await store.put("call", "two", b"first", LONG_S)


async def test_what_is_dropped_is_gone_with_its_owner(store):
    await store.put("call", "one", b"words", LONG_S)
    await store.drop("call")

    assert await store.read("call") == b""
    assert await store.put("call", "two", b"words", LONG_S)


async def test_a_value_is_forgotten_in_time(store):
    await store.put("call", "one", b"words", SOON_S)
    async with asyncio.timeout(5):
        while await store.read("call"):  # noqa: ASYNC110  # only time changes it
            await asyncio.sleep(0.02)


async def test_a_sum_grows_and_is_forgotten_so_long_after_its_first_amount(store):
    assert await store.add("cost", 0.0, LONG_S) == 0.0
    assert await store.add("cost", 0.25, 0.2) == pytest.approx(0.25)
    assert await store.add("cost", 0.5, LONG_S) == pytest.approx(0.75)
    assert await store.add("cost", 0.0, LONG_S) == pytest.approx(0.75)
    async with asyncio.timeout(5):
        while await store.add("cost", 0.0, LONG_S):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
