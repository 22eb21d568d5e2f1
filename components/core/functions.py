"""The functions that the assistant has called, and whether a response is owed for their outputs.

Rule: each call runs once, and its output is sent, or the model would wait for it for ever. When all
calls of a response have run, one more response is owed, unless that response was cut off. A call of
an MCP server ends the response and is made by the Realtime server, which then waits to be asked; so
it does when such a call was refused.
"""

from collections.abc import Iterable
from typing import Final

from components.core.outputs import Output, RunTool, Send
from components.protocol.events import Item

MOST_RUNNING: Final = 16
"""At a time; what is called beyond gets an answer that says so."""
MOST_REMEMBERED: Final = 1000
"""Calls that would not be run again; a server that repeats older ones has them run twice."""
TOO_MANY: Final = '{"error": "Too many functions run already. Wait for their results first."}'


class Functions:
    """The calls of one session of the server."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}
        self._under_way: set[str] = set()
        """Running, called by the response under way; by call id."""
        self._called = False
        """Whether the response under way has called anything."""
        self._of_ended: list[set[str]] = []
        """What still runs, for each response that has ended and was not cut off."""
        self._running: set[str] = set()
        """All that runs, and whose output the server waits for."""
        self._remote: dict[str, bool] = {}
        """Calls of MCP servers and refusals, by their items, and whether an answer is wanted."""
        self.owed = False
        """Whether there are outputs that no response has been told."""

    @property
    def pending(self) -> bool:
        """Whether an answer still depends on a function."""
        remote = any(self._remote.values())
        return self._called or bool(self._of_ended) or remote or self.owed

    def remote(self, item: Item, *, done: bool) -> None:
        """The server calls a tool of an MCP server, has done so with any result, or must not."""
        refused = item.kind == "mcp_approval_response" and item.output == "refused"
        if not item.item_id or (item.kind != "mcp_call" and not refused):
            return
        wanted = self._remote.setdefault(item.item_id, True)
        if len(self._remote) > MOST_REMEMBERED:
            del self._remote[next(iter(self._remote))]
        if done or refused:
            self.owed = self.owed or wanted
            self._remote[item.item_id] = False

    def call(self, items: Iterable[Item]) -> list[Output]:
        """Run what is called and was not called before."""
        outputs: list[Output] = []
        for item in items:
            if item.call_id and item.call_id not in self._seen:
                outputs += self._begin(item)
        return outputs

    def response_ended(self, cut_off: bool) -> None:
        """The response under way has ended; what it called may still run."""
        if self._called and not cut_off:
            self._of_ended.append(self._under_way)
        self._called, self._under_way = False, set()
        self._settle()

    def ran(self, call_id: str, output: str) -> list[Output]:
        """A function has run; nothing to send if the server has forgotten its call."""
        if call_id not in self._running:
            return []
        self._running.remove(call_id)
        for running in (self._under_way, *self._of_ended):
            running.discard(call_id)
        self._settle()
        return [_result(call_id, output)]

    def release(self) -> None:
        """The user wants no answer any more to what has been called so far."""
        self._of_ended.clear()
        self._remote = dict.fromkeys(self._remote, False)
        self.owed = False

    def _begin(self, item: Item) -> list[Output]:
        self._seen[item.call_id] = None
        if len(self._seen) > MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._called = True
        if len(self._running) >= MOST_RUNNING:
            return [_result(item.call_id, TOO_MANY)]
        self._under_way.add(item.call_id)
        self._running.add(item.call_id)
        return [RunTool(item.call_id, item.name, item.arguments)]

    def _settle(self) -> None:
        self.owed = self.owed or not all(self._of_ended)
        self._of_ended = [running for running in self._of_ended if running]


def _result(call_id: str, output: str) -> Output:
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    return Send({"type": "conversation.item.create", "item": item})
