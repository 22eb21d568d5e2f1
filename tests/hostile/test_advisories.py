"""What published advisories on Gradio and Starlette describe, tried against this app.

`SECURITY.md` lists them, with those that need a part which is not used here.
"""

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.running import NO_CALLS, App, forked_app

pytestmark = pytest.mark.integration

EVIL = "evil.example"
LOGIN = ("ann", "pw-marked-77ab01")
LIMIT_S = 5
MEMBERS = "/config"
PUBLIC = "/theme.css"
FILE = "/static/fonts/IBMPlexMono/IBMPlexMono-Bold.woff2"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with a login that other machines may open, so that it answers to any name."""
    folder = tmp_path_factory.mktemp("app")
    with forked_app(
        folder,
        host="0.0.0.0",
        APP_USERNAME=LOGIN[0],
        APP_PASSWORD=LOGIN[1],
        DIRECT_ROUTE="on",
        **NO_CALLS,
    ) as app:
        yield app
        assert "Traceback" not in app.log.read_text(errors="replace")


@pytest.fixture(scope="module")
def member(app: App) -> Iterator[httpx.Client]:
    """A visitor who has logged in."""
    with httpx.Client(base_url=app.url, trust_env=False) as visitor:
        login = dict(zip(("username", "password"), LOGIN, strict=True))
        visitor.post("/login", data=login).raise_for_status()
        yield visitor


def answer(app: App, line: str, host: str) -> str:
    """The head of what comes back for a request that no client library would send."""
    port = int(app.url.rpartition(":")[2])
    request = "\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", "Connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        connection.sendall(request.encode())
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    return received.partition(b"\r\n\r\n")[0].decode("latin-1")


def status(head: str) -> int:
    return int(head.split()[1])


@pytest.mark.parametrize(
    "host",
    [f"{EVIL}{PUBLIC}?", f"{EVIL}{PUBLIC}#", f"{EVIL}/login?", f"a@{EVIL}/", "[", f"{EVIL}:x"],
)
def test_host_that_holds_a_path_opens_nothing(app, host):
    """CVE-2026-48710: a rebuilt address whose path is what the host says."""
    assert status(answer(app, f"GET {MEMBERS}", host)) in (400, 401, 403)
    assert status(answer(app, "GET /gradio_api/info", host)) in (400, 403, 404)
    assert status(answer(app, "GET /widget.js", host)) in (400, 401, 403)


@pytest.mark.parametrize("path", [f"@{EVIL}", f"@{EVIL}/", f"http://{EVIL}/config", "*", "config"])
def test_path_without_a_slash_names_no_other_host(app, path):
    """CVE-2026-54282: a rebuilt address whose host is what the path says."""
    head = answer(app, f"GET {path}", "127.0.0.1")

    assert status(head) in (400, 401, 404)
    assert EVIL not in head


@pytest.mark.parametrize(
    "path",
    [
        *("/login/huggingface", "/login/callback", "/gradio_api/login/huggingface"),
        *(f"/gradio_api/proxy=https://{EVIL}/", f"/proxy=https://{EVIL}/"),
        *(f"/gradio_api/file=https://{EVIL}/", f"/gradio_api/file/https://{EVIL}/", "/file=/x"),
        *("/gradio_api/upload", "/gradio_api/run/predict/x", "/gradio_api/deep_link"),
    ],
)
def test_route_of_an_advisory_is_closed(member, path):
    """CVE-2026-27167 (OAuth), CVE-2026-28415, GHSA-vwgg-rgg9-xx9q (redirects), CVE-2026-28416
    and CVE-2026-48545 (the proxy), files and uploads."""
    for method in ("GET", "POST"):
        assert member.request(method, path).status_code == 404


def test_form_of_thousands_of_fields_holds_nobody_up(app):
    """CVE-2026-54283: limits of a form that do not hold for one in a line."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(base_url=app.url, trust_env=False) as visitor:
        begun = time.monotonic()
        most = visitor.post("/login", content=b"a=&" * 87_000, headers=form)
        more = visitor.post("/login", content=b"a=&" * 88_000, headers=form)
        took_s = time.monotonic() - begun

    assert most.status_code in (400, 422)
    assert more.status_code == 413
    assert took_s < LIMIT_S


def test_range_of_thousands_of_parts_is_not_cut_up(app):
    """CVE-2025-62727: each part costs as much as there are parts."""
    parts = ",".join(f"{n}-{n}" for n in range(0, 9000, 2))
    with httpx.Client(base_url=app.url, trust_env=False) as visitor:
        whole = visitor.get(FILE)
        asked = visitor.get(FILE, headers={"Range": f"bytes={parts}"})

    assert asked.status_code == whole.status_code == 200
    assert asked.content == whole.content


@pytest.mark.parametrize("target", [f"https://{EVIL}", f"//{EVIL}", f"////{EVIL}/x"])
def test_logout_leads_to_no_other_site(member, target):
    """CVE-2026-28415, GHSA-vwgg-rgg9-xx9q."""
    there = member.get("/logout", params={"_target_url": target, "all_session": "false"})

    assert there.status_code in (302, 401)  # who is out gets no further
    assert EVIL not in there.headers.get("location", "")
