"""A Redis server that is missing, dies and comes back."""

import logging
import sys

import pytest

from components.replicas import redis_store
from components.replicas.redis_store import RedisStore
from components.replicas.store import StoreLostError, Taken
from components.settings import SettingsError
from tests.services import redis_server


def test_a_server_that_does_not_answer_stops_the_start():
    with pytest.raises(SettingsError) as refused:
        RedisStore("redis://:hunter2@127.0.0.1:9")

    assert "REPLICA_STORAGE names a server that does not answer" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_client_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(SettingsError, match="pip install redis"):
        RedisStore("redis://127.0.0.1:9")


@pytest.fixture
def server(tmp_path):
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def store(server):
    store = RedisStore(f"redis://127.0.0.1:{server.port}")
    yield store
    await store.close()


@pytest.mark.integration
async def test_a_server_that_is_lost_is_left_alone_for_a_moment_and_told_of_once(
    server, store, caplog, monkeypatch
):
    assert await store.take("ann 1", 1, 1, 60.0) is Taken.YES
    with caplog.at_level(logging.INFO):
        server.kill()
        for _ in range(3):
            with pytest.raises(StoreLostError):
                await store.read("call")
        server.begin()
        with pytest.raises(StoreLostError):
            await store.read("call")
        monkeypatch.setattr(store, "_lost_until", 0.0)
        assert await store.take("bob 1", 1, 1, 60.0) is Taken.YES
        server.stop()
        server.begin()
        assert await store.read("call") == b""  # over a connection that is made anew

    told = [record.message for record in caplog.records]
    assert told == [
        "! what replicas share is lost (ConnectionError): this one goes on alone",
        "what replicas share is back",
    ]
    assert redis_store.RETRY_S > 0
