"""Which functions and MCP servers a session is offered, as a visitor wishes it.

Rule: a wish comes from a page, so it may be anything: it can switch off what the app has, and name
servers by label and address, and nothing else. Their number and lengths are bounded.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from components.protocol.fields import Json

MOST_SERVERS: Final = 8
MOST_OFF: Final = 128
"""Names of functions in one wish."""
LONGEST_ADDRESS: Final = 500
"""Characters."""
LONGEST_WISH: Final = 16_000
"""Characters of JSON."""
APPROVALS: Final = ("always", "never")
"""Whether somebody is asked before a server's tool is called."""
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_ADDRESS: Final = re.compile(
    r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?([/?][!-~]*)?", re.ASCII
)
"""Without a name and a password, which would be shown wherever the address is."""


def chosen(functions: Sequence[Json], value: Any) -> tuple[Json, ...]:
    """`session.tools` for a wish `{"off": [name, …], "servers": [{label, url, approval}, …]}`.

    It may be JSON text as well.
    `functions` are all that the app has. `ValueError` with a sentence if the wish makes no sense.
    """
    match _parsed(value):
        case {"off": list(off), "servers": list(servers)}:
            pass
        case _:
            raise ValueError("Name the functions that are off, and the servers.")
    if len(off) > MOST_OFF or not all(isinstance(name, str) for name in off):
        raise ValueError("Name the functions that are off by their names.")
    if len(servers) > MOST_SERVERS:
        raise ValueError(f"A call has {MOST_SERVERS} servers at most.")
    declared = [_server(server) for server in servers]
    if len({server["server_label"] for server in declared}) < len(declared):
        raise ValueError("Give each server a label of its own.")
    return (*(each for each in functions if each["name"] not in off), *declared)


def described(functions: Sequence[Json], tools: Sequence[Json]) -> Mapping[str, Any]:
    """The wish that `tools` would come of."""
    on = {each["name"] for each in tools if each["type"] == "function"}
    return {
        "off": [each["name"] for each in functions if each["name"] not in on],
        "servers": [
            {
                "label": each["server_label"],
                "url": each["server_url"],
                "approval": each["require_approval"],
            }
            for each in servers_in(tools)
        ],
    }


def servers_in(tools: Sequence[Json]) -> list[Json]:
    """The MCP servers among the declared tools."""
    return [each for each in tools if each["type"] == "mcp"]


def _parsed(value: Any) -> Any:
    """An offer carries the wish as text."""
    if not isinstance(value, str) or len(value) > LONGEST_WISH:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def _server(value: Any) -> Json:
    match value:
        case {"label": str(label), "url": str(url), "approval": str(approval)}:
            pass
        case _:
            raise ValueError("A server has a label, an address, and whether it is asked for.")
    if not _LABEL.fullmatch(label):
        raise ValueError("A label has letters, digits, - and _, 64 at most.")
    if len(url) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(url):
        raise ValueError("Give an address such as https://example.com/mcp, without a password.")
    if approval not in APPROVALS:
        raise ValueError("Choose whether you are asked before each call: always or never.")
    return {
        "type": "mcp",
        "server_label": label,
        "server_url": url,
        "require_approval": approval,
    }
