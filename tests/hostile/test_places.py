"""More calls than there are places, by every route, through the whole app."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.peer import Peer, caller
from tests.practice.call_client import Caller
from tests.running import running_app

pytestmark = pytest.mark.integration

TOKEN = "/api/realtime/token"
CALL = "/api/realtime/call"
OTHER = "127.0.0.2"
"""Another visitor, on the same machine."""
GONE_S = 20


@pytest.fixture
def single(tmp_path: Path) -> Iterator[str]:
    """An app with one place."""
    limits: dict[str, Any] = {"MAX_CALLS": "1", "MAX_STARTS_PER_MINUTE": "1000"}
    with running_app(tmp_path, **limits) as url:
        yield url


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[str]:
    """An app with three places, of which a visitor gets two."""
    limits: dict[str, Any] = {
        "MAX_CALLS": "3",
        "MAX_CALLS_PER_VISITOR": "2",
        "MAX_STARTS_PER_MINUTE": "1000",
    }
    with running_app(tmp_path, **limits) as url:
        yield url


class Button:
    """The voice button on the app's own page, of a visitor with this address."""

    def __init__(self, url: str, address: str = "127.0.0.1") -> None:
        self._url = url
        self._address = address

    async def posts(self, path: str, content: str = "") -> httpx.Response:
        transport = httpx.AsyncHTTPTransport(local_address=self._address)
        async with httpx.AsyncClient(
            transport=transport, base_url=self._url, headers={"Origin": self._url}, timeout=20
        ) as client:
            return await client.post(path, content=content)

    async def is_refused(self, path: str, content: str = "") -> dict[str, str]:
        answer = await self.posts(path, content)
        assert answer.status_code == 503, answer.text
        error: dict[str, str] = answer.json()["error"]
        return error


async def refused(peer: Peer, url: str) -> str:
    """The sentence with which the page's offer is refused."""
    with pytest.raises(ConnectionError) as error:
        await peer.join(url)
    await peer.close()
    return str(error.value.args[0]["meta"]["sentence"])


async def takes_a_token_once_there_is_a_place(button: Button) -> None:
    async with asyncio.timeout(GONE_S):
        while (await button.posts(TOKEN)).status_code == 503:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.2)


async def test_a_call_of_the_page_leaves_no_place_for_direct_ones(single: str) -> None:
    button, direct = Button(single, OTHER), Caller()
    async with caller(single) as peer:
        await peer.sees(type="state", connection="connected")
        by_token = await button.is_refused(TOKEN)
        by_offer = await button.is_refused(CALL, await direct.offer())
        await direct.leave()

    assert by_token == by_offer
    assert by_token["code"] == "busy"
    assert by_token["message"].startswith("Someone else is in a call")
    await takes_a_token_once_there_is_a_place(button)
    # The call that the token may begin is one as well.
    assert "Someone else is in a call" in await refused(Peer(), single)


async def test_one_visitor_gets_his_share_whatever_the_routes(shared: str) -> None:
    ada, bob, direct = Button(shared), Button(shared, OTHER), Caller()
    async with caller(shared) as peer:
        await peer.sees(type="state", connection="connected")
        await direct.accept(await ada.posts(CALL, await direct.offer()))
        await direct.until("session.created")
        for path, content in ((TOKEN, ""), (CALL, "v=0")):
            error = await ada.is_refused(path, content)
            assert error["code"] == "too_many_calls"
            assert error["message"].startswith("2 calls run from here already")
        assert "2 calls run from here already" in await refused(Peer(), shared)

        assert (await bob.posts(TOKEN)).status_code == 200
        assert (await bob.is_refused(TOKEN))["code"] == "busy"

        await direct.leave()
        await takes_a_token_once_there_is_a_place(ada)
