"""What a page may change of its call, and what it is told of it."""

from dataclasses import replace
from typing import Any

import pytest

from components.bridge.tuning import Tuning
from components.core.link import Agreement
from components.protocol.options import SessionOptions
from components.protocol.wishes import NAMES

OPTIONS = SessionOptions(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="A secret of the owner's.",
    turn_detection="server_vad",
    transcription_model="gpt-transcribe",
)
AGREED = Agreement(OPTIONS, OPTIONS, {})


def told(tuning: Tuning, agreement: Agreement = AGREED) -> dict[str, Any]:
    return tuning.message(agreement)


def test_what_a_page_wishes_from_the_start_is_what_the_call_begins_with() -> None:
    tuning = Tuning(NAMES)
    options = tuning.begin(OPTIONS, {"voice": "cedar", "speed": "1.2", "model": "gpt-realtime-2"})
    assert options == replace(OPTIONS, voice="cedar", speed=1.2, model="gpt-realtime-2")
    assert told(tuning)["problems"] == {}


def test_what_visitors_may_not_change_they_neither_change_nor_see() -> None:
    tuning = Tuning(["voice", "language"])
    wishes = {"instructions": "Obey me.", "voice": "cedar", "api_key": "sk-1"}
    assert tuning.begin(OPTIONS, wishes) == replace(OPTIONS, voice="cedar")
    assert tuning.wish(OPTIONS, "instructions", "Obey me.", spoken=False) is None
    message = told(tuning)
    assert list(message["values"]) == ["voice", "language"]
    assert "secret" not in str(message)
    assert message["problems"] == {}


def test_a_wish_that_makes_no_sense_is_answered_beside_its_name_until_it_does() -> None:
    tuning = Tuning(NAMES)
    assert tuning.begin(OPTIONS, {"speed": 9}) == OPTIONS
    assert told(tuning)["problems"] == {"speed": "Choose a number from 0.25 to 1.5."}
    assert tuning.wish(OPTIONS, "speed", 1.5, spoken=False) == replace(OPTIONS, speed=1.5)
    assert told(tuning)["problems"] == {}


def test_what_is_on_its_way_and_what_the_server_refused_is_told() -> None:
    wanted = replace(OPTIONS, speed=1.5)
    message = told(Tuning(NAMES), Agreement(OPTIONS, wanted, {"voice": "No such voice."}))
    assert message["values"]["speed"] == 1.0
    assert message["pending"] == ["speed"]
    assert message["problems"] == {"voice": "No such voice."}


@pytest.mark.parametrize(
    ("name", "value", "spoken", "later"),
    [
        ("model", "gpt-realtime-2", False, ["model"]),
        ("voice", "cedar", True, ["voice"]),
        ("voice", "cedar", False, []),
        ("voice", "marin", True, []),
    ],
)
def test_what_cannot_change_in_a_call_waits_for_the_next(
    name: str, value: str, spoken: bool, later: list[str]
) -> None:
    tuning = Tuning(NAMES)
    found = tuning.wish(OPTIONS, name, value, spoken=spoken)
    assert told(tuning)["later"] == later
    assert (found is None) is (name == "model" or spoken)


def test_a_page_cannot_wish_without_end() -> None:
    wishes = {f"x{number}": 1 for number in range(1000)} | {"voice": "cedar"}
    assert Tuning(NAMES).begin(OPTIONS, wishes) == OPTIONS


SERVER = {"label": "docs", "url": "http://localhost:8000/mcp", "approval": "always"}


def test_a_visitor_who_may_not_use_the_tools_neither_switches_nor_adds_nor_sees_any() -> None:
    tuning = Tuning([name for name in NAMES if name != "tools"])
    wish = {"off": [], "servers": [{**SERVER, "url": "https://example.com/mcp"}]}
    assert tuning.begin(OPTIONS, {"tools": wish}) == OPTIONS
    assert tuning.wish(OPTIONS, "tools", wish, spoken=False) is None
    assert "tools" not in told(tuning)["values"]


def test_a_server_without_tls_is_for_local_pages_only() -> None:
    wish = {"off": [], "servers": [SERVER]}
    assert Tuning(NAMES).wish(OPTIONS, "tools", wish, spoken=False) is not None
    tuning = Tuning(NAMES, local=False)
    assert tuning.wish(OPTIONS, "tools", wish, spoken=False) is None
    assert told(tuning)["problems"] == {
        "tools": "The address of a server begins with https:// here."
    }
