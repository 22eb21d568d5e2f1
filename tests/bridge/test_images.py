"""An image of the page becomes a turn of its own tab's call, or is refused with a sentence."""

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from components.access.body import MAX_BODY_BYTES
from components.bridge.calls import Calls
from components.bridge.images import IMAGES, image_routes
from components.core.places import Places
from components.core.session import MOST_LINE_CHARACTERS
from components.protocol.images import MOST_BYTES
from components.protocol.options import Refused
from components.settings import Settings
from tests.bridge.test_call import Page
from tests.images import gif, jpeg, png
from tests.scripted import ScriptedServer, scripted_server
from tests.wire import validate_client_event

ADA, EVE = "a" * 32, "e" * 32


def coded(data: bytes) -> str:
    return b64encode(data).decode()


ASKED = {"key": ADA, "name": "abc", "text": "What is it?", "image": coded(jpeg())}


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
def calls(server: ScriptedServer) -> Calls:
    return Calls(Settings(practice=False, base_url=server.url), Refused(), Places(2, 2))


@pytest.fixture
async def visitor(calls: Calls) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=image_routes(calls)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_an_image_is_said_in_the_call_of_its_tab(
    calls: Calls, server: ScriptedServer, visitor: httpx.AsyncClient
) -> None:
    page: Page = Page().join(calls.enter(ADA, "192.0.2.1"))
    upstream = await server.connection()
    await upstream.greet()
    await page.sees(type="state", connection="connected")

    response = await visitor.post(IMAGES, json=ASKED)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    [event] = await upstream.expect("conversation.item.create")
    sent = validate_client_event(event)
    assert sent.item.content[0].text == "What is it?"
    assert sent.item.content[1].image_url == f"data:image/jpeg;base64,{ASKED['image']}"
    await upstream.expect("response.create")
    [turn] = page.call.inspection.timing.turns
    assert turn.kind == "typed"
    await page.call.close("")


async def test_the_largest_image_and_line_fit_what_the_app_takes_and_sends() -> None:
    largest = {**ASKED, "text": "ü" * MOST_LINE_CHARACTERS, "image": coded(bytes(MOST_BYTES))}

    assert len(orjson.dumps(largest)) < MAX_BODY_BYTES


@pytest.mark.parametrize("key", [EVE, ADA])
async def test_where_there_is_no_call_of_this_key_nothing_is_sent(
    calls: Calls, visitor: httpx.AsyncClient, key: str
) -> None:
    call = calls.enter(ADA, "192.0.2.1")
    if key == ADA:
        call.abandon()
    response = await visitor.post(IMAGES, json={**ASKED, "key": key})
    call.abandon()

    assert (response.status_code, response.json()["error"]["code"]) == (404, "no_call")
    assert call.conversation.messages == ()


@pytest.mark.parametrize(
    ("image", "status", "sentence"),
    [
        (coded(gif()), 422, "Only PNG and JPEG images can be sent. Choose one of these."),
        (coded(png()[:60]), 422, "The image is broken. Choose another one."),
        (coded(jpeg() + bytes(MOST_BYTES)), 422, "The image is too large to send: "),
        ("*", 400, "The request's image is not base64."),
        ("ü", 400, "The request's image is not base64."),
    ],
)
async def test_what_is_no_image_is_refused(
    calls: Calls, visitor: httpx.AsyncClient, image: str, status: int, sentence: str
) -> None:
    call = calls.enter(ADA, "192.0.2.1")
    response = await visitor.post(IMAGES, json={**ASKED, "image": image})
    call.abandon()

    assert response.status_code == status
    assert response.json()["error"]["message"].startswith(sentence)
    assert call.conversation.messages == ()


@pytest.mark.parametrize(
    "body",
    [
        {**ASKED, "key": "x"},
        {**ASKED, "key": None},
        {**ASKED, "name": "a" * 33},
        {**ASKED, "text": 7},
        {"key": ADA},
        [],
        None,
    ],
)
async def test_who_names_no_image_and_no_call_gets_a_sentence(
    visitor: httpx.AsyncClient, body: Any
) -> None:
    content = b"{" if body is None else orjson.dumps(body)
    response = await visitor.post(IMAGES, content=content)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")


async def test_pages_of_other_sites_show_nothing(visitor: httpx.AsyncClient) -> None:
    headers = {"sec-fetch-site": "cross-site"}

    assert (await visitor.post(IMAGES, json=ASKED, headers=headers)).status_code == 403


async def test_a_message_over_the_connection_cannot_pretend_to_bring_an_image(
    calls: Calls,
) -> None:
    call = calls.enter(ADA, "192.0.2.1")
    call.command({"type": "say", "text": "", "image": {"url": "data:image/png;base64,aaaa"}})
    call.abandon()

    assert call.conversation.messages == ()
