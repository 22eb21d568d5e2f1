"""The direct route's addresses: what they give, and to whom."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from components.access.rates import Rates
from components.core.conversation import Conversation, Message, Status
from components.core.places import Places
from components.direct import routes, watched
from components.direct.minting import Minting
from components.direct.routes import direct_routes
from components.direct.sideband import Sidebands
from components.direct.watched import Watched
from components.media import ice as media_ice
from components.media.ice import STUN
from components.operating.metrics import Metrics
from components.protocol.options import Refused
from components.settings import Settings, TurnCredentials
from tests.direct.upstreams import scripted
from tests.practice.call_client import Caller, LoudVad, http
from tests.practice.socket_client import receive, running

HOST = "127.0.0.1:7860"
PAGE = {"Origin": f"http://{HOST}"}
TOKEN = "/api/realtime/token"
CALL = "/api/realtime/call"
ICE = "/api/realtime/ice"
NOBODY = "http://127.0.0.1:9/v1"


async def nothing(key: str) -> Conversation:
    return Conversation()


@asynccontextmanager
async def app(
    base_url: str = NOBODY,
    *,
    sidebands: Sidebands | None = None,
    rates: Rates | None = None,
    client: str = "192.0.2.1",
    recall: routes.Recall = nothing,
    **fields: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of an app that serves nothing but the direct route."""
    values = {"practice": False, "api_key": "right", "base_url": base_url, **fields}
    settings = Settings(**{"model": "practice-engine", **values})
    places = Places(settings.max_calls, settings.calls_per_visitor)
    sidebands = sidebands or Sidebands(settings, places)
    served = direct_routes(settings, sidebands, rates or Rates(), Refused(), places, recall)
    transport = httpx.ASGITransport(Starlette(routes=served), client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as visitor:
        yield visitor


async def test_a_token_starts_a_call_with_the_settings_and_holds_no_key() -> None:
    async with (
        running(key="right") as practice,
        app(http(practice), instructions="Be brief.") as visitor,
    ):
        response = await visitor.post(TOKEN, headers=PAGE)
        answer = response.json()
        headers = {"Authorization": f"Bearer {answer['token']}"}
        async with connect(f"{practice.url}/realtime", additional_headers=headers) as socket:
            created = await receive(socket)

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert set(answer) == {"token", "expires_at", "url", "model", "ice_servers"}
    assert answer["ice_servers"] == []
    assert answer["url"] == f"{http(practice)}/realtime/calls"
    assert answer["model"] == "practice-engine"
    assert 0 < answer["expires_at"] - time.time() <= 30
    assert created["session"]["instructions"] == "Be brief."
    assert "right" not in response.text


@pytest.mark.integration
async def test_an_offer_is_answered_and_the_call_watched() -> None:
    caller = Caller()
    settings = Settings(practice=False)
    sidebands = Sidebands(settings, Places(1, 1))
    async with (
        running(key="right", open_vad=LoudVad) as practice,
        app(http(practice), sidebands=sidebands) as visitor,
    ):
        response = await visitor.post(CALL, headers=PAGE, content=await caller.offer())
        await caller.accept(response)
        await caller.until("session.created")
        watched = sidebands.get(caller.call_id)
        await caller.leave()

    assert watched is not None
    assert "right" not in response.text + str(response.headers)


RELAY = TurnCredentials("static", "ann", "pass", "turn:turn.example:3478")


async def ice_of(path: str, **fields: Any) -> Any:
    public = {"host": "0.0.0.0", "direct_route": "on", "max_call_seconds": 60, **fields}
    async with app(**public) as visitor:
        answer = await visitor.post(path, headers=PAGE)
    assert answer.status_code == 200
    return answer.json()["ice_servers"]


@pytest.mark.parametrize("path", [TOKEN, ICE])
async def test_callers_from_outside_are_told_who_helps_to_find_a_way(path: str) -> None:
    relay = {"urls": "turn:turn.example:3478", "username": "ann", "credential": "pass"}

    assert await ice_of(path) == [STUN]
    assert await ice_of(path, turn=RELAY) == [STUN, relay]
    assert await ice_of(path, turn=RELAY, host="127.0.0.1") == []


async def test_a_provider_that_gives_nothing_ends_no_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(media_ice, "HUGGING_FACE_URL", "http://127.0.0.1:9/")

    assert await ice_of(ICE, turn=TurnCredentials("huggingface", "", "secret")) == [STUN]
    assert "gives no TURN credentials" in caplog.text
    assert "secret" not in caplog.text


async def test_asking_for_help_is_no_start_but_counted_too() -> None:
    async with app(max_starts_per_minute=2) as visitor:
        answers = [(await visitor.post(ICE, headers=PAGE)).status_code for _ in range(3)]
        call = await visitor.post(CALL, headers=PAGE)

    assert answers == [200, 200, 429]
    assert call.status_code == 400


@pytest.mark.parametrize("path", [TOKEN, CALL, ICE])
@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil:7860"}]
)
async def test_pages_of_others_are_refused(path: str, headers: dict[str, str]) -> None:
    async with app() as visitor:
        refused = await visitor.post(path, headers=headers)

    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "forbidden_origin"
    assert "access-control-allow-origin" not in refused.headers


async def test_a_page_that_is_allowed_may_read_the_answer() -> None:
    shop = "https://shop.example"
    async with (
        running(key="right") as practice,
        app(http(practice), direct_origins=(shop,)) as visitor,
    ):
        answer = await visitor.post(TOKEN, headers={"Origin": shop})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == shop


@pytest.mark.parametrize("path", [TOKEN, CALL])
async def test_only_post_is_served(path: str) -> None:
    async with app() as visitor:
        assert (await visitor.get(path, headers=PAGE)).status_code == 405


async def test_a_flood_is_refused_for_its_visitor_alone() -> None:
    rates = Rates()
    for _ in range(2):
        assert await rates.admit("2/minute", "start", "192.0.2.9")
    async with (
        scripted((500, ""), (500, "")) as server,
        app(server.base_url, rates=rates, max_starts_per_minute=2) as visitor,
    ):
        served = [(await visitor.post(TOKEN, headers=PAGE)).status_code for _ in range(2)]
        flood = await visitor.post(TOKEN, headers=PAGE)

    assert set(served) == {503}
    assert flood.status_code == 429
    assert flood.headers["retry-after"] == "60"


async def test_all_visitors_together_have_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FOR_ALL", "1/minute")
    rates = Rates()
    async with scripted((500, "")) as server:
        for host, status in (("192.0.2.1", 503), ("192.0.2.2", 429)):
            async with app(server.base_url, rates=rates, client=host) as visitor:
                assert (await visitor.post(TOKEN, headers=PAGE)).status_code == status


async def test_a_call_of_the_page_counts_as_a_start_here() -> None:
    rates = Rates()
    await rates.admit("1/minute", "start", "192.0.2.1")
    async with app(rates=rates, max_starts_per_minute=1) as visitor:
        assert (await visitor.post(TOKEN, headers=PAGE)).status_code == 429


@pytest.mark.parametrize(
    ("content", "status"), [("junk", 400), ("", 400), ("v=0" + "x" * 70_000, 413)]
)
async def test_what_is_no_offer_is_refused(content: str, status: int) -> None:
    async with app() as visitor:
        refused = await visitor.post(CALL, headers=PAGE, content=content)

    assert refused.status_code == status


async def test_a_body_of_unknown_length_is_refused() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"v=0"

    async with app() as visitor:
        refused = await visitor.post(CALL, headers=PAGE, content=endless())

    assert refused.status_code == 411


async def test_a_wish_for_another_session_is_refused() -> None:
    async with app() as visitor:
        refused = await visitor.post(TOKEN, headers=PAGE, json={"session": {"voice": "ash"}})

    assert refused.status_code == 413


async def test_a_full_house_is_told() -> None:
    full_house = Places(1, 1)
    full_house.take("192.0.2.2", 0.0)
    async with app(sidebands=Sidebands(Settings(practice=False), full_house)) as visitor:
        full = await visitor.post(CALL, headers=PAGE, content="v=0")

    assert (full.status_code, full.json()["error"]["code"]) == (503, "busy")


async def test_tokens_that_nobody_uses_do_not_fill_the_house(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody presses the voice button, changes his mind, and presses again, for a minute."""
    clock: Any = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(routes, "time", clock)
    token = (200, {"value": "ek_1", "expires_at": 1})
    served = []
    async with (
        scripted(*[token] * 20) as server,
        app(server.base_url, max_starts_per_minute=1000) as visitor,
    ):
        for _ in range(20):
            served.append((await visitor.post(TOKEN, headers=PAGE)).status_code)
            clock.now += 3.1

    assert set(served) == {200}


async def test_a_token_has_a_place_as_long_as_it_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Any = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(routes, "time", clock)
    token = (200, {"value": "ek_1", "expires_at": 1})
    async with scripted(token, token) as server, app(server.base_url, max_calls=1) as visitor:
        first = await visitor.post(TOKEN, headers=PAGE)
        asked = orjson.loads(server.asked[0][2])["expires_after"]
        clock.now += asked["seconds"] - 0.1
        early = await visitor.post(TOKEN, headers=PAGE)
        clock.now += 0.1
        late = await visitor.post(TOKEN, headers=PAGE)

    assert asked["anchor"] == "created_at"
    assert [each.status_code for each in (first, early, late)] == [200, 503, 200]


async def test_a_call_that_was_hung_up_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "LEAVE_LIMIT_S", 0.05)
    settings = Settings(practice=False, base_url=NOBODY)
    known = {name: Watched(settings, Minting(settings, Refused()), name) for name in ("a", "b")}
    known["a"].end("Its time is up.")

    class Known(Sidebands):
        def get(self, name: str) -> Watched | None:
            return known.get(name)

    async with app(sidebands=Known(settings, Places(2, 2))) as visitor:
        again = await visitor.post(f"{CALL}?after=a", headers=PAGE, content="v=0")
        dropped = await visitor.post(f"{CALL}?after=b", headers=PAGE, content="v=0")

    assert again.status_code == 410
    assert again.json()["error"] == {"code": "call_over", "message": "Its time is up."}
    assert dropped.status_code == 502


async def test_our_own_page_goes_on_with_what_its_tab_has_said() -> None:
    past = Conversation(messages=(Message("m1", "user", Status.DONE, ("Hello.",)),))
    taken: list[Any] = []

    class Taking(Sidebands):
        async def answer(self, *arguments: Any) -> tuple[str, str]:
            taken.append(arguments[-1])
            return "v=0", "name"

    sidebands = Taking(Settings(practice=False), Places(2, 2))
    known = {"a" * 32: past}

    async def recall(key: str) -> Conversation:
        return known.get(key, Conversation())

    async with app(sidebands=sidebands, recall=recall) as visitor:
        for key in ("a" * 32, "b" * 32):
            headers = {**PAGE, routes.TAB_KEY: key}
            assert (await visitor.post(CALL, headers=headers, content="v=0")).is_success
    assert taken == [past, Conversation()]


async def test_a_proxy_that_takes_the_name_of_the_page_away_is_told_of() -> None:
    async with app() as visitor:
        nameless = await visitor.post(TOKEN)
        foreign = await visitor.post(TOKEN, headers={"Origin": "https://evil.example"})

    assert (nameless.status_code, foreign.status_code) == (403, 403)
    assert "A proxy before the app may take that away" in nameless.json()["error"]["message"]
    assert "may not use the voice button" in foreign.json()["error"]["message"]


async def test_an_error_of_the_server_is_passed_on_as_a_sentence() -> None:
    body = {"error": {"code": "invalid_api_key", "message": "Wrong key right."}}
    async with scripted((401, body)) as server, app(server.base_url) as visitor:
        refused = await visitor.post(TOKEN, headers=PAGE)

    assert refused.status_code == 502
    assert "does not accept the key" in refused.json()["error"]["message"]
    assert "right" not in refused.text


async def test_what_the_server_does_not_give_is_counted() -> None:
    metrics = Metrics()
    sidebands = Sidebands(Settings(practice=False), Places(1, 1), metrics)
    body = {"error": {"code": "invalid_api_key", "message": "Wrong."}}
    async with (
        scripted((401, body)) as server,
        app(server.base_url, sidebands=sidebands) as visitor,
    ):
        await visitor.post(TOKEN, headers=PAGE)
    async with app(sidebands=sidebands) as visitor:  # there is no server
        await visitor.post(TOKEN, headers=PAGE)

    def failures(severity: str, class_: str) -> float | None:
        labels = {"route": "direct", "severity": severity, "class": class_}
        return metrics.registry.get_sample_value("voice_failures_total", labels)

    assert failures("permanent", "key") == 1
    assert failures("transient", "other") == 1


@pytest.mark.parametrize(
    "fields",
    [
        # Other machines do not reach the practice server.
        {"practice": True, "direct_route": "on", "host": "0.0.0.0"},
        # A call that we do not see is as long and as expensive as it likes.
        {"max_call_seconds": 60},
        {"max_call_cost": 0.5},
        {"max_visitor_cost": 0.5},
    ],
)
async def test_calls_that_have_to_take_our_way_get_no_token(fields: dict[str, Any]) -> None:
    async with app(**fields) as visitor:
        answer = (await visitor.post(TOKEN, headers=PAGE)).json()

    assert urljoin(f"http://{HOST}{TOKEN}", answer["url"]) == f"http://{HOST}{CALL}"
    assert answer["token"] is None
    assert answer["model"] == "practice-engine"


@pytest.mark.parametrize(
    ("fields", "there"),
    [
        ({}, True),
        ({"direct_route": "off"}, False),
        ({"host": "0.0.0.0"}, False),
        ({"share": True}, False),
        ({"share": True, "direct_route": "on"}, True),
    ],
)
async def test_where_the_route_is_on(fields: dict[str, Any], there: bool) -> None:
    async with app(**fields) as visitor:
        widget = await visitor.get("/widget.js")
        demo = await visitor.get("/direct")

    assert (widget.status_code == 200) is (demo.status_code == 200) is there
    if there:
        assert widget.headers["content-type"].startswith("text/javascript")
        assert widget.headers["access-control-allow-origin"] == "*"
        assert 'src="widget.js"' in demo.text
