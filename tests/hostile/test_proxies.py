"""A visitor who says that he is many, to try more passwords than one may."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.running import running_app

pytestmark = pytest.mark.integration

LOGIN: dict[str, str] = {"APP_USERNAME": "ann", "APP_PASSWORD": "a long secret"}
ALLOWED = 10
"""Tries that a visitor has in a minute; they are counted in whole minutes, so twice as many at
the turn of one."""
TRIES = 3 * ALLOWED


@contextmanager
def attacker(folder: Path, **variables: str) -> Iterator[httpx.Client]:
    with (
        running_app(folder, port=0, **LOGIN, **variables) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def try_password(client, *headers):
    wrong = {"username": "ann", "password": "wrong"}
    return client.post("/login", data=wrong, headers=list(headers)).status_code


def made_up(number):
    return f"203.0.113.{number}"


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP"]
)
def test_who_makes_up_addresses_has_no_more_tries(tmp_path, name):
    with attacker(tmp_path) as client:
        answers = [
            try_password(client, (name, f"{'for=' * (name == 'Forwarded')}{made_up(number)}"))
            for number in range(TRIES)
        ]

    assert answers.count(429) >= TRIES - 2 * ALLOWED


def test_behind_a_named_proxy_only_the_proxy_s_own_word_counts(tmp_path):
    """It adds the address from which it was asked to whatever the visitor has sent."""
    with attacker(tmp_path, FORWARDED_ALLOW_IPS="127.0.0.1") as client:
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
