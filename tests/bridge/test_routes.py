"""Who may look into a call, and what comes of it."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from components.bridge.calls import Calls
from components.bridge.routes import (
    INSPECTION,
    RECORDING,
    inspection_routes,
    recording_routes,
)
from components.core.places import Places
from components.protocol.events import ResponseCreated
from components.protocol.options import Refused
from components.settings import Settings
from components.upstream.wire import WireEvent

ADA = "a" * 32


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    here = Calls(Settings(practice=False, base_url="ws://127.0.0.1:9"), Refused(), Places(2, 2))
    yield here
    await asyncio.to_thread(here.say_goodbye, "", 5.0)


@pytest.fixture
async def visitor(calls: Calls) -> AsyncIterator[httpx.AsyncClient]:
    routes = [*inspection_routes(calls), *recording_routes(calls)]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def an_ended_call(calls: Calls) -> None:
    call = calls.enter(ADA, "127.0.0.1")
    call.inspection.events.write(WireEvent("received", {"type": "one"}, 10, 0.0))
    call.inspection.timing.typed(1.0)
    call.inspection.timing.receive(ResponseCreated("r"), 1.5)
    call.abandon()


async def test_a_call_is_told_in_lines_of_json_to_its_end(
    calls: Calls, visitor: httpx.AsyncClient
) -> None:
    await an_ended_call(calls)
    response = await visitor.post(INSPECTION, json={"key": ADA, "seen": 0})
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["cache-control"] == "no-store"
    [report] = map(orjson.loads, response.content.splitlines())
    assert [row["type"] for row in report["events"]] == ["one"]
    assert [turn["steps"] for turn in report["turns"]] == [{"created": 0.5}]
    assert report["over"]


async def test_what_was_seen_is_not_told_again(calls: Calls, visitor: httpx.AsyncClient) -> None:
    await an_ended_call(calls)
    response = await visitor.post(INSPECTION, json={"key": ADA, "seen": 1})
    assert "events" not in orjson.loads(response.content)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"key": "b" * 32, "seen": 0}, 404, "no_call"),
        ({"key": ADA}, 400, "bad_request"),
        ({"key": ADA, "seen": "0"}, 400, "bad_request"),
        ({"key": [ADA], "seen": 0}, 400, "bad_request"),
        ([], 400, "bad_request"),
        (None, 400, "bad_request"),
    ],
)
async def test_who_names_no_call_gets_a_sentence(
    calls: Calls, visitor: httpx.AsyncClient, body: Any, status: int, code: str
) -> None:
    await an_ended_call(calls)
    content = b"{" if body is None else orjson.dumps(body)
    response = await visitor.post(INSPECTION, content=content)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("address", [INSPECTION, RECORDING])
async def test_pages_of_other_sites_see_nothing(
    calls: Calls, visitor: httpx.AsyncClient, address: str
) -> None:
    await a_recorded_call(calls)
    headers = {"sec-fetch-site": "cross-site"}
    response = await visitor.post(address, json={"key": ADA, "seen": 0}, headers=headers)
    assert response.status_code == 403


async def a_recorded_call(calls: Calls) -> None:
    call = calls.enter(ADA, "127.0.0.1")
    call.command({"type": "record", "on": True})
    call.abandon()


async def test_a_recording_is_for_the_tab_that_made_it(
    calls: Calls, visitor: httpx.AsyncClient
) -> None:
    await a_recorded_call(calls)
    response = await visitor.post(RECORDING, json={"key": ADA})
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert "sound.ogg" in archive.namelist()

    other = await visitor.post(RECORDING, json={"key": "b" * 32})
    assert (other.status_code, other.json()["error"]["code"]) == (404, "no_recording")
    calls.forget(ADA)
    assert (await visitor.post(RECORDING, json={"key": ADA})).status_code == 404


async def test_a_recording_is_ended_before_it_is_fetched(
    calls: Calls, visitor: httpx.AsyncClient
) -> None:
    call = calls.enter(ADA, "127.0.0.1")
    call.command({"type": "record", "on": True})
    response = await visitor.post(RECORDING, json={"key": ADA})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "under_way")
    call.abandon()
    assert (await visitor.post(RECORDING, json={"key": ADA})).status_code == 200
    calls.forget(ADA)


@pytest.mark.parametrize("body", [{"key": [ADA]}, {}, [], None])
async def test_who_names_no_recording_gets_a_sentence(
    visitor: httpx.AsyncClient, body: Any
) -> None:
    content = b"{" if body is None else orjson.dumps(body)
    response = await visitor.post(RECORDING, content=content)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")
