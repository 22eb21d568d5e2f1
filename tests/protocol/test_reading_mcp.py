"""What is read of the items and events that are about MCP servers."""

from typing import Any

import pytest

from components.protocol.events import Item, ItemAdded, ItemDone, ListedTool, Other, ToolsListing
from components.protocol.reading import MOST_DESCRIPTION, MOST_LABEL, MOST_LISTED, server_event


def read(**item: Any) -> Item:
    event = server_event({"type": "conversation.item.done", "item": {"id": "i1", **item}})
    assert isinstance(event, ItemDone)
    return event.item


def test_a_listing_names_its_server_and_its_tools() -> None:
    tools = [
        {"name": "search", "description": "Finds pages.", "input_schema": {}},
        {"name": "fetch", "input_schema": {}},
    ]
    assert read(type="mcp_list_tools", server_label="docs", tools=tools) == Item(
        "i1",
        "tool",
        kind="mcp_list_tools",
        server="docs",
        listed=(ListedTool("search", "Finds pages."), ListedTool("fetch", "")),
    )


@pytest.mark.parametrize("tools", [None, "search", {}, [None, 7, "x", {}, {"name": 7}]])
def test_a_listing_without_usable_tools_has_none(tools: Any) -> None:
    assert read(type="mcp_list_tools", server_label="docs", tools=tools).listed == ()


def test_what_a_server_lists_is_bounded_and_can_be_sent_on() -> None:
    tool = {"name": "n" * 1000, "description": "\ud800" + "d" * 1000}
    item = read(type="mcp_list_tools", server_label="\ud800" + "x" * 1000, tools=[tool] * 1000)
    assert len(item.listed) == MOST_LISTED
    assert len(item.listed[0].name) == MOST_LABEL == len(item.server)
    assert len(item.listed[0].description) == MOST_DESCRIPTION
    item.listed[0].description.encode()
    item.server.encode()


def test_a_call_holds_its_arguments_and_its_result_and_is_no_function() -> None:
    call = {"type": "mcp_call", "server_label": "docs", "name": "search", "arguments": "{}"}
    assert read(**call, output="one page", error=None) == Item(
        "i1",
        "tool",
        name="search",
        arguments="{}",
        output="one page",
        kind="mcp_call",
        server="docs",
    )
    assert read(**call, call_id="c1").call_id == ""


@pytest.mark.parametrize(
    ("error", "output"),
    [
        ({"type": "http_error", "code": 502, "message": "Bad gateway"}, '{"error":"Bad gateway"}'),
        ({"type": "tool_execution_error", "message": "\ud800"}, '{"error":"?"}'),
        ({"type": "x"}, '{"error":"It failed. The server says no more of it."}'),
        ("broken", '{"error":"It failed. The server says no more of it."}'),
    ],
)
def test_a_call_that_failed_says_why(error: Any, output: str) -> None:
    assert read(type="mcp_call", name="search", output=None, error=error).output == output


@pytest.mark.parametrize(
    ("approve", "output"), [(True, "allowed"), (False, "refused"), ("yes", "refused")]
)
def test_a_request_and_its_answer_belong_together(approve: Any, output: str) -> None:
    asked = read(type="mcp_approval_request", server_label="docs", name="search", arguments="{}")
    assert (asked.kind, asked.server, asked.name) == ("mcp_approval_request", "docs", "search")
    answer = read(type="mcp_approval_response", approval_request_id="i1", approve=approve)
    assert (answer.result_of, answer.output) == ("i1", output)


@pytest.mark.parametrize("state", ["in_progress", "completed", "failed"])
def test_a_listing_goes_on(state: Any) -> None:
    event = {"type": f"mcp_list_tools.{state}", "item_id": "i1"}
    assert server_event(event) == ToolsListing("i1", state)
    assert server_event({"type": f"mcp_list_tools.{state}"}) == ToolsListing("", state)


def test_what_is_about_no_server_has_no_kind() -> None:
    assert read(type="function_call").kind == ""
    event = server_event({"type": "conversation.item.added", "item": {"type": ["mcp_call"]}})
    assert isinstance(event, ItemAdded)
    assert event.item.kind == ""
    assert isinstance(server_event({"type": "mcp_list_tools.unknown"}), Other)
