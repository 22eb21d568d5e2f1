"""A call that one replica had goes on at another: what it said, what it has used, its place."""

import asyncio
import logging

import pytest

from components.bridge import handover as module
from components.bridge.call import TAKEN_OVER
from components.bridge.calls import Calls
from components.core.places import NoPlaceError, Places
from components.protocol.options import Refused
from components.replicas.replicas import Replicas
from components.replicas.store import MemoryStore, StoreLostError
from components.settings import Settings
from tests.bridge.test_call import Page
from tests.scripted import PATIENCE_S, scripted_server

ANN, BOB = "192.0.2.1", "192.0.2.2"
ADA, EVE = "a" * 32, "e" * 32
DOLLAR = {"input_tokens": 250_000, "input_token_details": {"text_tokens": 250_000}}
"""What gpt-realtime-2.1 takes a dollar for."""


class Flaky(MemoryStore):
    """Lost for a while."""

    lost = False
    closed = False

    async def put(self, name, owner, value, seconds):
        if self.lost:
            raise StoreLostError
        return await super().put(name, owner, value, seconds)

    async def claim(self, name, owner, seconds):
        if self.lost:
            raise StoreLostError
        return await super().claim(name, owner, seconds)

    async def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "TELL_S", 0.02)


@pytest.fixture
async def server():
    async with scripted_server() as server:
        yield server


class House:
    """Replicas that share a store."""

    def __init__(self, server, most=2, visitor_cost=0.0, shared=True, **settings):
        self.server = server
        self.store = Flaky(shared=shared)
        self._most = most
        self._visitor_cost = visitor_cost
        self._settings = Settings(practice=False, base_url=server.url, **settings)
        self.replicas: list[Calls] = []

    def replica(self):
        places = Places(self._most, self._most)
        replicas = Replicas(places, self.store, self._visitor_cost)
        calls = Calls(self._settings, Refused(), places, replicas=replicas)
        self.replicas.append(calls)
        return calls

    async def close(self):
        for calls in self.replicas:
            await calls._close("")


@pytest.fixture
async def build(server):
    """Makes houses, whose calls end with the test, however it ends."""
    houses = []

    def make(**settings):
        houses.append(House(server, **settings))
        return houses[-1]

    yield make
    for house in houses:
        await house.close()


@pytest.fixture
def house(build):
    return build()


async def join(calls, house, key=ADA, visitor=ANN, comes_back=False, **others):
    """A page in a call whose session is ready, and the server's end of it."""
    if comes_back:
        assert await calls.fetch(key)
    call = calls.enter(key, visitor, comes_back=comes_back, **others)
    await calls.confirm(key)
    page = Page().join(call)
    upstream = await house.server.connection()
    await upstream.greet()
    await page.sees(type="state", connection="connected")
    return page, upstream


def say(page, text):
    page.call.command({"type": "say", "text": text})


async def told(calls, key, text):
    """Until another replica could read these words of a call."""
    keeper = calls._handover._replicas.keeper
    async with asyncio.timeout(PATIENCE_S):
        while True:
            kept = await keeper.read(key)
            if kept and text in words(kept.conversation):
                return kept
            await asyncio.sleep(0.01)


def die(calls):
    """It says nothing any more, and its calls are cut off."""
    calls._handover._telling.cancel()


def words(conversation):
    return [message.text for message in conversation.messages if message.role != "note"]


async def test_a_call_goes_on_at_another_replica_with_what_was_said(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await told(two, ADA, "I am Ada.")
    die(one)

    page, upstream = await join(two, house, comes_back=True)
    assert words(page.call.conversation) == ["I am Ada."]
    say(page, "Who am I?")
    await page.call.close("")
    items = [event["item"] for event in upstream.of("conversation.item.create")]
    assert [item["content"][0]["text"] for item in items] == ["I am Ada.", "Who am I?"]


async def test_a_call_that_goes_on_elsewhere_ends_here_and_says_why(house, monkeypatch):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await told(two, ADA, "I am Ada.")
    await join(two, house, comes_back=True)
    say(page, "Still here?")

    await page.sees(type="state", connection="ended", notice=TAKEN_OVER)
    assert not one.running(ADA)
    assert two.running(ADA)
    await two._handover._tell()
    assert words((await told(one, ADA, "I am Ada.")).conversation) == ["I am Ada."]


async def test_a_quiet_call_learns_as_well_that_it_goes_on_elsewhere(house, monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0.05)
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await told(two, ADA, "I am Ada.")
    await join(two, house, comes_back=True)

    await page.sees(type="state", connection="ended", notice=TAKEN_OVER)


async def test_an_ended_call_does_not_go_on_but_what_was_said_is_known(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await page.call.close("")
    await one._handover._tell()

    assert await two.fetch(ADA) is None
    assert words(two.past(ADA)) == ["I am Ada."]


async def test_a_page_that_is_loaded_at_another_replica_shows_what_was_said(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await told(two, ADA, "I am Ada.")
    assert words(await two.recall(ADA)) == ["I am Ada."]

    say(page, "And you?")  # to look takes nothing away
    await told(two, ADA, "And you?")
    assert words(await two.recall(EVE)) == []


async def test_what_is_forgotten_at_one_replica_is_forgotten_at_all(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await page.call.close("")
    await one._handover._tell()
    await two.recall(ADA)
    two.forget(ADA)
    await two.forget_elsewhere(ADA)

    assert words(await one.recall(ADA)) == []


async def test_what_was_said_over_the_direct_route_is_known_at_all_replicas(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    two.remember(EVE, page.call.conversation)
    await two._handover._tell()

    assert words(await one.recall(EVE)) == ["I am Ada."]


async def test_a_call_that_goes_on_has_its_place_and_others_have_theirs(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    await join(two, house, EVE, BOB)
    say(page, "I am Ada.")
    await told(two, ADA, "I am Ada.")
    die(one)

    await join(two, house, comes_back=True)
    third = house.replica()
    third.enter("c" * 32, BOB)
    with pytest.raises(NoPlaceError, match="All 2 calls"):
        await third.confirm("c" * 32)
    assert not third.running("c" * 32)


async def test_a_call_whose_page_does_not_get_through_can_still_go_on(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await told(two, ADA, "I am Ada.")
    die(one)
    assert await two.fetch(ADA)
    two.enter(ADA, ANN, comes_back=True).abandon()

    page, _ = await join(two, house, comes_back=True)
    assert words(page.call.conversation) == ["I am Ada."]


async def test_limits_hold_for_a_call_as_a_whole(build):
    house = build(max_call_cost=1.5, max_call_seconds=1000)
    one, two = house.replica(), house.replica()
    page, upstream = await join(one, house)
    page.call._begun -= 990
    response = {"id": "r", "status": "completed", "output": [], "usage": DOLLAR}
    await upstream.send("response.done", response=response)
    await page.sees(type="state", cost=1.0)
    say(page, "I am Ada.")
    kept = await told(two, ADA, "I am Ada.")
    assert (kept.cost, int(kept.lasted_s)) == (1.0, 990)
    die(one)

    page, upstream = await join(two, house, comes_back=True)
    await page.sees(type="state", notice="This call ends in 10 seconds.")
    response["id"] = "s"
    await upstream.send("response.done", response=response)
    notice = "This call has reached its limit of $1.50. You can start another."
    await page.sees(type="state", connection="ended", notice=notice)


async def test_a_visitors_own_key_does_not_pass_to_another_replica(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house, own_key="k" * 20)
    say(page, "I am Ada.")
    kept = await told(two, ADA, "I am Ada.")

    assert kept.own_key
    assert "kkkk" not in str(kept)


async def test_a_visitor_who_has_cost_what_he_may_gets_no_more_answers_anywhere(build):
    house = build(visitor_cost=1.0)
    one, two = house.replica(), house.replica()
    page, upstream = await join(one, house)
    other, _ = await join(two, house, EVE)
    response = {"id": "r", "status": "completed", "output": [], "usage": DOLLAR}
    await upstream.send("response.done", response=response)

    notice = (
        "Calls from here have cost $1.00 within a day, which is the most for one visitor. "
        "Try again tomorrow."
    )
    await page.sees(type="state", connection="ended", notice=notice)
    await other.sees(type="state", connection="ended", notice=notice)
    with pytest.raises(NoPlaceError, match="within a day"):
        await join(two, house)
    await join(two, house, EVE, own_key="k" * 20)
    await join(two, house, visitor=BOB)


async def test_a_single_process_counts_what_a_visitor_costs_as_well(build):
    house = build(visitor_cost=1.0, shared=False)
    calls = house.replica()
    page, upstream = await join(calls, house)
    response = {"id": "r", "status": "completed", "output": [], "usage": DOLLAR}
    await upstream.send("response.done", response=response)
    await page.sees(type="state", connection="ended")

    with pytest.raises(NoPlaceError, match="within a day"):
        await join(calls, house)


async def test_a_call_that_began_while_the_store_was_lost_is_not_taken_for_anothers(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await told(two, ADA, "I am Ada.")
    die(one)
    house.store.lost = True
    page, _ = await join(two, house)
    house.store.lost = False
    say(page, "Hello?")
    await told(two, ADA, "Hello?")

    assert two.running(ADA)


async def test_while_the_store_is_lost_calls_go_on_and_are_told_later(house, caplog):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    house.store.lost = True
    say(page, "I am Ada.")
    assert await two.fetch(ADA) is None
    await join(two, house, EVE, BOB)
    await asyncio.sleep(0.1)
    with caplog.at_level(logging.ERROR):
        house.store.lost = False
        await told(two, ADA, "I am Ada.")

    assert one.running(ADA)
    assert caplog.messages == []


async def test_a_single_process_tells_nobody(build):
    house = build(shared=False)
    calls = house.replica()
    page, _ = await join(calls, house)
    say(page, "I am Ada.")

    assert calls._handover._telling is None
    assert await calls.fetch(ADA) is None
    assert house.store._values == {}


async def test_when_all_calls_have_ended_the_others_know_and_the_store_is_let_go_of(house):
    one, two = house.replica(), house.replica()
    page, _ = await join(one, house)
    say(page, "I am Ada.")
    await one._close("")

    assert house.store.closed
    assert await two.fetch(ADA) is None
    assert words(two.past(ADA)) == ["I am Ada."]
