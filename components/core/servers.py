"""The MCP servers of a session: what tools each has listed, and which calls wait to be allowed.

Rule: the Realtime server calls them, so nothing of it is performed here; a request is answered
once, and one of a session that is over never.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.core.outputs import Output, Send
from components.protocol.events import (
    Item,
    ItemAdded,
    ItemDone,
    ListedTool,
    OutputItemAdded,
    OutputItemDone,
    ServerEvent,
    ToolsListing,
)

MOST_LISTINGS: Final = 16
"""That are kept; each change of the tools may begin others."""
MOST_REQUESTS: Final = 16
"""That wait at a time; the oldest gives way."""
MOST_SEEN: Final = 1000
"""Requests that are remembered; a server that repeats older ones has them asked again."""


@dataclass(slots=True)
class _Listing:
    label: str = ""
    state: str = "in_progress"
    tools: tuple[ListedTool, ...] = ()


class Servers:
    """Those of one call, as the Realtime server tells of them."""

    def __init__(self) -> None:
        self._listings: dict[str, _Listing] = {}
        """By the ids of their `mcp_list_tools` items."""
        self._requests: dict[str, None] = {}
        """Those that wait, by their ids, in the order in which they came."""
        self._seen: dict[str, None] = {}
        """Requests that are not asked again, though the server names them again."""
        self._answers = 0

    @property
    def message(self) -> Mapping[str, Any]:
        """For the page: each server's tools, newest listing last, and the requests that wait."""
        listings = {each.label: each for each in self._listings.values() if each.label}
        return {
            "type": "servers",
            "servers": [
                {
                    "label": each.label,
                    "state": each.state,
                    "tools": [
                        {"name": tool.name, "description": tool.description} for tool in each.tools
                    ],
                }
                for each in listings.values()
            ],
            "requests": list(self._requests),
        }

    def reset(self) -> None:
        """Another session of the server: it lists anew, and what was asked is void."""
        self._listings.clear()
        self._requests.clear()
        self._seen.clear()

    def receive(self, event: ServerEvent) -> bool:
        """Whether an event has changed what there is to show."""
        match event:
            case ToolsListing(item_id, state):
                return self._listed(item_id, state)
            case ItemAdded(item) | ItemDone(item) | OutputItemAdded(_, item):
                return self._item(item)
            case OutputItemDone(_, item):
                return self._item(item)
        return False

    def answer(self, item_id: str, allow: bool) -> list[Output]:
        """Somebody allows a call, or refuses it; nothing to send if none waits by this id."""
        if item_id not in self._requests:
            return []
        del self._requests[item_id]
        self._answers += 1
        answer = {
            "id": f"approval_{self._answers}",
            "type": "mcp_approval_response",
            "approval_request_id": item_id,
            "approve": allow,
        }
        return [Send({"type": "conversation.item.create", "item": answer})]

    def _item(self, item: Item) -> bool:
        match item.kind:
            case "mcp_list_tools":
                listing = self._listing(item.item_id)
                if listing is None:
                    return False
                listing.label = item.server or listing.label
                if item.listed:
                    listing.tools, listing.state = item.listed, "completed"
                return True
            case "mcp_approval_request" if item.item_id and item.item_id not in self._seen:
                for kept, most in ((self._requests, MOST_REQUESTS), (self._seen, MOST_SEEN)):
                    kept[item.item_id] = None
                    if len(kept) > most:
                        del kept[next(iter(kept))]
                return True
        return False

    def _listed(self, item_id: str, state: str) -> bool:
        listing = self._listing(item_id)
        if listing is None:
            return False
        listing.state = state
        return True

    def _listing(self, item_id: str) -> _Listing | None:
        """The listing of an item; None if that has no id. The oldest gives way."""
        if not item_id:
            return None
        listing = self._listings.setdefault(item_id, _Listing())
        if len(self._listings) > MOST_LISTINGS:
            del self._listings[next(iter(self._listings))]
        return listing
