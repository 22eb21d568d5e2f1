"""Limits per visitor: what is let in, what is forgotten, and a shared counter that is lost."""

import asyncio
import logging
import sys
import time

import pytest
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from components.access import rates
from components.access.rates import Rates
from components.settings import SettingsError

NOBODY = "redis://127.0.0.1:9"
"""Where nothing listens."""


class Lost(MemoryStorage):
    """A shared counter whose server goes away and comes back."""

    STORAGE_SCHEME = None  # type: ignore[assignment]  # as the library's own base class has it
    lost = True

    async def incr(self, key, expiry, amount=1):
        if self.lost:
            raise StorageError(ConnectionError("redis://:hunter2@127.0.0.1"))
        return await super().incr(key, expiry, amount)


@pytest.fixture
def shared(monkeypatch):
    storage = Lost()
    monkeypatch.setattr(rates, "_shared", lambda uri: FixedWindowRateLimiter(storage))
    monkeypatch.setattr(rates, "RETRY_S", 0.0)
    return storage


async def in_time(condition):
    """Until it holds; the limit is for a machine that has stopped."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110  # only time changes it
            await asyncio.sleep(0.02)


async def test_a_visitor_is_let_in_as_often_as_the_limit_says():
    counted = Rates()

    admitted = [await counted.admit("3/hour", "start", "ann") for _ in range(5)]

    assert admitted == [True, True, True, False, False]


async def test_visitors_and_purposes_are_counted_apart():
    counted = Rates()
    assert await counted.admit("1/hour", "start", "ann")
    assert not await counted.admit("1/hour", "start", "ann")

    assert await counted.admit("1/hour", "start", "bob")
    assert await counted.admit("1/hour", "login", "ann")


async def test_a_refused_visitor_may_come_again():
    counted = Rates()
    assert await counted.admit("1/second", "start", "ann")

    await in_time(lambda: counted.admit("1/second", "start", "ann"))


async def test_visitors_who_came_once_are_forgotten():
    """A process that runs for months must not keep everybody it ever saw."""
    counted = Rates()
    storage = counted._own.storage
    assert isinstance(storage, MemoryStorage)
    for number in range(500):
        await counted.admit("1/second", "start", f"visitor {number}")
    assert len(storage.storage) > 100

    async def few():
        await counted.admit("1/second", "start", "another")
        await asyncio.sleep(0)  # for the task that forgets
        return all(len(kept) < 5 for kept in (storage.storage, storage.expirations, storage.locks))

    await in_time(few)


def test_a_shared_counter_without_its_package_is_refused_in_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(SettingsError, match=r"needs a package .*: pip install redis"):
        Rates(NOBODY)


def test_a_shared_counter_that_does_not_answer_is_refused_in_words():
    pytest.importorskip("redis")
    began = time.monotonic()

    with pytest.raises(SettingsError, match="names a server that does not answer"):
        Rates(NOBODY)

    assert time.monotonic() - began < 20


async def test_without_the_shared_counter_this_process_counts(shared, caplog):
    counted = Rates("redis://shared")

    with caplog.at_level(logging.INFO, "components.access.rates"):
        admitted = [await counted.admit("2/hour", "start", "ann") for _ in range(4)]

    assert admitted == [True, True, False, False]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ConnectionError" in caplog.text
    assert "hunter2" not in caplog.text


async def test_the_shared_counter_is_asked_again_when_it_is_back(shared, caplog):
    counted = Rates("redis://shared")
    await counted.admit("2/hour", "start", "ann")
    shared.lost = False

    with caplog.at_level(logging.INFO, "components.access.rates"):
        admitted = [await counted.admit("2/hour", "start", "ann") for _ in range(3)]

    assert admitted == [True, True, False]
    assert caplog.records[-1].message == "the shared rate limits are back"
    assert len(caplog.records) == 2


async def test_a_lost_counter_is_left_alone_for_a_while(shared, monkeypatch):
    monkeypatch.setattr(rates, "RETRY_S", 1000.0)
    counted = Rates("redis://shared")
    await counted.admit("2/hour", "start", "ann")
    shared.lost = False

    await counted.admit("2/hour", "start", "ann")

    assert not shared.storage
