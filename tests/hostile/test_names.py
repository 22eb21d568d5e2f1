"""A page of a foreign host whose name points to this machine (DNS rebinding)."""

import httpx
import pytest

from tests.gradio_routes import CLOSED, MEMBERS, OURS, PUBLIC
from tests.running import NO_CALLS, running_app

pytestmark = pytest.mark.integration

EVIL = "evil.example"
OWN_NAMES = ("localhost", "127.0.0.1", "127.1.2.3", "[::1]")
EVERY_PATH = sorted(PUBLIC | MEMBERS | OURS | CLOSED | {"/nothing"})


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("app")) as url:
        yield url


def visitor(url, host):
    """A browser that takes the app for this host, as it does for any name that leads here."""
    authority = f"{host}:{url.rpartition(':')[2]}"
    own_page = {"Host": authority, "Origin": f"http://{authority}", "Sec-Fetch-Site": "same-origin"}
    return httpx.Client(base_url=url, headers=own_page, trust_env=False)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_route_answers_to_a_foreign_name(url, method):
    with visitor(url, EVIL) as page:
        answers = {path: page.request(method, path) for path in EVERY_PATH}

    assert {path for path, answer in answers.items() if answer.status_code != 403} == set()
    assert all(answer.json()["error"]["code"] == "forbidden_host" for answer in answers.values())


@pytest.mark.parametrize("path", ["/api/realtime/token", "/api/realtime/call"])
def test_no_call_of_the_direct_route_is_begun_under_a_foreign_name(url, path):
    with visitor(url, EVIL) as page:
        assert page.post(path, content=b"v=0\r\n").status_code == 403


@pytest.mark.parametrize("host", OWN_NAMES)
def test_the_page_answers_to_this_machine_s_own_names(url, host):
    with visitor(url, host) as page:
        assert page.get("/").status_code == 200
        assert page.post("/api/realtime/token").status_code == 200


@pytest.mark.parametrize(
    ("flags", "variables"),
    [
        (("--host", "0.0.0.0"), {}),
        ((), {"GRADIO_ROOT_PATH": f"https://{EVIL}"}),
        ((), {"FORWARDED_ALLOW_IPS": "127.0.0.1"}),
    ],
    ids=str,
)
def test_a_page_that_others_may_open_answers_to_any_name(tmp_path, flags, variables):
    with running_app(tmp_path, *flags, **NO_CALLS, **variables) as url, visitor(url, EVIL) as page:
        assert page.get("/").status_code == 200
        assert page.get("/config").status_code == 200
