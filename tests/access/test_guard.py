"""The guard, before a web server that is nothing but an echo."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from components.access import body as body_module
from components.access import guard as module
from components.access.body import MAX_BODY_BYTES
from components.access.guard import Guard
from components.access.proxies import SPACE
from components.access.rates import Rates

OWN = ("/widget.js", "/direct", "/api/realtime/token")
COMPONENT = "/gradio_api/component_server/"
JOIN = "/gradio_api/queue/join"
DATA = "/gradio_api/queue/data"
STARTUP = "/gradio_api/startup-events"
TURN = {"data": [], "component_id": 7, "fn_name": "turn", "session_hash": "session1"}
EVENT = {"data": ["a"], "fn_index": 1, "trigger_id": 7, "session_hash": "session1"}
PAGE = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


class EchoPage:
    """What the guard asks, answered from plain values."""

    def __init__(self) -> None:
        self.started = True
        self.needs_login = False

    def knows(self, cookies: dict[str, str]) -> bool:
        return cookies.get("token") == "right"

    def has(self, component_id: int, name: str) -> bool:
        return component_id == 7

    def inputs(self, fn_index: int) -> Sequence[bool] | None:
        return {1: [False]}.get(fn_index)

    def waits(self, session_hash: str) -> bool:
        return session_hash == "session1"


class Echo:
    """Tells what reached it, with headers as Gradio's CORS adds them."""

    def __init__(self) -> None:
        self.seen: list[Scope] = []

    @property
    def visitors(self) -> list[str]:
        return [scope["client"][0] for scope in self.seen]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        body = b""
        more = scope["method"] == "POST"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = [(b"access-control-allow-origin", b"*"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body or b"echo"})


Inner = TypeVar("Inner", bound=ASGIApp)


class House:
    """A guarded echo."""

    def __init__(self, starts_per_minute: int = 20, *, local: bool = False) -> None:
        self.page = EchoPage()
        self.echo = Echo()
        self.app: Any = None
        self._guard = Guard(Rates(), starts_per_minute, OWN, local=local)
        self.stands_before(self.echo)

    def stands_before(self, inner: Inner) -> Inner:
        """Put another server behind the guard."""
        self.app = self._guard.around(inner, self.page)
        return inner

    def visitor(self, address: str = "192.0.2.1", **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1), **options)
        return httpx.AsyncClient(transport=transport, base_url="http://app.example")


@pytest.fixture
def house() -> House:
    return House()


def sentence_of(response: httpx.Response) -> str:
    body = response.json()
    assert body["detail"] == body["error"]["message"]
    assert body["detail"].endswith(".")
    return str(body["detail"])


async def scripted(
    app: Any, scope: Scope, messages: Sequence[Message], forever: Message | None = None
) -> tuple[list[Message], int]:
    """What an app sends when it receives these; and how many of them it took."""
    sent: list[Message] = []
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        if taken < len(messages):
            taken += 1
            return messages[taken - 1]
        if forever is None:
            await asyncio.Event().wait()
        taken += 1
        return forever or {}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent, taken


def scope_of(path: str, **changes: Any) -> Scope:
    usual = {"type": "http", "method": "POST", "query_string": b"", "path": path}
    headers = [(b"host", b"app.example"), *changes.pop("headers", ())]
    return {**usual, "headers": headers, "client": ("192.0.2.1", 1), **changes}


async def test_the_page_s_own_requests_pass(house: House) -> None:
    async with house.visitor() as visitor:
        page = await visitor.get("/")
        turn = await visitor.post(COMPONENT, json=TURN, headers=PAGE)
        event = await visitor.post(JOIN, json=EVENT, headers=PAGE)

    assert page.text == "echo"
    assert orjson.loads(turn.content) == {**TURN, "data": {}}
    assert orjson.loads(event.content) == {**EVENT, "event_data": None}


async def test_it_is_known_who_asks(house: House) -> None:
    async with house.visitor("2001:db8::7") as visitor:
        await visitor.post(COMPONENT, json=TURN)
        await visitor.post(JOIN, json=EVENT)
        await visitor.get("/")

    assert house.echo.visitors == ["2001:db8::/64"] * 3


async def test_what_is_not_needed_is_not_there(house: House) -> None:
    async with house.visitor() as visitor:
        for path in (
            *("/monitoring", "/gradio_api/info", "/nothing", "/assets/%00", "/assets/%0a"),
            *("/static//windows/win.ini", "/static/%5cwindows%5cwin.ini", "/static/c:/win.ini"),
            *("/static/%2e%2e/x", "/assets/%2fetc/passwd", "/static/nul"),
        ):
            assert sentence_of(await visitor.get(path)) == "There is nothing here."
        assert (await visitor.post("/gradio_api/upload", content=b"x")).status_code == 404

    assert not house.echo.seen


async def test_the_start_of_the_app_is_asked_for_once(house: House) -> None:
    house.page.started = False
    house.page.needs_login = True
    async with house.visitor() as visitor:
        assert (await visitor.get(STARTUP)).status_code == 200
        house.page.started = True
        assert (await visitor.get(STARTUP)).status_code == 404


async def test_a_path_below_the_root_path_is_read_as_the_router_reads_it(house: House) -> None:
    async with house.visitor(root_path="/voice") as visitor:
        statuses = [
            (await visitor.get(path)).status_code
            for path in (
                "/voice",
                "/voice/theme.css",
                "/theme.css",
                "/voice/monitoring",
                "/voicemail",
            )
        ]

    assert statuses == [200, 200, 200, 404, 404]


async def test_a_page_s_address_takes_no_arguments(house: House) -> None:
    """Gradio would look for a page or a stored state of that name."""
    async with house.visitor() as visitor:
        for path in ("/?page=x&deep_link=../..", "/config?deep_link=x", "/theme.css?v=1"):
            await visitor.get(path)

    assert [scope["query_string"] for scope in house.echo.seen] == [b"", b"", b"v=1"]


async def test_a_request_without_a_host_is_refused(house: House) -> None:
    scope = {**scope_of("/", method="GET"), "headers": [(b"origin", b"http://a.example")]}

    sent, _ = await scripted(house.app, scope, [])

    assert sent[0]["status"] == 400


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")]),
        ("1.1", [(b"transfer-encoding", b"chunked"), (b"content-length", b"0")]),
        ("1.0", [(b"transfer-encoding", b"chunked")]),
    ],
)
async def test_a_request_whose_length_can_be_read_in_two_ways_is_refused_and_left(
    house: House, version: str, headers: list[tuple[bytes, bytes]]
) -> None:
    sent, taken = await scripted(
        house.app, scope_of("/login", http_version=version, headers=headers), []
    )

    assert taken == 0
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]


LOCAL = (
    "localhost:7860",
    "127.0.0.1:7860",
    "127.0.0.9",
    "[::1]:7860",
    "voice.localhost",
    "LOCALHOST",
)
FOREIGN = (
    "evil.example",
    "127.0.0.1.evil.example:7860",
    "0.0.0.0:7860",
    "192.0.2.1",
    "localhost.x",
    "[",
)


@pytest.mark.parametrize("path", ["/", "/theme.css", "/nothing", STARTUP, DATA, *OWN])
async def test_a_page_of_this_machine_is_called_by_its_own_names(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(local=True)
    async with house.visitor() as visitor:
        for host in LOCAL:
            answer = await visitor.get(path, headers={"Host": host})
            assert answer.status_code != 403
        for host in FOREIGN:
            refused = await visitor.get(path, headers={"Host": host})
            assert refused.status_code == 403
            assert "localhost" in sentence_of(refused)
            assert repr(host) in caplog.messages[-1]


@pytest.mark.parametrize("path", ["/", "/login", JOIN, COMPONENT, DATA])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://evil.example:7860"])
async def test_no_page_of_another_machine_asks_a_page_of_this_one(path: str, origin: str) -> None:
    house = House(local=True)
    headers = {"Host": "localhost:7860", "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    async with house.visitor() as visitor:
        assert (await visitor.get(path, headers=headers)).status_code == 403

    assert not house.echo.seen


async def test_own_routes_judge_other_pages_themselves() -> None:
    house = House(local=True)
    async with house.visitor() as visitor:
        for path in OWN:
            answer = await visitor.get(path, headers={"Host": "localhost", **ELSEWHERE})
            assert answer.status_code == 200


async def test_a_page_that_others_may_open_has_any_name(house: House) -> None:
    async with house.visitor() as visitor:
        for host in (*LOCAL, *FOREIGN):
            assert (await visitor.get("/", headers={"Host": host})).status_code == 200


async def test_a_web_socket_is_closed(house: House) -> None:
    scope = scope_of("/gradio_api/stream/x", type="websocket")

    sent, _ = await scripted(house.app, scope, [{"type": "websocket.connect"}])

    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert not house.echo.seen


async def test_with_a_login_strangers_see_the_login_page_alone(house: House) -> None:
    house.page.needs_login = True
    async with house.visitor() as visitor:
        for path in ("/", "/theme.css", "/assets/index.js"):
            assert (await visitor.get(path)).status_code == 200
        for path in ("/widget.js", "/direct", "/logout", DATA, COMPONENT, JOIN):
            refused = await visitor.get(path)
            assert refused.status_code == 401
            assert sentence_of(refused) == "Log in to the page of this app first."
        visitor.cookies["token"] = "right"
        assert (await visitor.get("/widget.js")).status_code == 200


@pytest.mark.parametrize(("path", "target"), [("/direct", "./"), ("/api/realtime/token", "../../")])
async def test_a_stranger_who_opens_a_page_is_led_to_the_login(
    house: House, path: str, target: str
) -> None:
    house.page.needs_login = True
    async with house.visitor() as visitor:
        led = await visitor.get(path, headers={"Accept": "text/html,*/*"})

    assert (led.status_code, led.headers["location"]) == (303, target)


async def test_pages_of_other_sites_may_not_use_the_app(house: House) -> None:
    async with house.visitor() as visitor:
        for path, body in ((COMPONENT, TURN), (JOIN, EVENT), ("/login", {})):
            refused = await visitor.post(path, json=body, headers=ELSEWHERE)
            assert refused.status_code == 403
            assert "access-control-allow-origin" not in refused.headers
        stream = await visitor.get(DATA, headers=ELSEWHERE)
        preflight = await visitor.options(COMPONENT, headers=ELSEWHERE)

    assert [stream.status_code, preflight.status_code] == [403, 403]
    assert not house.echo.seen


async def test_other_sites_may_use_what_is_made_for_them_and_read_nothing_else(
    house: House,
) -> None:
    async with house.visitor() as visitor:
        for path in OWN:
            answer = await visitor.get(path, headers=ELSEWHERE)
            assert answer.headers["access-control-allow-origin"] == "*"
        page = await visitor.get("/", headers=ELSEWHERE)

    assert page.status_code == 200
    assert "access-control-allow-origin" not in page.headers


async def test_every_answer_has_the_headers_that_keep_browsers_careful(house: House) -> None:
    async with house.visitor() as visitor:
        answers = [await visitor.get(path) for path in ("/", "/nothing", "/widget.js")]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "x-frame-options" not in answer.headers


async def test_a_login_is_tried_ten_times_a_minute(house: House) -> None:
    async with house.visitor() as visitor, house.visitor("192.0.2.2") as other:
        tries = [await visitor.post("/login", data={"username": "ann"}) for _ in range(11)]
        await visitor.get("/login")
        another = await other.post("/login", data={"username": "ann"})

    assert [answer.status_code for answer in tries] == [200] * 10 + [429]
    assert "login attempts" in sentence_of(tries[-1])
    assert tries[-1].headers["retry-after"] == "60"
    assert another.status_code == 200


@pytest.mark.parametrize("path", [JOIN, "/gradio_api/run/predict"])
async def test_events_are_limited_by_what_calls_need(path: str) -> None:
    house = House(starts_per_minute=1)
    async with house.visitor() as visitor:
        answers = [await visitor.post(path, json=EVENT) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 6 + [429]


@pytest.mark.parametrize("path", [COMPONENT, JOIN, "/gradio_api/run/predict"])
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b"[]", b"{}"])
async def test_junk_is_refused_in_words(house: House, path: str, body: bytes) -> None:
    async with house.visitor() as visitor:
        refused = await visitor.post(
            path, content=body, headers={"Content-Type": "application/json"}
        )

    assert refused.status_code == 400
    assert sentence_of(refused).startswith("The ")
    assert not house.echo.seen


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", ""])
async def test_json_says_that_it_is_json(house: House, kind: str) -> None:
    """A page of another site may send the other kinds without asking."""
    async with house.visitor() as visitor:
        refused = await visitor.post(
            COMPONENT, content=orjson.dumps(TURN), headers={"Content-Type": kind}
        )

    assert refused.status_code == 400


@pytest.mark.parametrize("path", ["/", "/login", COMPONENT, "/api/realtime/token"])
async def test_a_body_that_is_too_long_is_not_read(house: House, path: str) -> None:
    headers = [(b"content-length", b"52428800")]

    sent, taken = await scripted(house.app, scope_of(path, headers=headers), [])

    assert taken == 0
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"too long" in sent[1]["body"]
    assert not house.echo.seen


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/widget.js"])
async def test_a_body_that_nobody_wants_ends_the_connection(house: House, path: str) -> None:
    house.page.needs_login = True
    scope = scope_of(path, headers=[(b"transfer-encoding", b"chunked")])

    sent, taken = await scripted(house.app, scope, [])

    assert taken == 0
    assert sent[0]["status"] in (401, 404)
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_a_length_that_is_none_is_refused(house: House) -> None:
    sent, _ = await scripted(
        house.app, scope_of("/login", headers=[(b"content-length", b"many")]), []
    )

    assert sent[0]["status"] == 413


async def test_a_body_without_end_is_read_up_to_the_limit(house: House) -> None:
    headers = [(b"transfer-encoding", b"chunked")]
    chunk = {"type": "http.request", "body": b"x" * 10_000, "more_body": True}

    sent, taken = await scripted(house.app, scope_of("/login", headers=headers), [], chunk)

    assert sent[0]["status"] == 413
    assert taken == MAX_BODY_BYTES // 10_000 + 1


async def test_a_body_in_pieces_arrives_whole_and_then_the_browser_may_leave(
    house: House,
) -> None:
    received: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        received.extend([await receive(), await receive()])

    app = Guard(Rates(), 20).around(inner, house.page)
    headers = [(b"transfer-encoding", b"chunked")]
    pieces: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"user", "more_body": True},
        {"type": "http.request", "body": b"name=ann"},
        {"type": "http.disconnect"},
    ]

    await scripted(app, scope_of("/login", headers=headers), pieces)

    assert received == [
        {"type": "http.request", "body": b"username=ann", "more_body": False},
        {"type": "http.disconnect"},
    ]


async def test_a_body_that_does_not_come_is_not_awaited_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "BODY_LIMIT_S", 0.01)
    scope = scope_of("/login", headers=[(b"content-length", b"10")])

    sent, _ = await scripted(house.app, scope, [])

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_a_browser_that_leaves_in_its_request_gets_no_answer(house: House) -> None:
    scope = scope_of("/login", headers=[(b"content-length", b"10")])

    sent, _ = await scripted(house.app, scope, [{"type": "http.disconnect"}])

    assert sent == []
    assert not house.echo.seen


async def test_an_unknown_session_is_told_that_it_is_unknown(house: House) -> None:
    """In the words in which Gradio tells it, so that the page understands."""
    async with house.visitor() as visitor:
        known = await visitor.get(DATA, params={"session_hash": "session1"})
        unknown = await visitor.get(DATA, params={"session_hash": "session2"})
        nameless = await visitor.get(DATA)

    assert known.text == "echo"
    assert len(house.echo.seen) == 1
    for answer in (unknown, nameless):
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = orjson.loads(answer.text.removeprefix("data: "))
        assert (told["msg"], told["session_not_found"]) == ("unexpected_error", True)


class Waiting(Echo):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.release.wait()
        await super().__call__(scope, receive, send)


async def statuses_together(
    waiting: Waiting, browsers: Sequence[httpx.AsyncClient], path: str
) -> list[int]:
    """What they get when they ask at the same time; no answer comes before one is refused."""
    question = {"session_hash": "session1"}
    asked = [asyncio.ensure_future(browser.get(path, params=question)) for browser in browsers]
    done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result().status_code for task in done] == [429]
    assert "at a time" in sentence_of(done.pop().result())
    waiting.release.set()
    return sorted(answer.status_code for answer in await asyncio.gather(*asked))


async def test_a_visitor_has_some_requests_under_way_and_not_thousands(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REQUESTS", 2)
    waiting = house.stands_before(Waiting())
    async with house.visitor() as visitor, house.visitor("192.0.2.2") as other:
        assert await statuses_together(waiting, [*[visitor] * 3, other], DATA) == [
            *[200] * 3,
            429,
        ]
        assert (await visitor.get("/")).status_code == 200


async def test_before_the_login_it_is_fewer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OF_A_STRANGER", 1)
    house.page.needs_login = True
    waiting = house.stands_before(Waiting())
    async with house.visitor() as stranger, house.visitor() as member:
        member.cookies["token"] = "right"
        asking = [member, member, stranger, stranger]
        assert await statuses_together(waiting, asking, "/") == [200, 200, 200, 429]
        assert (await stranger.get("/")).status_code == 200


async def test_gradio_is_told_of_the_body_that_it_gets(house: House) -> None:
    async with house.visitor() as visitor:
        kind = {"Content-Type": f"application/json; {'x' * 1000}"}
        answer = await visitor.post(COMPONENT, content=orjson.dumps(TURN), headers=kind)

    headers = dict(house.echo.seen[0]["headers"])
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(answer.content)).encode()


MADE_UP = "198.51.100.99"


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "visitor"),
    [
        (SPACE, "10.16.3.80", "203.0.113.5", "203.0.113.5"),
        (SPACE, "10.16.3.80", f"{MADE_UP}, 203.0.113.5", "203.0.113.5"),
        (SPACE, "10.16.3.80", f"{MADE_UP}, 203.0.113.5, 10.16.0.7", "203.0.113.5"),
        (SPACE, "10.16.3.80", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (SPACE, "10.16.3.80", "x" * 5000, "unknown"),
        (["127.0.0.1"], "127.0.0.1", f"{MADE_UP}, 203.0.113.5", "203.0.113.5"),
        (["127.0.0.1"], "203.0.113.9", MADE_UP, "203.0.113.9"),
        (["127.0.0.1"], "10.16.3.80", MADE_UP, "10.16.3.80"),
        ([], "127.0.0.1", MADE_UP, "127.0.0.1"),
    ],
)
async def test_a_visitor_is_whom_a_trusted_proxy_names_and_not_whom_he_says(
    house: House, trusted: Sequence[str], peer: str, forwarded: str, visitor: str
) -> None:
    house.app = ProxyHeadersMiddleware(house.app, list(trusted))
    async with house.visitor(peer) as browser:
        await browser.get("/", headers={"X-Forwarded-For": forwarded})

    assert house.echo.visitors == [visitor]


async def test_a_visitor_without_an_address_is_unknown(house: House) -> None:
    body: list[Message] = [{"type": "http.request", "body": b""}]

    await scripted(house.app, scope_of("/login", client=None), body)

    assert house.echo.visitors == ["unknown"]


async def test_the_start_and_end_of_the_server_pass(house: House) -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    await scripted(Guard(Rates(), 20).around(inner, house.page), {"type": "lifespan"}, [])

    assert seen == ["lifespan"]


async def test_the_guard_puts_itself_around_all_of_gradio_s_layers() -> None:
    class App:
        debug = True
        middleware_stack: Callable[..., Any] | None = None
        auth = None
        startup_events_triggered = True

        def build_middleware_stack(self) -> Echo:
            assert not self.debug
            return Echo()

    app = App()
    async with Guard(Rates(), 20).lifespan(app):
        transport = httpx.ASGITransport(app.middleware_stack)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as visitor:
            answers = [(await visitor.get(path)).status_code for path in ("/", "/monitoring")]

    assert answers == [200, 404]
