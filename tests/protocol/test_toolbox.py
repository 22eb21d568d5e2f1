"""Which functions and MCP servers a session is offered, as a visitor wishes it."""

import json
from typing import Any

import pytest

from components.protocol.fields import Json
from components.protocol.options import SessionOptions, session_change
from components.protocol.toolbox import LONGEST_ADDRESS, MOST_SERVERS, chosen, described, servers_in
from components.protocol.wishes import shown, wished
from tests.wire import validate_client_event

CLOCK = {"type": "function", "name": "clock", "description": "The time.", "parameters": {}}
DICE = {"type": "function", "name": "dice", "description": "Rolls.", "parameters": {}}
FUNCTIONS: tuple[Json, ...] = (CLOCK, DICE)
SERVER = {"label": "docs", "url": "https://example.com/mcp", "approval": "always"}
DECLARED = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://example.com/mcp",
    "require_approval": "always",
}
OPTIONS = SessionOptions(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="",
    turn_detection="server_vad",
    transcription_model=None,
    tools=FUNCTIONS,
    functions=FUNCTIONS,
)


def test_what_is_off_is_not_declared_and_servers_stand_behind_the_functions() -> None:
    assert chosen(FUNCTIONS, {"off": ["dice"], "servers": [SERVER]}) == (CLOCK, DECLARED)
    assert chosen(FUNCTIONS, {"off": ["gone"], "servers": []}) == FUNCTIONS
    assert servers_in((CLOCK, DECLARED)) == [DECLARED]


def test_a_wish_is_told_back_as_it_was_made() -> None:
    wish = {"off": ["dice"], "servers": [SERVER]}
    assert described(FUNCTIONS, chosen(FUNCTIONS, wish)) == wish
    assert described(FUNCTIONS, chosen(FUNCTIONS, json.dumps(wish))) == wish


def test_a_switch_is_one_update_of_the_tools_alone_and_can_be_taken_back() -> None:
    off = wished(OPTIONS, "tools", {"off": ["dice"], "servers": [SERVER]})
    update = session_change(OPTIONS, off, "settings_1")
    assert update is not None
    validate_client_event(update)
    assert update["session"] == {"type": "realtime", "tools": [CLOCK, DECLARED]}
    assert shown(off)["tools"] == {"off": ["dice"], "servers": [SERVER]}
    assert wished(off, "tools", {"off": [], "servers": []}) == OPTIONS


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/mcp?team=1",
        "http://localhost:8000/mcp",
        "http://[::1]:8000/mcp",
    ],
)
def test_an_address_is_taken_as_it_is(url: str) -> None:
    [declared] = chosen((), {"off": [], "servers": [{**SERVER, "url": url}]})
    assert declared["server_url"] == url


@pytest.mark.parametrize(
    "wish",
    [
        None,
        [],
        "clock",
        "[]",
        '{"off": [], "servers": []}' + " " * 16_000,
        {"off": []},
        {"off": "clock", "servers": []},
        {"off": [["clock"]], "servers": []},
        {"off": ["x"] * 129, "servers": []},
        {"off": [], "servers": {}},
        {"off": [], "servers": ["https://example.com"]},
        {
            "off": [],
            "servers": [{**SERVER, "label": f"s{n}"} for n in range(MOST_SERVERS + 1)],
        },
        {"off": [], "servers": [SERVER, SERVER]},
    ],
)
def test_a_wish_of_another_form_is_answered_by_a_sentence(wish: Any) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        chosen(FUNCTIONS, wish)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", "my server"),
        ("label", "x" * 65),
        ("label", "<b>"),
        ("label", 7),
        ("url", "example.com/mcp"),
        ("url", "ftp://example.com"),
        ("url", "javascript:alert(1)"),
        ("url", "file:///etc/passwd"),
        ("url", "https://ada:secret@example.com/mcp"),
        ("url", "https://example.com/a b"),
        ("url", "https://example.com/\r\nHost: x"),
        ("url", "https://example.com/" + "x" * LONGEST_ADDRESS),
        ("url", None),
        ("approval", "sometimes"),
        ("approval", {"never": {}}),
    ],
)
def test_a_server_that_makes_no_sense_is_answered_by_a_sentence(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        chosen((), {"off": [], "servers": [{**SERVER, field: value}]})


def test_a_key_of_the_wish_that_nobody_knows_goes_no_further() -> None:
    server = {**SERVER, "authorization": "secret", "headers": {"x": "y"}}
    assert chosen((), {"off": [], "servers": [server]}) == (DECLARED,)
