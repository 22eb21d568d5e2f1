"""A visitor who says that he is many, to try more passwords than one may."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import NO_CALLS, running_app

pytestmark = pytest.mark.integration

LOGIN: dict[str, Any] = {"APP_USERNAME": "ann", "APP_PASSWORD": "a long secret"}
ALLOWED = 10
"""Tries that a visitor has in a minute; they are counted in whole minutes, so twice as many at
the turn of one."""
TRIES = 3 * ALLOWED


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tmp_path_factory.mktemp("app"), **LOGIN, **NO_CALLS) as url:
        yield url


def attacker(url: str, address: str = "127.0.0.1") -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=url, transport=transport, trust_env=False)


def try_password(client: httpx.Client, *headers: tuple[str, str]) -> int:
    wrong = {"username": "ann", "password": "wrong"}
    return client.post("/login", data=wrong, headers=list(headers)).status_code


def made_up(number: int) -> str:
    return f"203.0.113.{number}"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("127.0.0.2", "X-Forwarded-For"),
        ("127.0.0.3", "X-Real-IP"),
        ("127.0.0.4", "Forwarded"),
        ("127.0.0.5", "True-Client-IP"),
        ("127.0.0.6", "CF-Connecting-IP"),
    ],
)
def test_who_makes_up_addresses_has_no_more_tries(app: str, address: str, name: str) -> None:
    with attacker(app, address) as client:
        answers = [
            try_password(client, (name, f"{'for=' * (name == 'Forwarded')}{made_up(number)}"))
            for number in range(TRIES)
        ]

    assert answers[0] == 400
    assert answers.count(429) >= TRIES - 2 * ALLOWED


def test_behind_a_named_proxy_only_the_proxy_s_own_word_counts(tmp_path: Path) -> None:
    """It adds the address from which it was asked to whatever the visitor has sent."""
    behind_proxy = running_app(tmp_path, FORWARDED_ALLOW_IPS="127.0.0.1", **LOGIN, **NO_CALLS)
    with behind_proxy as url, attacker(url) as client:
        forms = (
            lambda number: [("X-Forwarded-For", f"{made_up(number)}, 198.51.100.7")],
            lambda number: [
                ("X-Forwarded-For", made_up(number)),
                ("X-Forwarded-For", "198.51.100.7"),
            ],
            lambda number: [("X-Forwarded-For", f"127.0.0.1, {made_up(number)}, 198.51.100.7")],
        )
        answers = [try_password(client, *forms[n % 3](n)) for n in range(TRIES)]
        another = try_password(client, ("X-Forwarded-For", "198.51.100.8"))

    assert answers.count(429) >= TRIES - 2 * ALLOWED
    assert another != 429
