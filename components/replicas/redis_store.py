"""What replicas share, in a Redis server.

Rule: what must be seen and changed in one step is one script. A server that is lost is left alone
for a moment, and the log says so once, and once when it is back.
"""

import logging
import time
from collections.abc import Awaitable, Collection
from importlib import import_module
from typing import Any, Final, TypeVar

from components.replicas.store import StoreLostError, Taken
from components.settings import SettingsError

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 1.0
"""The longest wait for an answer."""
RETRY_S: Final = 3.0
"""A server that was lost is left alone for so long."""
PREFIX: Final = "voice:"
PLACES: Final = f"{PREFIX}places"

_Answer = TypeVar("_Answer")

_TAKE: Final = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREM', KEYS[1], ARGV[1], ARGV[6])
local visitor = string.match(ARGV[1], '^%S*') .. ' '
local own = 0
for _, place in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(place, 1, #visitor) == visitor then own = own + 1 end
end
local most, share = tonumber(ARGV[2]), tonumber(ARGV[3])
if own >= share and share < most then return 2 end
if redis.call('ZCARD', KEYS[1]) >= most then return 1 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[4]), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 0
"""
_HOLD: Final = """
local until_s = tonumber(redis.call('TIME')[1]) + tonumber(ARGV[1])
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], until_s, ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
_CLAIM: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('HGET', KEYS[1], 'value')
"""
_PUT: Final = """
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
_ADD: Final = """
local sum = redis.call('INCRBYFLOAT', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum
"""
_LONGEST_PLACE_S: Final = 3600


class RedisStore:
    """Of all replicas that name the same server; belongs to one event loop."""

    shared = True

    def __init__(self, url: str) -> None:
        """`SettingsError` if the server does not answer, or its client is not installed."""
        try:
            redis, retrying = import_module("redis"), import_module("redis.asyncio.retry")
            backoff = import_module("redis.backoff")
        except ImportError:
            problem = "REPLICA_STORAGE needs a package that is not installed: pip install redis"
            raise SettingsError([f"{problem} (5.2 or newer)."]) from None
        self._errors: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        limits = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
        self._check(redis.Redis.from_url(url, **limits))
        # A connection that the server has closed meanwhile is made anew, once.
        once = retrying.Retry(backoff.NoBackoff(), 1)
        self._redis: Any = redis.asyncio.Redis.from_url(url, retry=once, **limits)
        self._lost_until: float | None = None

    def _check(self, client: Any) -> None:
        try:
            client.ping()
        except self._errors as error:
            reason = type(error).__name__
            problem = f"REPLICA_STORAGE names a server that does not answer ({reason})."
            raise SettingsError([f"{problem} Is it running, and is the address right?"]) from None
        finally:
            client.close()

    async def take(
        self, place: str, most: int, most_of_one: int, seconds: float, instead_of: str = ""
    ) -> Taken:
        """As `Store` says."""
        bounds = (most, most_of_one, seconds, _LONGEST_PLACE_S, instead_of)
        return Taken(await self._asked(self._redis.eval(_TAKE, 1, PLACES, place, *bounds)))

    async def hold(self, places: Collection[str], seconds: float) -> None:
        """As `Store` says."""
        await self._asked(self._redis.eval(_HOLD, 1, PLACES, seconds, _LONGEST_PLACE_S, *places))

    async def free(self, place: str) -> None:
        """As `Store` says."""
        await self._asked(self._redis.zrem(PLACES, place))

    async def claim(self, name: str, owner: str, seconds: float) -> bytes:
        """As `Store` says."""
        asked = self._redis.eval(_CLAIM, 1, PREFIX + name, owner, _ms(seconds))
        return await self._asked(asked) or b""

    async def read(self, name: str) -> bytes:
        """As `Store` says."""
        return await self._asked(self._redis.hget(PREFIX + name, "value")) or b""

    async def put(self, name: str, owner: str, value: bytes, seconds: float) -> bool:
        """As `Store` says."""
        asked = self._redis.eval(_PUT, 1, PREFIX + name, owner, value, _ms(seconds))
        return bool(await self._asked(asked))

    async def drop(self, name: str) -> None:
        """As `Store` says."""
        await self._asked(self._redis.delete(PREFIX + name))

    async def add(self, name: str, amount: float, seconds: float) -> float:
        """As `Store` says."""
        if not amount:
            return float(await self._asked(self._redis.get(PREFIX + name)) or 0.0)
        asked = self._redis.eval(_ADD, 1, PREFIX + name, amount, _ms(seconds))
        return float(await self._asked(asked))

    async def close(self) -> None:
        """As `Store` says."""
        await self._redis.aclose()

    async def _asked(self, question: Awaitable[_Answer]) -> _Answer:
        if time.monotonic() < (self._lost_until or 0.0):
            question.close()  # type: ignore[attr-defined]  # a coroutine that nobody awaits
            raise StoreLostError
        try:
            answer = await question
        except self._errors as error:
            if self._lost_until is None:
                reason = type(error).__name__
                log.warning("! what replicas share is lost (%s): this one goes on alone", reason)
            self._lost_until = time.monotonic() + RETRY_S
            raise StoreLostError from error
        if self._lost_until is not None:
            log.info("what replicas share is back")
            self._lost_until = None
        return answer


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
