"""The functions that run for one call."""

import asyncio

import pytest

from components import tools
from components.bridge.runs import Runs
from components.core.outputs import RunTool

DECLARED = tools.definitions()


async def ran(name: str, offered: list[dict[str, str]]) -> tuple[str, str, float]:
    ended: asyncio.Queue[tuple[str, str, float]] = asyncio.Queue()
    runs = Runs(lambda *what: ended.put_nowait(what))
    runs.begin(RunTool("c1", name, "{}"), offered)
    return await asyncio.wait_for(ended.get(), 5)


async def test_a_function_that_is_offered_runs_and_its_time_is_told() -> None:
    call_id, output, took_s = await ran("world_clock", DECLARED)  # type: ignore[arg-type]
    assert call_id == "c1"
    assert "utc_offset" in output
    assert 0 <= took_s < 5


async def test_a_function_that_is_switched_off_does_not_run() -> None:
    _, output, _ = await ran("world_clock", [{"type": "mcp", "server_label": "docs"}])
    assert "There is no function 'world_clock'. There are: none." in output


async def test_what_runs_ends_with_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def endless(*_: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    monkeypatch.setattr(tools, "run", endless)
    runs = Runs(lambda *_: None)
    runs.begin(RunTool("c1", "world_clock", "{}"), DECLARED)
    await begun.wait()
    runs.cancel()
    await asyncio.wait_for(stopped.wait(), 5)
