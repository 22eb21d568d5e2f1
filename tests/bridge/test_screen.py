"""Who watches a call sees its newest conversation, and its last."""

import asyncio

import pytest

from components.bridge.screen import Screen
from components.core.conversation import Conversation, Message

FIRST, SECOND, THIRD = (
    Conversation(messages=(Message(word, "user"),)) for word in ("first", "second", "third")
)


async def test_watcher_sees_what_is_there_and_what_comes():
    screen = Screen(FIRST)
    snapshots = screen.snapshots(0)
    assert await anext(snapshots) is FIRST

    screen.show(SECOND)
    assert await anext(snapshots) is SECOND


async def test_newest_wins():
    screen = Screen(FIRST)
    snapshots = screen.snapshots(0)
    await anext(snapshots)
    screen.show(SECOND)
    screen.show(THIRD)

    assert await anext(snapshots) is THIRD


async def test_news_while_nobody_waits_is_not_lost():
    screen = Screen(FIRST)
    snapshots = screen.snapshots(0)
    await anext(snapshots)
    coming = asyncio.ensure_future(anext(snapshots))
    await asyncio.sleep(0)  # it is in its pause now
    screen.show(SECOND)

    assert await coming is SECOND


async def test_snapshot_after_a_rest_lets_what_comes_with_the_news_go_first():
    screen = Screen(FIRST)
    snapshots = screen.snapshots(0)
    await anext(snapshots)
    coming = asyncio.ensure_future(anext(snapshots))
    for _ in range(5):
        await asyncio.sleep(0)  # it rests now
    screen.show(SECOND)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not coming.done()
    screen.show(THIRD)

    assert await coming is THIRD


async def test_same_messages_again_are_no_news():
    screen = Screen(FIRST)

    assert not screen.show(Conversation(notice="Something else.", messages=FIRST.messages))
    assert screen.conversation is FIRST


async def test_last_conversation_is_seen_after_the_end():
    screen = Screen(FIRST)
    screen.show(SECOND)
    screen.close()

    assert [shown async for shown in screen.snapshots(0)] == [SECOND]


async def test_end_lets_the_watcher_go():
    screen = Screen(FIRST)
    snapshots = screen.snapshots(0)
    await anext(snapshots)
    waiting = asyncio.ensure_future(anext(snapshots, None))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # past its pause
    screen.close()

    assert await waiting is None


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_who_asks_again_has_the_news_to_itself(turns):
    """The one before may be in its pause, or wait for news."""
    screen = Screen(FIRST)
    dead = screen.snapshots(0)
    await anext(dead)
    waiting = asyncio.ensure_future(anext(dead, None))
    for _ in range(turns):
        await asyncio.sleep(0)
    again = screen.snapshots(0)
    assert await anext(again) is FIRST
    screen.show(SECOND)

    assert await anext(again) is SECOND
    assert await waiting is None
