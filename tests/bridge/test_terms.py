"""Whose key opens the sockets of a call, and what the call may cost."""

from components.access.visitor import identifier
from components.bridge.terms import Terms
from components.core.allowance import Limits
from components.settings import Settings

OWNERS = Settings(
    practice=False,
    api_key="sk-owner-000000000000",
    max_call_seconds=60,
    max_idle_seconds=30,
    max_call_cost=0.5,
)


def test_the_owners_key_opens_the_socket_for_a_named_visitor() -> None:
    url, headers = Terms(OWNERS, "192.0.2.1").address("gpt-realtime-2.1")
    assert url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"
    assert headers == {
        "Authorization": "Bearer sk-owner-000000000000",
        "OpenAI-Safety-Identifier": identifier("192.0.2.1", "sk-owner-000000000000"),
    }


def test_the_limits_are_those_of_the_settings() -> None:
    assert Terms(OWNERS, "").limits == Limits(call_s=60, idle_s=30, cost=0.5)


def test_a_call_that_is_over_holds_no_key() -> None:
    terms = Terms(OWNERS, "192.0.2.1")
    terms.end()
    assert terms.address("gpt-realtime-2.1")[1] == {}
    assert "sk-owner" not in repr(vars(terms))
