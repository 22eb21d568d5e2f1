"""Whose key opens the sockets of a call, and what the call may cost."""

from dataclasses import replace
from typing import Any

import pytest

from components.access.visitor import identifier
from components.bridge.terms import NO_KEY, NOT_HERE, OwnKeyError, Terms, own_key
from components.core.allowance import Limits
from components.protocol.failures import OUR_FAULT, failure_of_status
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


OWN = "own-key-1111111111111111"


def test_a_visitors_own_key_opens_the_socket_in_the_place_of_the_owners() -> None:
    _, headers = Terms(OWNERS, "192.0.2.1", OWN).address("gpt-realtime-2.1")
    assert headers == {"Authorization": f"Bearer {OWN}"}


def test_what_it_pays_for_is_limited_in_time_alone() -> None:
    assert Terms(OWNERS, "", OWN).limits == Limits(call_s=60, idle_s=30, cost=0.0)


def test_a_call_with_it_holds_none_when_it_is_over() -> None:
    terms = Terms(OWNERS, "192.0.2.1", OWN)
    terms.end()
    assert OWN not in repr(vars(terms))


def test_who_has_brought_a_wrong_key_is_told_so_and_not_what_the_owner_should_do() -> None:
    wrong = failure_of_status(401)
    own, owners = Terms(OWNERS, "", OWN), Terms(OWNERS, "")
    assert "OPENAI_API_KEY" in owners.judge(wrong).sentence
    assert own.judge(wrong).sentence == (
        "The server does not accept your key. Check it, then enter it again."
    )
    no_model = failure_of_status(404, b'{"error": {"code": "model_not_found"}}')
    assert own.judge(no_model).sentence.startswith("Your key cannot use the model")
    assert own.judge(OUR_FAULT) is OUR_FAULT


@pytest.mark.parametrize("value", [None, ""])
def test_most_visitors_bring_none(value: Any) -> None:
    assert own_key(value, OWNERS) == ""
    assert own_key(value, replace(OWNERS, practice=True)) == ""


@pytest.mark.parametrize(
    "value",
    ["short", "x" * 401, f"{OWN} more", f"{OWN}\r\nX: 1", "ключ" * 10, 7, True, [OWN], {"a": 1}],
)
def test_what_is_no_key_is_refused_in_a_sentence_that_does_not_repeat_it(value: Any) -> None:
    with pytest.raises(OwnKeyError) as refused:
        own_key(value, OWNERS)
    assert str(refused.value) == NO_KEY


def test_the_practice_server_gets_no_key() -> None:
    with pytest.raises(OwnKeyError) as refused:
        own_key(OWN, replace(OWNERS, practice=True))
    assert str(refused.value) == NOT_HERE
    assert own_key(OWN, OWNERS) == OWN
