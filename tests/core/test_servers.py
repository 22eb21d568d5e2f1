"""The MCP servers of a session: what they list, and which of their calls wait to be allowed."""

from components.core.outputs import Send
from components.core.servers import MOST_LISTINGS, MOST_REQUESTS, MOST_SEEN, Servers
from components.protocol.events import (
    Item,
    ItemAdded,
    ItemDone,
    ListedTool,
    OutputItemAdded,
    OutputItemDone,
    ServerEvent,
    SpeechStopped,
    ToolsListing,
)
from tests.wire import validate_client_event

SEARCH = ListedTool("search", "Finds pages.")


def listing(item_id: str = "l1", *tools: ListedTool, server: str = "docs") -> Item:
    return Item(item_id, "tool", kind="mcp_list_tools", server=server, listed=tools)


def request(item_id: str = "a1") -> Item:
    return Item(item_id, "tool", kind="mcp_approval_request", server="docs", name="search")


def told(*events: ServerEvent) -> Servers:
    servers = Servers()
    for event in events:
        servers.receive(event)
    return servers


def shown(servers: Servers) -> list[tuple[str, str, int]]:
    return [
        (each["label"], each["state"], len(each["tools"])) for each in servers.message["servers"]
    ]


def test_a_server_lists_its_tools() -> None:
    servers = Servers()
    assert servers.receive(ItemAdded(listing(), None))
    assert servers.receive(ToolsListing("l1", "in_progress"))
    assert shown(servers) == [("docs", "in_progress", 0)]

    assert servers.receive(ItemDone(listing("l1", SEARCH), None))
    assert servers.receive(ToolsListing("l1", "completed"))
    assert servers.message == {
        "type": "servers",
        "servers": [
            {
                "label": "docs",
                "state": "completed",
                "tools": [{"name": "search", "description": "Finds pages."}],
            }
        ],
        "requests": [],
    }


def test_a_server_that_cannot_be_asked_has_failed_and_the_next_listing_counts() -> None:
    servers = told(ItemAdded(listing(), None), ToolsListing("l1", "failed"))
    assert shown(servers) == [("docs", "failed", 0)]
    servers.receive(ItemDone(listing("l2", SEARCH), None))
    assert shown(servers) == [("docs", "completed", 1)]


def test_a_listing_of_which_nobody_knows_the_server_is_not_shown() -> None:
    assert shown(told(ToolsListing("l1", "in_progress"))) == []
    assert not Servers().receive(ToolsListing("", "failed"))
    assert not Servers().receive(ItemAdded(listing(""), None))


def test_a_label_that_was_told_stays() -> None:
    servers = told(ItemAdded(listing(), None), ItemDone(listing("l1", SEARCH, server=""), None))
    assert shown(servers) == [("docs", "completed", 1)]


def test_the_oldest_listing_gives_way() -> None:
    every = [ItemAdded(listing(f"l{n}", server=f"s{n}"), None) for n in range(MOST_LISTINGS + 1)]
    labels = [label for label, _, _ in shown(told(*every))]
    assert labels == [f"s{n}" for n in range(1, MOST_LISTINGS + 1)]


def test_a_request_waits_until_it_is_answered_once() -> None:
    servers = told(OutputItemAdded("r1", request()), OutputItemDone("r1", request()))
    assert servers.message["requests"] == ["a1"]

    [output] = servers.answer("a1", True)
    assert isinstance(output, Send)
    validate_client_event(output.event)
    assert output.event["item"] == {
        "id": "approval_1",
        "type": "mcp_approval_response",
        "approval_request_id": "a1",
        "approve": True,
    }
    assert servers.message["requests"] == []
    assert servers.answer("a1", True) == []
    assert servers.answer("unknown", False) == []
    assert not servers.receive(ItemDone(request(), None))


def test_a_refusal_says_so() -> None:
    [output] = told(ItemAdded(request(), None)).answer("a1", False)
    assert isinstance(output, Send)
    assert output.event["item"]["approve"] is False


def test_what_a_session_asked_is_void_in_the_next() -> None:
    servers = told(ItemAdded(listing(), None), ItemAdded(request(), None))
    servers.reset()
    assert servers.message == {"type": "servers", "servers": [], "requests": []}
    assert servers.answer("a1", True) == []
    assert servers.receive(ItemAdded(request(), None))


def test_requests_are_bounded() -> None:
    servers = told(*(ItemAdded(request(f"a{n}"), None) for n in range(MOST_REQUESTS + 1)))
    assert servers.message["requests"] == [f"a{n}" for n in range(1, MOST_REQUESTS + 1)]

    servers = told(*(ItemAdded(request(f"a{n}"), None) for n in range(MOST_SEEN + 1)))
    assert servers.receive(ItemDone(request("a0"), None))
    assert not servers.receive(ItemDone(request("a2"), None))


def test_a_request_without_an_id_and_any_other_event_change_nothing() -> None:
    servers = Servers()
    assert not servers.receive(ItemAdded(request(""), None))
    assert not servers.receive(ItemAdded(Item("m1", "assistant"), None))
    assert not servers.receive(SpeechStopped("i1"))
