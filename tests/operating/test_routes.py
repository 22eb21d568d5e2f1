"""Who may ask how the app is, and who may see its figures."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from components.access.guard import Guard
from components.access.rates import Rates
from components.core.places import Places
from components.operating.metrics import Metrics
from components.operating.routes import operating_routes, public_paths
from components.settings import Settings
from tests.access.test_guard import EchoPage

TOKEN = "0123456789abcdef"
RIGHT = {"Authorization": f"Bearer {TOKEN}"}


def client(
    places: Places | None = None, login: bool = False, named: str = "localhost", **fields: Any
) -> httpx.AsyncClient:
    """A visitor of an app, which stands behind the guard."""
    settings = Settings(practice=True, **fields)
    routes = operating_routes(settings, Metrics(), places or Places(1, 1))
    page = EchoPage()
    page.needs_login = login
    own = [route.path for route in routes]
    guard = Guard(
        Rates(), 20, own, local=not settings.reachable, public=public_paths(settings)
    ).around(Starlette(routes=routes), page)
    transport = httpx.ASGITransport(guard, client=("192.0.2.1", 1))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{named}")


@pytest.mark.parametrize("fields", [{}, {"host": "0.0.0.0"}, {"metrics_token": TOKEN}])
async def test_the_app_tells_everybody_that_it_lives(fields: dict[str, Any]) -> None:
    async with client(login=True, **fields) as visitor:
        answer = await visitor.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_an_app_that_drains_lives() -> None:
    places = Places(1, 1)
    places.close("No.")
    async with client(places) as visitor:
        answer = await visitor.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "draining\n")


async def test_figures_are_open_while_only_this_machine_may_come() -> None:
    async with client() as visitor:
        answer = await visitor.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'voice_calls_running{route="bridged"} 0.0' in answer.text


async def test_another_name_of_this_machine_does_not_open_the_figures() -> None:
    async with client(named="app.example") as visitor:
        assert (await visitor.get("/metrics")).status_code == 403


async def test_figures_are_behind_the_login_of_an_app_without_a_token() -> None:
    async with client(login=True) as visitor:
        assert (await visitor.get("/metrics")).status_code == 401
        visitor.cookies.set("token", "right")
        assert (await visitor.get("/metrics")).status_code == 200


async def test_figures_are_closed_where_others_may_come_and_there_is_no_token() -> None:
    async with client(share=True) as visitor:
        assert (await visitor.get("/metrics", headers=RIGHT)).status_code == 404


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (RIGHT, 200),
        ({}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": TOKEN}, 401),
    ],
)
async def test_the_token_alone_opens_the_figures(
    share: bool, headers: dict[str, str], status: int
) -> None:
    async with client(login=True, share=share, metrics_token=TOKEN) as visitor:
        answer = await visitor.get("/metrics", headers=headers)

    assert answer.status_code == status
    assert (b"voice_" in answer.content) == (status == 200)
    assert TOKEN not in answer.text
