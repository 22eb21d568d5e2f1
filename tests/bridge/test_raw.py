"""Who may send events by hand, and what becomes of them."""

from dataclasses import replace
from typing import Any

import pytest

from components.bridge.raw import NO_SOCKET, NOT_HERE, RawEvents, may_send_raw
from components.bridge.terms import Terms
from components.protocol.fields import Json
from components.protocol.raw_events import HOLDS_KEY
from components.settings import Settings

LOCAL = Settings(practice=False, api_key="owner-key-00000000000")
CREATE = '{"type": "response.create"}'


class Server:
    """Takes events, as long as there is a socket."""

    def __init__(self) -> None:
        self.connected = True
        self.received: list[Json] = []

    def take(self, event: Json) -> bool:
        if self.connected:
            self.received.append(event)
        return self.connected


def sending(settings: Settings = LOCAL, own: str = "") -> tuple[RawEvents, Server]:
    server = Server()
    return RawEvents(settings, Terms(settings, "", own), server.take), server


def test_an_event_is_sent_with_an_id_by_which_its_refusal_is_known() -> None:
    raw, server = sending()
    assert raw.send(CREATE) == {"number": 1, "problem": ""}
    assert raw.send(CREATE) == {"number": 2, "problem": ""}
    assert [event["event_id"] for event in server.received] == ["raw_1", "raw_2"]


@pytest.mark.parametrize(
    "changes",
    [
        {"share": True},
        {"on_space": True},
        {"host": "0.0.0.0"},
        {"proxies": ("10.0.0.1",)},
        {"root_path": "/voice"},
        {"share": True, "visitor_settings": ("events",)},
        {"visitor_settings": ("voice",)},
    ],
    ids=str,
)
def test_a_page_that_others_can_open_sends_none(changes: dict[str, Any]) -> None:
    settings = replace(LOCAL, **changes)
    assert not may_send_raw(settings)
    raw, server = sending(settings)
    assert raw.send(CREATE)["problem"] == NOT_HERE
    assert server.received == []


@pytest.mark.parametrize("own", ["", "visitors-key-1111111111"])
def test_the_key_of_the_call_is_never_sent_in_an_event(own: str) -> None:
    raw, server = sending(own=own)
    key = own or LOCAL.api_key
    for text in (key, key.replace("k", "\\u006b")):
        event = f'{{"type": "session.update", "session": {{"instructions": "{text}"}}}}'
        assert raw.send(event)["problem"] == HOLDS_KEY
    assert server.received == []


def test_a_call_without_a_key_may_send_everything_else() -> None:
    raw, server = sending(Settings(practice=True))
    assert raw.send(CREATE)["problem"] == ""
    assert len(server.received) == 1


def test_what_is_not_sent_is_told_with_the_reason() -> None:
    raw, server = sending()
    assert raw.send("{")["problem"].startswith("That is not JSON")
    server.connected = False
    assert raw.send(CREATE) == {"number": 2, "problem": NO_SOCKET}
