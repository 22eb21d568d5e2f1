"""A process as one of several, as its settings say."""

import asyncio

import pytest
from redis.asyncio import Redis

from components.core.places import NoPlaceError, Places
from components.replicas.replicas import Replicas, replicas_of
from components.replicas.store import MemoryStore
from components.settings import Settings, SettingsError
from tests.services import redis_server

ANN = "192.0.2.1"


def test_without_a_storage_there_is_this_process_alone():
    replicas = replicas_of(Settings(practice=True, max_visitor_cost=1), Places(1, 1))

    assert not replicas.are_many
    assert replicas.purse.is_limited


def test_a_storage_that_does_not_answer_is_no_storage():
    settings = Settings(practice=True, replica_storage="redis://127.0.0.1:9")

    with pytest.raises(SettingsError):
        replicas_of(settings, Places(1, 1))


async def test_who_has_cost_what_he_may_gets_no_place():
    places = Places(2, 2)
    replicas = Replicas(places, MemoryStore(shared=True), visitor_cost=1)
    await replicas.admit(places.take(ANN, 0.0))
    await replicas.purse.spend(ANN, 1)

    with pytest.raises(NoPlaceError, match=r"have cost \$1.00 within a day"):
        await replicas.admit(places.take(ANN, 0.0))


@pytest.mark.integration
async def test_who_has_been_told_of_the_end_holds_no_connection_to_the_storage(tmp_path):
    with redis_server(tmp_path) as server:
        url = f"redis://127.0.0.1:{server.port}"
        places = Places(1, 1)
        replicas = replicas_of(Settings(practice=True, replica_storage=url), places)
        place = places.take(ANN, 0.0)
        await replicas.admit(place)
        places.give_back(place)
        async with Redis.from_url(url) as other:
            assert len(await other.client_list()) > 1
            await replicas.close()
            async with asyncio.timeout(5):
                while len(await other.client_list()) > 1:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
