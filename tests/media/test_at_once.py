"""Coroutines that wait for nothing."""

import asyncio

import pytest

from components.media.at_once import at_once


def test_what_waits_for_nothing_has_run_to_its_end():
    ran = []

    async def work():
        ran.append(True)

    at_once(work())

    assert ran


def test_what_it_raises_is_raised():
    async def work():
        raise ConnectionError("closed")

    with pytest.raises(ConnectionError):
        at_once(work())


async def test_what_waits_is_given_up():
    ended = []

    async def work():
        try:
            await asyncio.sleep(1)
        finally:
            ended.append(True)

    with pytest.raises(RuntimeError, match="waits for something"):
        at_once(work())
    assert ended
