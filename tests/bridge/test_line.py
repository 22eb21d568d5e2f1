"""The sockets of a call, with servers that a test plays by hand."""

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager

import pytest

from components.bridge.line import Line
from components.core.outputs import Reconnect
from components.protocol.events import Other
from components.upstream.client import open_upstream
from tests.scripted import PATIENCE_S, scripted_server


class Owner:
    """Keeps what the line tells; a test says what is done about it."""

    def __init__(self):
        self.told = []
        self.quiet = asyncio.Event()
        self.quiet.set()
        self.on_event = lambda event: None
        self.on_loss = lambda: None
        self.on_open = lambda: None
        self._changed = asyncio.Condition()

    def opened(self):
        self._tell("opened")
        self.on_open()

    def received(self, event):
        self._tell(event.type if isinstance(event, Other) else event)
        self.on_event(event)

    def lost(self, failure):
        self._tell(failure)
        self.on_loss()

    def failed(self):
        self._tell("failed")

    def is_quiet(self):
        return self.quiet.is_set()

    async def hears(self, what, count=1):
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self.told.count(what) >= count)

    def _tell(self, what):
        self.told.append(what)
        self.task = asyncio.create_task(self._notify())

    async def _notify(self):
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def line():
    """A line, its owner and its server; at the end nothing of it may be open."""
    async with scripted_server() as server:
        owner = Owner()
        held = Line(owner, lambda: open_upstream(f"{server.url}/realtime?model=m", {}))
        try:
            yield held, owner, server
        finally:
            held.end()
            await held.closed()


async def is_closed(connection):
    async with asyncio.timeout(PATIENCE_S):
        await connection.closed.wait()


def alone():
    """Whether no task runs but the test's own and its server's."""
    return [t for t in asyncio.all_tasks() if "Line" in repr(t.get_coro())]


async def test_events_reach_the_owner_and_its_words_the_server():
    async with line() as (held, owner, server):
        held.begin()
        connection = await server.connection()
        await owner.hears("opened")
        held.send({"type": "response.create"})
        held.send_audio(bytes(960))
        await connection.expect("input_audio_buffer.append")
        await connection.send("odd")
        await owner.hears("odd")

    assert [event["type"] for event in connection.received] == [
        "response.create",
        "input_audio_buffer.append",
    ]


async def test_what_is_said_without_a_socket_is_dropped():
    async with line() as (held, owner, server):
        held.send({"type": "response.create"})
        held.send_audio(bytes(960))
        held.reconnect(0.0)
        held.begin()
        connection = await server.connection()
        await owner.hears("opened")

    await is_closed(connection)
    assert connection.received == []


async def test_an_end_that_an_event_causes_closes_the_socket():
    async with line() as (held, owner, server):
        owner.on_event = lambda _: held.end()
        held.begin()
        connection = await server.connection()
        await connection.send("the last one")

        await is_closed(connection)
        await held.closed()
        assert alone() == []


async def test_an_ended_line_keeps_nothing_of_its_socket():
    async with scripted_server() as server:
        opened = []

        async def open_one():
            upstream = await open_upstream(f"{server.url}/realtime?model=m", {})
            opened.append(weakref.ref(upstream))
            return upstream

        owner = Owner()
        held = Line(owner, open_one)
        held.begin()
        await owner.hears("opened")
        held.end()
        await held.closed()
        gc.collect()

        assert [ref() for ref in opened] == [None]


async def test_an_end_while_a_successor_is_being_opened_leaves_nothing():
    async with line() as (held, owner, server):
        held.begin()
        connection = await server.connection()
        await owner.hears("opened")
        server.holds = True
        held.renew()
        await server.asked.wait()
        held.end()
        await held.closed()

        await is_closed(connection)
        assert alone() == []


async def test_an_end_while_a_successor_waits_closes_both():
    async with line() as (held, owner, server):
        held.begin()
        connection = await server.connection()
        await owner.hears("opened")
        owner.quiet.clear()
        held.renew()
        successor = await server.connection()
        held.end()
        await held.closed()

        await is_closed(connection)
        await is_closed(successor)
        assert alone() == []


async def test_a_loss_while_a_successor_waits_is_taken_over_by_it():
    async with line() as (held, owner, server):
        held.begin()
        connection = await server.connection()
        await owner.hears("opened")
        owner.quiet.clear()
        held.renew()
        successor = await server.connection()
        held.renew()  # one is enough
        await connection.socket.close()
        await owner.hears("opened", 2)
        await successor.send("here")
        await owner.hears("here")

    assert owner.told == ["opened", "opened", "here"]


async def test_a_reconnect_while_a_successor_waits_begins_anew_and_the_next_loss_is_told():
    """What was once left behind made the line deaf for the next loss."""
    async with line() as (held, owner, server):
        held.begin()
        await server.connection()
        await owner.hears("opened")
        owner.quiet.clear()
        held.renew()
        successor = await server.connection()
        held.reconnect(0.0)
        third = await server.connection()
        await owner.hears("opened", 2)
        await is_closed(successor)
        await third.socket.close()
        async with asyncio.timeout(PATIENCE_S):
            await held.closed()

    assert owner.told[:2] == ["opened", "opened"]
    assert "lost" in owner.told[2].sentence


async def test_a_successor_that_cannot_be_opened_changes_nothing():
    async with line() as (held, owner, server):
        held.begin()
        connection = await server.connection()
        await owner.hears("opened")
        server.refuses = True
        held.renew()
        await server.refused.wait()
        await connection.send("still here")
        await owner.hears("still here")


async def test_a_loss_is_told_and_another_socket_opened_if_the_owner_wants_one():
    async with line() as (held, owner, server):
        owner.on_loss = lambda: held.reconnect(Reconnect(0.0).pause_s)
        held.begin()
        connection = await server.connection()
        await owner.hears("opened")
        await connection.socket.close()
        await server.connection()
        await owner.hears("opened", 2)


async def test_a_fault_of_the_owner_ends_the_line_and_is_told(caplog: pytest.LogCaptureFixture):
    def fault(_):
        raise ZeroDivisionError

    async with line() as (held, owner, server):
        owner.on_event = fault
        held.begin()
        connection = await server.connection()
        await connection.send("odd")
        await owner.hears("failed")
        await held.closed()
        await is_closed(connection)

    assert "the line failed" in caplog.text


async def test_what_is_said_as_a_successor_takes_over_reaches_it():
    """The former socket was closed first, and what was said meanwhile went nowhere."""
    async with line() as (held, owner, server):
        held.begin()
        former = await server.connection()
        await owner.hears("opened")
        owner.quiet.clear()
        held.renew()
        successor = await server.connection()
        owner.on_open = lambda: held.send({"type": "response.create"})
        owner.quiet.set()
        await successor.expect("response.create")
        await is_closed(former)

    assert former.received == []


async def test_a_fault_of_the_owner_at_a_renewal_is_told(caplog: pytest.LogCaptureFixture):
    def fault():
        raise ZeroDivisionError

    async with line() as (held, owner, server):
        held.begin()
        await server.connection()
        await owner.hears("opened")
        owner.on_open = fault
        held.renew()
        await owner.hears("failed")

    assert "the line failed" in caplog.text
