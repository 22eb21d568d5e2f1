"""What the guard asks of Gradio's app, asked of the app as it is installed."""

import asyncio
import re
import warnings
from collections.abc import Iterable, Iterator

import pytest
from gradio.routes import App

from components.access.admission import EVENTS, FUNCTIONS, door
from components.access.gradio_routes import GradioPage
from components.access.rates import Rates
from components.bridge.calls import Calls
from components.core.places import Places
from components.direct.routes import direct_routes
from components.direct.sideband import Sidebands
from components.page.layout import build
from components.protocol.options import Refused
from components.settings import Settings
from tests.gradio_routes import CLOSED, MEMBERS, ONE_NAME, OURS, PUBLIC


@pytest.fixture(scope="module")
def app() -> App:
    return asyncio.run(make_app())


async def make_app() -> App:
    """In an event loop, as Gradio would otherwise begin one and leave it open."""
    settings = Settings(practice=True)
    places = Places(settings.max_calls, settings.calls_per_visitor)
    sidebands = Sidebands(settings, places)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        demo = build(
            settings,
            Calls(settings, Refused(), places),
            Rates(),
            rtc_configuration={},
            server_rtc_configuration=None,
            watching=sidebands,
        )
        return App.create_app(
            demo,
            app_kwargs={"routes": direct_routes(settings, sidebands, Rates(), Refused(), places)},
        )


def paths(routes: Iterable[object]) -> Iterator[str]:
    """Where each route is, with an x for what varies; newer FastAPI keeps routers inside."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if inner is not None and hasattr(inner, "routes"):
            yield from paths(inner.routes)
        else:
            yield re.sub(r"\{[^}]*\}", "x", route.path)  # type: ignore[attr-defined]


def test_every_route_is_known(app: App) -> None:
    """An upgrade of Gradio that adds one, or takes one away, must be looked at."""
    assert set(paths(app.routes)) | ONE_NAME == PUBLIC | MEMBERS | OURS | CLOSED


def test_every_route_is_where_it_belongs(app: App) -> None:
    found = {*paths(app.routes), *ONE_NAME}
    places = {path: door(path, sorted(OURS)) for path in found}

    assert {path for path, place in places.items() if place == "public"} == PUBLIC
    assert {path for path, place in places.items() if place == "members"} == MEMBERS | OURS
    assert {path for path, place in places.items() if place == "closed"} == CLOSED


def test_only_our_own_events_are_taken(app: App) -> None:
    events = app.get_blocks().fns
    page = GradioPage(app)

    assert {event.api_name for event in events.values() if event.fn} == EVENTS
    assert [page.inputs(number) for number in sorted(events)].count([True]) == 1
    assert page.inputs(len(events)) is None


def test_an_event_that_another_part_adds_is_not_taken(app: App, monkeypatch) -> None:
    event = next(iter(app.get_blocks().fns.values()))
    monkeypatch.setattr(event, "api_name", "set_input_on_submit")

    assert GradioPage(app).inputs(event._id) is None


def test_only_the_component_of_the_call_has_functions(app: App) -> None:
    blocks = app.get_blocks().blocks
    page = GradioPage(app)
    having = {number for number in blocks for name in FUNCTIONS if page.has(number, name)}

    assert [type(blocks[number]).__name__ for number in having] == ["WebRTC"]
    assert not page.has(max(blocks) + 1, "offer")


def test_who_has_logged_in_is_known_by_either_cookie(app: App, monkeypatch) -> None:
    page = GradioPage(app)
    assert not page.needs_login
    monkeypatch.setattr(app, "auth", {"ann": "secret"})
    monkeypatch.setattr(app, "tokens", {"t1": "ann"})

    assert page.needs_login
    assert page.knows({f"access-token-{app.cookie_id}": "t1"})
    assert page.knows({f"access-token-unsecure-{app.cookie_id}": "t1"})
    assert not page.knows({f"access-token-{app.cookie_id}": "t2", "access-token-": "t1"})
    assert not page.knows({})


def test_a_session_that_nobody_began_waits_for_nothing(app: App) -> None:
    assert not GradioPage(app).waits("session1")


def test_the_app_starts_once(app: App, monkeypatch) -> None:
    page = GradioPage(app)
    assert not page.started
    monkeypatch.setattr(app, "startup_events_triggered", True)

    assert page.started
