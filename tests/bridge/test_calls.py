"""Whose call is whose, who finds a place, and what is remembered."""

import asyncio
import re
import threading

import pytest

from components.bridge import calls as module
from components.bridge.calls import Calls, key_of
from components.bridge.delays import Delays
from components.core.places import NoPlaceError, Places
from components.operating.metrics import Metrics
from components.protocol.errors import ServerError
from components.protocol.events import AudioDelta, ResponseDone
from components.protocol.options import Refused
from components.protocol.usage import Usage
from components.settings import Settings
from tests.bridge.test_call import LOUD, Page
from tests.scripted import PATIENCE_S, scripted_server

VISITOR = "192.0.2.1"
ADA, BOB, EVE = ("a" * 32, "b" * 32, "e" * 32)


def new_calls(server, metrics=None):
    settings = Settings(practice=False, base_url=server.url)
    return Calls(settings, Refused(), Places(2, 2), metrics=metrics)


@pytest.fixture
async def server():
    async with scripted_server() as server:
        yield server


@pytest.fixture
def calls(server):
    return new_calls(server)


async def talk(calls, server, key, text):
    """A call in which one line is typed, up to its end."""
    page = Page().join(calls.enter(key, VISITOR))
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
    call = calls.enter(ADA, VISITOR)

    assert calls.enter(ADA, VISITOR) is call
    assert calls.enter(BOB, VISITOR) is not call
    assert calls.running(ADA)
    assert not calls.running(EVE)


async def test_place_is_free_again_after_the_end(calls):
    calls.enter(ADA, VISITOR)
    call = calls.enter(BOB, VISITOR)
    with pytest.raises(NoPlaceError):
        calls.enter(EVE, VISITOR)

    call.abandon()
    calls.enter(EVE, VISITOR)
    assert not calls.running(BOB)


async def test_a_call_that_cannot_be_made_holds_no_place(calls, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as fault:
        fault.setattr(module, "Call", broken)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                calls.enter(ADA, VISITOR)

    calls.enter(ADA, VISITOR)


async def test_conversation_is_known_during_and_after_the_call(calls, server):
    await talk(calls, server, ADA, "I am Ada.")

    assert words(calls.past(ADA)) == ["I am Ada."]
    assert words(calls.past(EVE)) == []
    assert words(calls.enter(ADA, VISITOR).conversation) == ["I am Ada."]


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


async def test_call_without_words_is_not_remembered_but_can_be_looked_into(calls):
    call = calls.enter(ADA, VISITOR)
    call.abandon()

    assert words(calls.past(ADA)) == []
    assert calls.inspection(ADA) is call.inspection
    assert calls.inspection(ADA).over


async def test_a_call_is_looked_into_while_it_runs_and_until_it_is_forgotten(calls, server):
    upstream = await talk(calls, server, ADA, "I am Ada.")
    inspection = calls.inspection(ADA)
    types = [row.type for row in inspection.events.since(0)]
    assert {"session.created", "session.update", "conversation.item.create"} <= set(types)
    assert [turn.kind for turn in inspection.timing.turns] == ["typed"]
    assert upstream.of("response.create")

    calls.forget(ADA)
    assert calls.inspection(ADA) is None
    running = calls.enter(BOB, VISITOR)
    assert calls.inspection(BOB) is running.inspection
    assert not running.inspection.over


async def test_old_conversations_are_forgotten_without_being_asked_for(server, monkeypatch):
    monkeypatch.setattr(module, "REMEMBERED_S", 0.05)
    calls = new_calls(server)
    forgotten = asyncio.Event()
    purge = calls._inspections.purge

    def watched(now):
        due = purge(now)
        if due is None:
            forgotten.set()
        return due

    monkeypatch.setattr(calls._inspections, "purge", watched)
    await talk(calls, server, ADA, "I am Ada.")

    await asyncio.wait_for(forgotten.wait(), PATIENCE_S)
    assert words(calls.past(ADA)) == []
    assert calls.inspection(ADA) is None


async def test_nothing_waits_to_be_forgotten_after_the_end_of_the_app(calls, server):
    await talk(calls, server, ADA, "I am Ada.")
    page = Page().join(calls.enter(BOB, VISITOR))
    await (await server.connection()).greet()
    await page.sees(type="state", connection="connected")
    page.call.command({"type": "say", "text": "I am Bob."})
    remembering = calls._forgetting

    await asyncio.to_thread(calls.say_goodbye, "Good night.", PATIENCE_S)

    assert words(calls.past(BOB)) == ["I am Bob."]
    assert remembering.cancelled()
    assert calls._forgetting is None or calls._forgetting.cancelled()


async def test_only_so_many_conversations_are_remembered(server, monkeypatch):
    monkeypatch.setattr(module, "MOST_REMEMBERED", 1)
    calls = new_calls(server)
    await talk(calls, server, ADA, "I am Ada.")
    await talk(calls, server, BOB, "I am Bob.")

    assert words(calls.past(ADA)) == []
    assert words(calls.past(BOB)) == ["I am Bob."]


async def test_goodbye_ends_every_call_with_a_sentence(calls, server):
    pages = [Page().join(calls.enter(key, VISITOR)) for key in (ADA, BOB)]
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
    return Calls(Settings(practice=True), Refused(), Places(2, 2))


async def test_goodbye_does_not_wait_for_ever(calls, monkeypatch):
    calls.enter(ADA, VISITOR)
    stuck = asyncio.Event()
    monkeypatch.setattr(calls, "_close", lambda _: stuck.wait())
    goodbye = threading.Thread(target=calls.say_goodbye, args=("Good night.", 0.0))
    goodbye.start()

    await asyncio.to_thread(goodbye.join, PATIENCE_S)
    assert not goodbye.is_alive()


def counted(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, {"route": "bridged", **labels})


async def test_a_call_is_counted_from_its_offer_to_its_end(server):
    metrics = Metrics("gpt-realtime-2.1")
    calls = new_calls(server, metrics)
    call = calls.enter(ADA, VISITOR, own_key="k" * 20)
    assert counted(metrics, "voice_calls_running") == 1
    assert counted(metrics, "voice_join_seconds_count") is None

    page = Page().join(call)
    upstream = await server.connection()
    await upstream.greet()
    await page.sees(type="state", connection="connected")
    assert calls.enter(ADA, VISITOR) is call
    page.join(call)
    usage = {"input_tokens": 5, "input_token_details": {"text_tokens": 5}}
    response = {"id": "r", "status": "completed", "output": [], "usage": usage}
    await upstream.send("response.done", response=response)
    await upstream.send("error", error={"code": "rate_limit_exceeded", "message": "Slowly."})
    await page.sees(
        type="state", notice="The server is busy: too many requests. Wait a minute, then try again."
    )
    await call.close("The app is being stopped.")

    assert counted(metrics, "voice_calls_started_total") == 1
    assert counted(metrics, "voice_calls_running") == 0
    assert counted(metrics, "voice_calls_ended_total", ending="stopped") == 1
    assert counted(metrics, "voice_join_seconds_count") == 1
    assert counted(metrics, "voice_rejoins_total") == 1
    assert counted(metrics, "voice_tokens_total", kind="input_text", payer="visitor") == 5
    failures = {"severity": "transient", "class": "busy"}
    assert counted(metrics, "voice_failures_total", **failures) == 1


async def test_a_call_whose_browser_never_came_is_counted_as_such(server):
    metrics = Metrics()
    new_calls(server, metrics).enter(ADA, VISITOR).abandon()

    assert counted(metrics, "voice_calls_ended_total", ending="never_joined") == 1


async def test_a_call_that_the_server_refuses_is_counted_as_failed(server):
    server.refuses = True
    metrics = Metrics()
    page = Page().join(new_calls(server, metrics).enter(ADA, VISITOR))
    await page.sees(type="state", connection="failed")

    assert counted(metrics, "voice_calls_ended_total", ending="failed") == 1
    failures = {"severity": "transient", "class": "other"}
    assert counted(metrics, "voice_failures_total", **failures) == 1
    await page.call.close("")


async def test_answers_are_counted_when_they_change_no_more(server):
    metrics = Metrics()
    call = new_calls(server, metrics).enter(ADA, VISITOR)
    for asked_at in (1.0, 5.0):
        call.inspection.timing.typed(asked_at)
        call.inspection.receive(AudioDelta("r", "i", 0, b""), asked_at + 0.4)
        call.inspection.sent(LOUD, asked_at + 0.5 - Delays().heard(0.0))
        call.inspection.receive(ResponseDone("r", "completed", (), ServerError(), Usage()), 9.0)
    assert counted(metrics, "voice_answer_seconds_count", kind="typed") == 1

    call.abandon()
    assert counted(metrics, "voice_answer_seconds_sum", kind="typed") == pytest.approx(1.0)
