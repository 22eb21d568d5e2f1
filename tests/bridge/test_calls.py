"""Whose call is whose, who finds a place, and what is remembered."""

import asyncio
import re
import threading

import pytest

from components.bridge import calls as module
from components.bridge.calls import Calls, key_of
from components.settings import Settings
from tests.bridge.test_call import Page
from tests.scripted import PATIENCE_S, scripted_server

ADA, BOB, EVE = ("a" * 32, "b" * 32, "e" * 32)


@pytest.fixture
async def server():
    async with scripted_server() as server:
        yield server


@pytest.fixture
def calls(server):
    return Calls(Settings(practice=False, base_url=server.url, max_calls=2))


async def talk(calls, server, key, text):
    """A call in which one line is typed, up to its end."""
    page = Page().join(calls.enter(key))
    upstream = await server.connection()
    await upstream.greet()
    await page.sees(type="state", connection="connected")
    page.call.command({"type": "say", "text": text})
    await page.call.close("")
    return upstream


def words(conversation):
    return [message.text for message in conversation.messages if message.role != "note"]


@pytest.mark.parametrize("value", [None, "", 7, "A" * 32, "a" * 31, "a" * 33, ["a" * 32]])
def test_page_without_a_key_is_a_stranger_each_time(value):
    assert re.fullmatch("[0-9a-f]{32}", key_of(value))
    assert key_of(value) != key_of(value)


def test_page_keeps_its_key():
    assert key_of(ADA) == ADA


async def test_same_key_finds_its_call_and_no_other_does(calls):
    call = calls.enter(ADA)

    assert calls.enter(ADA) is call
    assert calls.enter(BOB) is not call
    assert calls.running(ADA)
    assert not calls.running(EVE)


async def test_place_is_free_again_after_the_end(calls):
    calls.enter(ADA)
    assert not calls.full
    call = calls.enter(BOB)
    assert calls.full

    call.abandon()
    assert not calls.full
    assert not calls.running(BOB)


async def test_conversation_is_known_during_and_after_the_call(calls, server):
    await talk(calls, server, ADA, "I am Ada.")

    assert words(calls.past(ADA)) == ["I am Ada."]
    assert words(calls.past(EVE)) == []
    assert words(calls.enter(ADA).conversation) == ["I am Ada."]


async def test_next_call_goes_on_where_the_last_one_ended(calls, server):
    await talk(calls, server, ADA, "I am Ada.")
    upstream = await talk(calls, server, ADA, "Who am I?")

    items = [event["item"] for event in upstream.of("conversation.item.create")]
    assert [item["content"][0]["text"] for item in items] == ["I am Ada.", "Who am I?"]
    assert words(calls.past(ADA)) == ["I am Ada.", "Who am I?"]


async def test_new_conversation_knows_nothing_of_the_old(calls, server):
    await talk(calls, server, ADA, "I am Ada.")
    calls.forget(ADA)
    calls.forget(EVE)

    assert words(calls.past(ADA)) == []


async def test_call_without_words_is_not_remembered(calls):
    calls.enter(ADA).abandon()

    assert calls._past == {}


async def test_old_conversations_are_forgotten(calls, server, monkeypatch):
    await talk(calls, server, ADA, "I am Ada.")
    monkeypatch.setattr(module, "REMEMBERED_S", 0.0)

    assert words(calls.past(ADA)) == []


async def test_only_so_many_conversations_are_remembered(calls, server, monkeypatch):
    monkeypatch.setattr(module, "MOST_REMEMBERED", 1)
    await talk(calls, server, ADA, "I am Ada.")
    await talk(calls, server, BOB, "I am Bob.")

    assert words(calls.past(ADA)) == []
    assert words(calls.past(BOB)) == ["I am Bob."]


async def test_goodbye_ends_every_call_with_a_sentence(calls, server):
    pages = [Page().join(calls.enter(key)) for key in (ADA, BOB)]
    for _ in pages:
        await (await server.connection()).greet()
    await asyncio.to_thread(calls.say_goodbye, "Good night.", PATIENCE_S)

    for page in pages:
        await page.sees(type="state", connection="ended", notice="Good night.")
    assert not calls.running(ADA)


def test_goodbye_without_a_single_call_is_no_error(calls_without_loop):
    calls_without_loop.say_goodbye("Good night.", 1)


@pytest.fixture
def calls_without_loop():
    return Calls(Settings(practice=True))


async def test_goodbye_does_not_wait_for_ever(calls, monkeypatch):
    calls.enter(ADA)
    stuck = asyncio.Event()
    monkeypatch.setattr(calls, "_close", lambda _: stuck.wait())
    goodbye = threading.Thread(target=calls.say_goodbye, args=("Good night.", 0.0))
    goodbye.start()

    await asyncio.to_thread(goodbye.join, PATIENCE_S)
    assert not goodbye.is_alive()
