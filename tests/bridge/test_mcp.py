"""A call with an MCP server, which the Realtime server calls: listed, asked, answered."""

from components.bridge.calls import Calls
from components.core.places import Places
from components.page.view import messages
from components.protocol.options import Refused
from components.settings import Settings
from tests.bridge.test_call import Page, in_call
from tests.scripted import scripted_server

SERVER = {"label": "docs", "url": "https://example.com/mcp", "approval": "always"}
DECLARED = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://example.com/mcp",
    "require_approval": "always",
}


async def test_a_server_is_added_lists_its_tools_asks_and_is_answered() -> None:
    async with in_call() as (page, upstream):
        wish = {"off": ["world_clock"], "servers": [SERVER]}
        page.call.command({"type": "set", "name": "tools", "value": wish})
        _, update = await upstream.expect("session.update", 2)
        assert "world_clock" not in str(update)
        assert update["session"]["tools"][-1] == DECLARED
        assert set(update["session"]) == {"type", "tools"}
        pending = await page.sees(type="settings", pending=["tools"])
        assert pending["values"]["tools"]["off"] == []
        await upstream.send("session.updated", session=update["session"])
        values = {**pending["values"], "tools": wish}
        await page.sees(type="settings", pending=[], values=values)

        listing = {"id": "l1", "type": "mcp_list_tools", "server_label": "docs", "tools": []}
        await upstream.send("conversation.item.added", item=listing, previous_item_id=None)
        await upstream.send("mcp_list_tools.in_progress", item_id="l1")
        tools = [{"name": "search", "description": "Finds pages.", "input_schema": {}}]
        await upstream.send("conversation.item.done", item={**listing, "tools": tools})
        await upstream.send("mcp_list_tools.completed", item_id="l1")

        asked = {
            "id": "mcpr_1",
            "type": "mcp_approval_request",
            "server_label": "docs",
            "name": "search",
            "arguments": '{"for":"sound"}',
        }
        await upstream.send("response.created", response={"id": "r1"})
        await upstream.send("response.output_item.done", response_id="r1", item=asked)
        await upstream.send(
            "response.done", response={"id": "r1", "status": "completed", "output": [asked]}
        )
        told = await page.sees(type="servers", requests=["mcpr_1"])
        assert told["servers"] == [
            {
                "label": "docs",
                "state": "completed",
                "tools": [{"name": "search", "description": "Finds pages."}],
            }
        ]

        page.call.command({"type": "approve", "id": "mcpr_1", "allow": True})
        page.call.command({"type": "approve", "id": "mcpr_1", "allow": False})
        [answer] = await upstream.expect("conversation.item.create")
        assert answer["item"]["approve"] is True
        await upstream.send("conversation.item.added", item=answer["item"])
        made = {**asked, "id": "m1", "type": "mcp_call", "output": None}
        await upstream.send("conversation.item.added", item=made)
        await upstream.send("conversation.item.done", item={**made, "output": "one page"})
        await upstream.expect("response.create")
        assert len(upstream.of("conversation.item.create")) == 1
        shown = messages(page.call.conversation)

    assert "docs asks to run <b>search</b>" in shown[0]["content"]
    assert "allowed" in shown[0]["content"]
    assert shown[1]["metadata"]["title"] == "docs: search"
    assert "Result: one page" in shown[1]["content"]


async def test_after_a_refusal_the_conversation_goes_on() -> None:
    async with in_call() as (page, upstream):
        asked = {
            "id": "mcpr_1",
            "type": "mcp_approval_request",
            "server_label": "docs",
            "name": "search",
            "arguments": "{}",
        }
        await upstream.send("response.created", response={"id": "r1"})
        await upstream.send("conversation.item.added", item=asked, previous_item_id=None)
        await upstream.send(
            "response.done", response={"id": "r1", "status": "completed", "output": [asked]}
        )
        await page.sees(type="servers", requests=["mcpr_1"])
        page.call.command({"type": "approve", "id": "mcpr_1", "allow": False})
        [answer] = await upstream.expect("conversation.item.create")
        await upstream.send("conversation.item.added", item=answer["item"])
        await upstream.send("conversation.item.done", item=answer["item"])
        await upstream.expect("response.create")

    assert len(upstream.of("response.create")) == 1


async def test_a_servers_address_is_told_to_nobody_but_the_tab_that_named_it() -> None:
    secret = "https://example.com/mcp?token=a-secret"
    wish = {"off": [], "servers": [{**SERVER, "url": secret}]}
    async with scripted_server() as server:
        settings = Settings(practice=False, base_url=server.url, api_key="sk-test")
        calls = Calls(settings, Refused(), Places(2, 2))
        pages = []
        for key, wishes in (("a" * 32, {"tools": wish}), ("b" * 32, {})):
            pages.append(Page().join(calls.enter(key, "127.0.0.1", wishes)))
            upstream = await server.connection()
            await upstream.greet()
            await pages[-1].sees(type="state", connection="connected")
        ada, bob = pages
        assert secret in str(ada.messages)
        assert secret not in str(bob.messages)
        seen = [calls.inspection(key * 32) for key in "ab"]
        mine, theirs = (str([row.shown() for row in each.events.since(0)]) for each in seen if each)
        assert secret in mine
        assert secret not in theirs
        for page in pages:
            await page.call.close("")
