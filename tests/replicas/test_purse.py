"""What a visitor may cost in a day, over all replicas."""

from math import inf

import pytest

from components.replicas.purse import Purse
from components.replicas.store import MemoryStore, StoreLostError


class Lost(MemoryStore):
    async def add(self, name, amount, seconds):
        raise StoreLostError


async def test_without_a_limit_nothing_is_counted():
    purse = Purse(0, MemoryStore())

    assert not purse.is_limited
    assert await purse.spend("ann", 100) == inf


@pytest.mark.parametrize("store", [MemoryStore(), MemoryStore(shared=True)])
async def test_what_is_left_shrinks_for_this_visitor_alone(store):
    purse = Purse(2, store)

    assert await purse.left("ann") == 2
    assert await purse.spend("ann", 1.5) == 0.5
    assert await purse.left("ann") == 0.5
    assert await purse.left("bob") == 2
    assert purse.empty.startswith("Calls from here have cost $2.00 within a day")


async def test_all_replicas_count_together():
    store = MemoryStore(shared=True)
    one, two = Purse(2, store), Purse(2, store)
    await one.spend("ann", 1.5)

    assert await two.spend("ann", 1) == -0.5


async def test_while_the_store_is_lost_a_replica_goes_by_what_it_has_counted():
    purse = Purse(2, Lost(shared=True))
    await purse.spend("ann", 1.5)

    assert await purse.left("ann") == 0.5
