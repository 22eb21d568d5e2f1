"""One count of places for all replicas, and what a dead one leaves."""

import asyncio
import time

import pytest

from components.core.places import NoPlaceError, Places
from components.replicas import places as module
from components.replicas.places import SharedPlaces
from components.replicas.store import MemoryStore, StoreLostError, Taken

ANN, BOB = "192.0.2.1", "192.0.2.2"


class Lost(MemoryStore):
    async def take(self, *place, **others):
        raise StoreLostError

    async def hold(self, places, seconds):
        raise StoreLostError

    async def free(self, place):
        raise StoreLostError


class Replica:
    """One that has two places, one for each visitor."""

    def __init__(self, store, process, most=2, most_of_one=1):
        self.places = Places(most, most_of_one)
        self.shared = SharedPlaces(self.places, store, process)

    async def take(self, visitor, until=None):
        now = time.monotonic()
        place = self.places.take(visitor, now, *([now + until] if until else []))
        await self.shared.confirm(place)
        return place

    async def rests(self):
        """Until it has no place of which to speak."""
        assert self.shared._beating
        await asyncio.wait_for(self.shared._beating, 5)

    async def free(self, place):
        self.places.give_back(place)
        await asyncio.gather(*self.shared._freeing)


@pytest.fixture
def store():
    return MemoryStore(shared=True)


async def test_replicas_have_no_more_places_together_than_one_alone(store):
    one, two = Replica(store, "one"), Replica(store, "two")
    place = await one.take(ANN)
    with pytest.raises(NoPlaceError, match="1 call runs from here already"):
        await two.take(ANN)
    await two.take(BOB)
    with pytest.raises(NoPlaceError, match="All 2 calls"):
        await two.take("192.0.2.3")

    await one.free(place)
    await two.take(ANN)


async def test_a_place_that_is_refused_by_all_is_free_here_again(store):
    one, two = Replica(store, "one"), Replica(store, "two")
    await one.take(ANN)
    with pytest.raises(NoPlaceError):
        await two.take(ANN)

    assert two.places.followed == 0


async def test_a_call_that_goes_on_at_another_replica_needs_no_second_place(store):
    one, two = Replica(store, "one", 1), Replica(store, "two", 1)
    before = one.shared.name(await one.take(ANN))
    place = two.places.take(ANN, time.monotonic())
    await two.shared.confirm(place, instead_of=before)

    assert two.shared.name(place).startswith(f"{ANN} two-")


async def test_a_process_says_that_its_places_are_taken_until_it_has_none(store, monkeypatch):
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    one = Replica(store, "one")
    place = await one.take(ANN)
    store._places.clear()  # as of a server that was started anew
    async with asyncio.timeout(5):
        while not store._places:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    await one.free(place)
    await one.rests()
    assert not store._places


async def test_a_token_holds_its_place_for_as_long_as_it_is_good_and_no_longer(store, monkeypatch):
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    one, two = Replica(store, "one", 1), Replica(store, "two", 1)
    await one.take(ANN, until=0.1)
    with pytest.raises(NoPlaceError):
        await two.take(ANN)
    await one.rests()

    await two.take(ANN)


async def test_while_the_store_is_lost_each_replica_counts_its_own(monkeypatch):
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    lost = Lost(shared=True)
    one, two = Replica(lost, "one", 1), Replica(lost, "two", 1)
    place = await one.take(ANN)
    await two.take(ANN)
    with pytest.raises(NoPlaceError):
        await one.take(BOB)

    await one.free(place)
    await one.take(BOB)


async def test_a_single_process_asks_nobody():
    store = MemoryStore()
    one = Replica(store, "one")
    place = await one.take(ANN)

    assert one.shared.name(place) == ""
    assert await store.take("x 1", 1, 1, 1.0) is Taken.YES
