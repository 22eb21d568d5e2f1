"""Messages to one client: in order, never waiting, never without end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from components.practice.engine.outputs import Close
from components.practice.server import outlet
from components.practice.server.outlet import Outlet, WireClosedError


class FakeWire:
    """Takes a message when `gate` is open."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.taken = asyncio.Event()
        self.closed = asyncio.Event()
        self.aborted = False
        self.gone = False

    async def send(self, text: str) -> None:
        await self.gate.wait()
        if self.gone:
            self.taken.set()
            raise WireClosedError
        self.sent.append(text)
        self.taken.set()

    async def close(self, code: int, reason: str) -> None:
        self.sent.append(f"{code} {reason}")
        self.closed.set()

    def abort(self) -> None:
        self.aborted = True

    async def messages(self) -> AsyncIterator[str | bytes]:
        yield ""


async def test_messages_are_sent_in_order_and_none_after_a_close() -> None:
    wire = FakeWire()
    one = Outlet(wire)
    for message in (b"a", b"b", Close(1001, "over"), b"c"):
        one.put(message)
    await asyncio.wait_for(wire.closed.wait(), 5)
    one.put(b"d")

    assert wire.sent == ["a", "b", "1001 over"]


async def test_a_client_that_does_not_read_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outlet, "MOST_UNSENT_BYTES", 10)
    wire = FakeWire()
    wire.gate.clear()
    one = Outlet(wire)
    one.put(b"123456")
    assert not wire.aborted
    one.put(b"123456")

    assert wire.aborted
    assert "reads too slowly" in caplog.text
    await one.comfortable()
    one.close()


async def test_comfort_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "COMFORTABLE_UNSENT_BYTES", 3)
    wire = FakeWire()
    wire.gate.clear()
    one = Outlet(wire)
    one.put(b"1234")
    waiting = asyncio.create_task(one.comfortable())
    await asyncio.sleep(0)
    assert not waiting.done()
    wire.gate.set()

    await asyncio.wait_for(waiting, 5)
    one.close()


async def test_a_client_that_is_gone_is_told_nothing_more() -> None:
    wire = FakeWire()
    wire.gone = True
    one = Outlet(wire)
    one.put(b"a")
    await asyncio.wait_for(wire.taken.wait(), 5)
    await asyncio.sleep(0)
    wire.gone = False
    one.put(b"b")
    await one.comfortable()

    assert wire.sent == []
