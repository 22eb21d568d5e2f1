"""Who may try the functions of the whole app."""

from typing import Any

import httpx
import pytest

from tests.running import NO_CALLS, running_app

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

KEY = "a" * 32
ASKED = {"key": KEY, "name": "world_clock", "arguments": '{"place": "Tokyo"}'}


def tried(url: str) -> httpx.Response:
    return httpx.post(f"{url}/api/tools", json=ASKED, timeout=20)


def test_a_visitor_of_a_local_page_may(tmp_path):
    with running_app(tmp_path, **NO_CALLS) as url:
        response = tried(url)
    assert response.status_code == 200
    assert "+09:00" in response.json()["result"]


def test_a_visitor_who_may_not_use_the_tools_finds_no_such_address(tmp_path):
    with running_app(tmp_path, VISITOR_SETTINGS="voice,events", **NO_CALLS) as url:
        assert tried(url).status_code == 404


def test_nobody_may_without_the_login(tmp_path):
    login: dict[str, Any] = {"APP_USERNAME": "ada", "APP_PASSWORD": "a long password"}
    with running_app(tmp_path, **login, **NO_CALLS) as url:
        assert tried(url).status_code == 401
