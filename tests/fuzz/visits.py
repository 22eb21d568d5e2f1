"""Requests of visitors: their paths, heads and bodies, and what a proxy adds.

What must hold: a request is passed on or refused, and raises nothing; a path that is passed on is
one file for every system; nobody writes the address that a named proxy tells.
"""

import asyncio
import posixpath
from pathlib import PureWindowsPath
from typing import Any

from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from components.access.admission import visitor_of
from components.access.guard import Guard
from components.access.paths import is_plain
from components.access.rates import Rates
from tests.fuzz.logs import logged
from tests.fuzz.mutation import as_message, mutated
from tests.fuzz.target import Target

PROXY = "192.0.2.7"
HONEST_VISITOR = "203.0.113.5"
PATHS = (
    *("/", "/config", "/login", "/static/img/logo.svg", "/widget.js", "/api/realtime/token"),
    *("/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/component_server"),
    *("/gradio_api/file=/etc/passwd", "/static//windows/win.ini", "/static/..%5cx", "/assets/CON"),
)
HONEST_HEADS = [
    (b"host", b"127.0.0.1:7860"),
    (b"cookie", b"token=right"),
    (b"content-type", b"application/json"),
]
PIECES = (
    "a",
    "/",
    "//",
    "..",
    ".",
    "\\",
    ":",
    "%2e",
    " ",
    "con",
    "nul.txt",
    "\0",
    "é",
    "~",
    "x.js",
)


class Page:
    """What the guard asks of the web server."""

    started = True
    needs_login = True

    def knows(self, cookies: dict[str, str]) -> bool:
        return cookies.get("token") == "right"

    def has(self, component_id: int, name: str) -> bool:
        return component_id == 7

    def inputs(self, fn_index: int) -> Any:
        return {1: [False], 2: [True, False]}.get(fn_index)

    def waits(self, session_hash: str) -> bool:
        return session_hash == "abc"


def _requests() -> st.SearchStrategy[dict[str, Any]]:
    paths = st.sampled_from(PATHS) | st.lists(st.sampled_from(PIECES), max_size=8).map(
        lambda pieces: "/static/" + "".join(pieces)
    )
    names = st.sampled_from(
        [
            *("host", "origin", "cookie", "content-length", "transfer-encoding", "content-type"),
            *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "sec-fetch-site"),
            *("sec-fetch-mode", "range", "expect", "x-gradio-user"),
        ]
    ).map(str.encode)
    heads = st.sampled_from(
        [
            *(b"", b"127.0.0.1:7860", b"localhost", b"[::1", b"http://[", b"evil.example", b"-1"),
            *(b"null", b"token=right", b"application/json", b"5", b"chunked", b"same-origin"),
            *(b"99999999999999999999", b"navigate", b"203.0.113.5, 10.0.0.1", b"https", b"[::1]:x"),
        ]
    ) | st.binary(max_size=12)
    event = {"fn_index": 1, "session_hash": "abc", "data": [None], "trigger_id": 3}
    json = mutated([event]).map(lambda each: as_message(each).encode())
    honest = st.sampled_from([HONEST_HEADS, HONEST_HEADS, HONEST_HEADS[1:], []])
    return st.fixed_dictionaries(
        {
            "method": st.sampled_from(["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "X"]),
            "path": paths,
            "headers": st.builds(
                lambda some, odd: [*some, *odd],
                honest,
                st.lists(st.tuples(names, heads), max_size=3),
            ),
            "body": st.lists(json | st.binary(max_size=9), max_size=3),
            "query": st.binary(max_size=12) | st.just(b"session_hash=abc"),
            "client": st.sampled_from([None, PROXY, "127.0.0.1", "::1", "fe80::1%eth0", "x", ""]),
            "forwarded": st.lists(
                st.sampled_from(["198.51.100.1", PROXY, "127.0.0.1", "::1", "x", "", "[::1]:80"])
                | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=8),
                max_size=4,
            ),
            "local": st.booleans(),
        }
    )


def _check(request: dict[str, Any]) -> None:
    with logged():
        asyncio.run(_ask(request))
    asyncio.run(_ask_by_proxy(request["forwarded"]))


async def _ask(request: dict[str, Any]) -> None:
    """The guard answers, or passes on a path that means the same everywhere."""
    reached: list[str] = []
    answers: list[int] = []
    body = [*request["body"]]

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])
        visitor_of(scope["client"][0])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        if body:
            return {"type": "http.request", "body": body.pop(0), "more_body": bool(body)}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answers.append(message["status"])

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request["method"],
        "scheme": "http",
        "path": request["path"],
        "raw_path": request["path"].encode(),
        "root_path": "",
        "query_string": request["query"],
        "headers": request["headers"],
        "client": request["client"] and (request["client"], 1),
        "server": ("127.0.0.1", 7860),
    }
    guard = Guard(Rates(), 20, ["/widget.js"], local=request["local"])
    guarded: Any = guard.around(inner, Page())
    proxied: Any = ProxyHeadersMiddleware(guarded, [PROXY])
    await proxied(scope, receive, send)
    assert len(answers) <= 1
    assert all(200 <= status < 500 for status in answers)
    for path in reached:
        assert is_plain(path)
        assert posixpath.normpath(path) == (path.rstrip("/") or "/")
        windows = PureWindowsPath(path)
        assert not windows.drive
        assert not windows.is_reserved()
        assert ".." not in windows.parts


async def _ask_by_proxy(made_up: list[str]) -> None:
    """Whatever a visitor writes, the named proxy adds whom it saw."""
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(visitor_of(scope["client"][0]))

    heads = [(b"x-forwarded-for", each.encode("latin-1")) for each in made_up]
    heads.append((b"x-forwarded-for", HONEST_VISITOR.encode()))
    scope: Any = {"type": "http", "client": (PROXY, 1), "headers": heads, "scheme": "http"}
    asked: Any = inner
    proxied: Any = ProxyHeadersMiddleware(asked, [PROXY])
    await proxied(scope, None, None)
    assert seen == [HONEST_VISITOR]


VISITS = Target("visits", _requests(), _check, 80)
