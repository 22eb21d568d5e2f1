"""Whether what replicas share is found to be well, slow, or lost; with a real Redis server."""

from pathlib import Path

import pytest

from components.doctor import replicas as module
from components.doctor.replicas import examine_replicas
from components.replicas.redis_store import RedisStore
from components.replicas.store import StoreLostError
from components.settings import Settings
from tests.services import redis_server


async def test_of_a_single_process_there_is_nothing_to_say() -> None:
    assert await examine_replicas(Settings(practice=True)) == []


async def test_a_server_that_does_not_answer_is_a_failure_with_its_fix() -> None:
    [finding] = await examine_replicas(
        Settings(practice=True, replica_storage="redis://:hunter2@127.0.0.1:9")
    )

    assert finding.verdict == "failed"
    assert "Is it running" in finding.found
    assert "hunter2" not in finding.line


@pytest.mark.integration
async def test_a_server_is_judged_by_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server(tmp_path) as server:
        uri = f"redis://127.0.0.1:{server.port}"
        whole = Settings(practice=True, replica_storage=uri, rate_limit_storage=uri)
        [well] = await examine_replicas(whole)
        [apart] = await examine_replicas(Settings(practice=True, replica_storage=uri))
        monkeypatch.setattr(module, "SLOW_MS", 0)
        [slow] = await examine_replicas(whole)

        async def lost(self: RedisStore, name: str) -> bytes:
            raise StoreLostError

        monkeypatch.setattr(RedisStore, "read", lost)
        [gone] = await examine_replicas(whole)

    assert [each.verdict for each in (well, apart, slow, gone)] == [
        "ok",
        "warning",
        "warning",
        "failed",
    ]
    assert "counts the starts of calls by itself" in apart.found
