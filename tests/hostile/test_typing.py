"""Pages that type without end: how many answers the owner pays for."""

import asyncio
from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from components.bridge.calls import Calls
from components.core.pace import AT_ONCE, EVERY_S, TOO_OFTEN
from components.core.places import Places
from components.protocol.options import Refused
from components.settings import Settings
from tests.bridge.test_call import Page
from tests.scripted import Conversation, ScriptedServer, scripted_server

VISITOR, OTHER = "192.0.2.1", "192.0.2.2"
LINES = 150


async def answer_everything(upstream: Conversation) -> None:
    """As fast as a server can: each response ends as soon as it has begun."""
    answered = 0
    with suppress(ConnectionClosed):
        while True:
            await upstream.expect("response.create", answered + 1)
            answered += 1
            response = {"id": f"r{answered}", "status": "completed", "output": []}
            await upstream.send("response.created", response=response)
            await upstream.send("response.done", response=response)


class House:
    """The calls of an app, and its server."""

    def __init__(self, calls: Calls, server: ScriptedServer) -> None:
        self.calls = calls
        self.server = server
        self.upstreams: list[Conversation] = []
        self._answering: list[asyncio.Task[None]] = []

    async def call(self, key: str, visitor: str) -> Page:
        page: Page = Page().join(self.calls.enter(key * 32, visitor))
        upstream = await self.server.connection()
        await upstream.greet()
        await page.sees(type="state", connection="connected")
        self.upstreams.append(upstream)
        self._answering.append(asyncio.create_task(answer_everything(upstream)))
        return page

    def responses(self) -> int:
        return sum(len(upstream.of("response.create")) for upstream in self.upstreams)

    async def end(self) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)


async def flood(page: Page) -> None:
    """Lines, each as soon as the one before can have been answered."""
    for number in range(LINES):
        page.call.command({"type": "say", "text": f"line {number}"})
        await asyncio.sleep(0.002)


async def test_tabs_and_reconnects_of_a_visitor_cost_what_one_page_does() -> None:
    async with scripted_server() as server:
        settings = Settings(practice=False, base_url=server.url)
        house = House(Calls(settings, Refused(), Places(9, 9)), server)
        begun = asyncio.get_running_loop().time()
        pages = [await house.call(key, VISITOR) for key in "ab"]
        await asyncio.gather(*map(flood, pages))
        await pages[0].call.close("")
        pages[0] = await house.call("a", VISITOR)
        await flood(pages[0])
        seconds = asyncio.get_running_loop().time() - begun

        assert house.responses() <= AT_ONCE + seconds / EVERY_S + 1
        await pages[1].sees(type="state", notice=TOO_OFTEN)

        honest = await house.call("c", OTHER)
        honest.call.command({"type": "say", "text": "Hello"})
        await house.upstreams[-1].expect("response.create")
        await house.end()
        for page in (*pages, honest):
            await page.call.close("")
