"""Keys and origins."""

import pytest

from components.practice.server import door


@pytest.mark.parametrize(
    ("given", "key", "taken"),
    [
        ("", "", True),
        ("anything", "", True),
        ("ek_1", "", False),
        ("right", "right", True),
        ("wrong", "right", False),
        ("", "right", False),
        ("\u00fc", "right", False),
    ],
)
def test_a_servers_key(given: str, key: str, taken: bool) -> None:
    assert (door.wrong_key(given, key) is None) is taken


@pytest.mark.parametrize(
    ("headers", "protocols", "key"),
    [
        ({"authorization": "Bearer a"}, (), "a"),
        ({"authorization": "bearer  a "}, (), "a"),
        ({"authorization": "Basic a"}, (), ""),
        ({}, ("realtime", "openai-insecure-api-key.b"), "b"),
        ({}, (), ""),
    ],
)
def test_where_a_key_stands(headers: dict[str, str], protocols: tuple[str, ...], key: str) -> None:
    assert door.key_of(headers, protocols) == key


@pytest.mark.parametrize(
    ("origin", "local"),
    [
        (None, True),
        ("http://localhost:7860", True),
        ("http://[::1]:7860", True),
        ("https://example.org", False),
        ("null", False),
        ("http://[broken", False),
    ],
)
def test_whose_page_it_is(origin: str | None, local: bool) -> None:
    assert door.is_local(origin) is local


@pytest.mark.parametrize(
    ("model", "beta", "code"),
    [
        ("practice-engine", False, None),
        ("practice-engine", True, "beta_api_shape_disabled"),
        ("", False, "missing_model"),
        ("gpt-9", False, "model_not_found"),
    ],
)
def test_a_session_that_cannot_be(model: str, beta: bool, code: str | None) -> None:
    refusal = door.wrong_session(model, beta)

    assert (refusal and refusal[1]) == code
