"""The functions that run for one call."""

import asyncio
from html import escape
from typing import Any

import pytest

from components import tools
from components.bridge.runs import Runs
from components.core.outputs import RunTool
from components.page.view import messages
from tests.bridge.test_call import in_call

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


class Odd:
    """No JSON holds it."""

    def __str__(self) -> str:
        return "an odd thing"


def fails() -> None:
    raise RuntimeError("a secret")


async def hangs() -> None:
    await asyncio.Event().wait()


def floods() -> str:
    return "x" * 10_000_000


def leaves() -> None:
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("function", "head", "shown"),
    [
        (fails, "world_clock (failed)", "world_clock failed. Do not try it again"),
        (leaves, "world_clock (failed)", "world_clock failed. Do not try it again"),
        (hangs, "world_clock (failed)", "did not answer within 1 seconds"),
        (floods, "world_clock", "x" * 100),
        (lambda: {"thing": Odd(), "set": {1}}, "world_clock", "an odd thing"),
        (lambda: "\ud800 half", "world_clock", "? half"),
    ],
)
async def test_whatever_a_function_does_the_model_gets_an_answer_and_the_entry_shows_it(
    function: Any, head: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    function.__name__, function.__doc__ = "world_clock", "A function that misbehaves."
    monkeypatch.setattr(tools, "TOOLS", (tools.tool(function),))
    monkeypatch.setattr(tools, "LIMIT_S", 1.0)
    async with in_call() as (page, upstream):
        item = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "world_clock"}
        await upstream.send("response.created", response={"id": "r1"})
        await upstream.send("response.output_item.done", response_id="r1", item=item)
        [output] = await upstream.expect("conversation.item.create")
        await upstream.send("conversation.item.added", item={"id": "o1", **output["item"]})
        done = {"id": "r1", "status": "completed", "output": [item]}
        await upstream.send("response.done", response=done)
        await upstream.expect("response.create")
        [entry] = messages(page.call.conversation)

    assert shown in output["item"]["output"]
    assert len(output["item"]["output"]) <= tools.MOST_CHARACTERS
    assert "secret" not in output["item"]["output"]
    assert entry["metadata"]["title"] == head
    assert escape(shown)[:60] in entry["content"]
    assert entry["metadata"]["duration"] >= 0
