"""Whether what several replicas share can be asked."""

import time
from typing import Final

from components.doctor.findings import Finding, failed, ok, warning
from components.replicas.redis_store import RedisStore
from components.replicas.store import StoreLostError
from components.settings import MEMORY, Settings, SettingsError

CHECK: Final = "Replicas"
SLOW_MS: Final = 50


async def examine_replicas(settings: Settings) -> list[Finding]:
    """Ask as a call would; nothing to say of a single process."""
    if settings.replica_storage == MEMORY:
        return []
    try:
        store = RedisStore(settings.replica_storage)
    except SettingsError as error:
        return [failed(CHECK, " ".join(error.problems))]
    try:
        await store.read("doctor")  # makes the connection
        begun = time.monotonic()
        await store.read("doctor")
        took_ms = 1000 * (time.monotonic() - begun)
    except StoreLostError:
        return [failed(CHECK, "what they share does not answer.", "Is the Redis server well?")]
    finally:
        await store.close()
    found = f"what they share answers in {took_ms:.1f} ms."
    if took_ms > SLOW_MS:
        return [warning(CHECK, found, "Calls begin later by as much: bring the server nearer.")]
    if settings.rate_limit_storage == MEMORY:
        found = f"{found[:-1]}, but each counts the starts of calls by itself."
        return [warning(CHECK, found, "Leave RATE_LIMIT_STORAGE unset.")]
    return [ok(CHECK, found)]
