"""How often a visitor may do something: counters that forget in time.

Rule: counting never stops the app. A counter that several replicas share is checked at the start;
when it is lost later, this process counts by itself until it is back, and the log says so once.
"""

import logging
import time
from functools import lru_cache
from typing import Any, Final

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from components.settings import MEMORY, SettingsError

log = logging.getLogger(__name__)

MOST_SET_S: Final = 5.0
"""By which the calendar's clock may be corrected without the counters noticing much."""
TIMEOUT_S: Final = 1.0
"""The longest wait for an answer of the shared counter."""
RETRY_S: Final = 10.0
"""A shared counter that was lost is left alone for so long."""

_item = lru_cache(maxsize=64)(parse)


class Rates:
    """Counts in memory, or in a Redis server that several replicas share."""

    def __init__(self, storage_uri: str = MEMORY) -> None:
        """`SettingsError` if a shared counter cannot be used."""
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._clock_ahead_s = _clock_ahead_s()
        self._shared = _shared(storage_uri) if storage_uri != MEMORY else None
        self._lost_until: float | None = None

    async def admit(self, limit: str, purpose: str, visitor: str) -> bool:
        """Count one more; False if that is above the limit, such as "20/minute"."""
        item = _item(limit)
        shared = await self._ask_shared(item, purpose, visitor)
        if shared is not None:
            return shared
        await self._mind_the_clock()
        return await self._own.hit(item, purpose, visitor)

    async def _mind_the_clock(self) -> None:
        """Count anew when the calendar's clock was set, by which the counters here forget.

        Set back by an hour, it would keep everybody's minute for so much longer.
        """
        ahead_s = _clock_ahead_s()
        if abs(ahead_s - self._clock_ahead_s) > MOST_SET_S:
            await self._own.storage.reset()
        self._clock_ahead_s = ahead_s

    async def _ask_shared(self, item: RateLimitItem, purpose: str, visitor: str) -> bool | None:
        """Whether the shared counter is within the limit; None if none can be asked at present."""
        if self._shared is None or time.monotonic() < (self._lost_until or 0.0):
            return None
        try:
            admitted = await self._shared.hit(item, purpose, visitor)
        except StorageError as error:
            if self._lost_until is None:
                reason = type(error.args[0]).__name__
                log.warning("! the shared rate limits are lost (%s): counting here", reason)
            self._lost_until = time.monotonic() + RETRY_S
            return None
        if self._lost_until is not None:
            log.info("the shared rate limits are back")
            self._lost_until = None
        return admitted


def _clock_ahead_s() -> float:
    """How far the calendar's clock is ahead of the one that nobody sets."""
    return time.time() - time.monotonic()


def _shared(uri: str) -> FixedWindowRateLimiter:
    timeouts: Any = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    try:
        reachable = storage_from_string(uri, **timeouts).check()
        storage = RedisStorage(
            f"async+{uri}", wrap_exceptions=True, implementation="redispy", **timeouts
        )
    except ConfigurationError:
        problem = "RATE_LIMIT_STORAGE needs a package that is not installed: pip install redis"
        raise SettingsError([f"{problem} (5.2 or newer)."]) from None
    if not reachable:
        problem = "RATE_LIMIT_STORAGE names a server that does not answer."
        raise SettingsError([f"{problem} Is it running, and is the address right?"])
    return FixedWindowRateLimiter(storage)
