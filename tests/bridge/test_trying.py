"""A function that is tried by hand: the same as in a call, and for one tab at a time."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from components import tools
from components.bridge.trying import TRYING, trying_routes
from components.tools import MOST_CHARACTERS, Threads, tool

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
async def visitor() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=trying_routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def tried(visitor: httpx.AsyncClient, name: str, arguments: str = "{}") -> Any:
    asked = {"key": ADA, "name": name, "arguments": arguments}
    response = await visitor.post(TRYING, json=asked)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["took_ms"] >= 0
    return response.json()["result"]


async def test_the_result_is_what_the_model_would_be_told(visitor: httpx.AsyncClient) -> None:
    told = json.loads(await tried(visitor, "world_clock", '{"place": "Tokyo"}'))
    assert told["utc_offset"] == "+09:00"


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("launch", "{}", "There is no function 'launch'."),
        ("world_clock", "[", "The arguments must be a JSON object."),
        ("world_clock", '{"place": 7}', "'place' does not fit"),
        ("world_clock", '{"planet": "Mars"}', "There is no argument 'planet'."),
    ],
)
async def test_what_cannot_be_run_is_answered_as_in_a_call(
    visitor: httpx.AsyncClient, name: str, arguments: str, sentence: str
) -> None:
    assert sentence in json.loads(await tried(visitor, name, arguments))["error"]


async def test_a_function_that_raises_hangs_or_returns_too_much_is_bounded(
    visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        """Raises."""
        raise RuntimeError("secret")

    async def hang() -> None:
        """Never comes back."""
        await asyncio.Event().wait()

    def flood() -> str:
        """Returns ten megabytes."""
        return "x" * 10_000_000

    made = (tool(fail), tool(hang), tool(flood))
    run = tools.run

    async def run_made(name: str, arguments: str, threads: Threads) -> str:
        return await run(name, arguments, threads, made)

    monkeypatch.setattr(tools, "run", run_made)

    failed = await tried(visitor, "fail")
    assert "fail failed" in failed
    assert "secret" not in failed
    assert len(await tried(visitor, "flood")) == MOST_CHARACTERS
    monkeypatch.setattr(tools, "LIMIT_S", 0.1)
    assert "did not answer within 0.1 seconds" in await tried(visitor, "hang")


async def test_a_tab_tries_one_at_a_time_and_keeps_nobody_else_waiting(
    visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> str:
        begun.set()
        await go_on.wait()
        return "done"

    monkeypatch.setattr(tools, "run", slow)
    first = asyncio.create_task(tried(visitor, "world_clock"))
    await begun.wait()
    asked = {"name": "world_clock", "arguments": "{}"}
    refused = await visitor.post(TRYING, json={**asked, "key": ADA})
    assert refused.status_code == 429
    assert refused.json()["error"]["message"] == ("Another try still runs. Wait for its result.")
    other = asyncio.create_task(visitor.post(TRYING, json={**asked, "key": BOB}))
    go_on.set()
    assert await first == "done"
    assert (await other).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "world_clock", "arguments": "{}"},
        {"key": "", "name": "world_clock", "arguments": "{}"},
        {"key": "A" * 32, "name": "world_clock", "arguments": "{}"},
        {"key": ADA, "name": ["world_clock"], "arguments": "{}"},
        {"key": ADA, "name": "world_clock", "arguments": {}},
        [],
        None,
    ],
)
async def test_who_names_no_function_or_has_no_key_gets_a_sentence(
    visitor: httpx.AsyncClient, body: Any
) -> None:
    response = await visitor.post(TRYING, content=b"{" if body is None else orjson.dumps(body))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")


async def test_pages_of_other_sites_are_sent_away(visitor: httpx.AsyncClient) -> None:
    headers = {"origin": "https://elsewhere.example"}
    asked = {"key": ADA, "name": "world_clock", "arguments": "{}"}
    assert (await visitor.post(TRYING, json=asked, headers=headers)).status_code == 403
