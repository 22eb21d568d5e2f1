"""What is sent of the page: small, whole, and compressed but once."""

from pathlib import Path

import brotli
import fastrtc
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from components.page import weight

STYLES = "/gradio_api/custom_component/abc/client/component/style.css"
COMPONENT = "/gradio_api/custom_component/abc/client/component/index-EQg.js"
FASTRTC = Path(fastrtc.__file__).parent / fastrtc.WebRTC.TEMPLATE_DIR / "component"
FONT = "@font-face{font-family:KaTeX;src:url(data:font/woff2;base64,%s)}" % ("A" * 5000)
SCRIPT = "const a = 1;\n" * 500
CHARSET = '<meta charset="utf-8" />'
EARLY = '<link rel="modulepreload" href="a.js">'
PAGE = f"<!doctype html><head>{CHARSET}</head>" + f"<p>A page {CHARSET}</p>" * 200
SENT = PAGE.replace(CHARSET, CHARSET + EARLY, 1)


class House:
    """A web server with files, and how often each was asked for."""

    def __init__(self) -> None:
        self.etag = '"1"'
        routes = [
            Route("/", self._page),
            Route("/assets/a.js", self._script),
            Route(STYLES, self._styles),
            Route(COMPONENT, self._component),
            Route("/assets/none.js", lambda _: PlainTextResponse("none" * 1000, 404)),
            Route("/assets/short.js", lambda _: Response("short", media_type="text/javascript")),
            Route("/data", lambda _: PlainTextResponse("d" * 5000)),
        ]
        self.app = weight.Weight(Starlette(routes=routes), early=EARLY)

    async def _page(self, _: Request) -> Response:
        return Response(PAGE, media_type="text/html")

    async def _script(self, _: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript", headers={"etag": self.etag})

    async def _styles(self, _: Request) -> Response:
        return Response(f"a{{color:red}}{FONT}b{{color:blue}}" + "c{}" * 400, media_type="text/css")

    async def _component(self, _: Request) -> Response:
        [script] = FASTRTC.glob("index-*.js")
        return Response(script.read_text("utf-8"), media_type="text/javascript")

    async def get(self, path: str, accept: str = "gzip, br") -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            return await client.get(path, headers={"accept-encoding": accept})


@pytest.fixture
def house() -> House:
    return House()


async def test_the_page_and_its_files_come_compressed_and_whole(house):
    for path, text in (("/", SENT), ("/assets/a.js", SCRIPT)):
        response = await house.get(path)
        assert response.headers["content-encoding"] == "br"
        assert "accept-encoding" in response.headers["vary"].lower()
        assert response.text == text
        assert int(response.headers["content-length"]) < len(text) / 4


async def test_the_page_names_what_it_will_need_behind_its_character_set_and_once(house):
    text = (await house.get("/")).text
    assert text.count(EARLY) == 1
    assert text.partition(EARLY)[0].endswith(CHARSET)
    assert EARLY not in (await house.get("/assets/a.js")).text


async def test_fonts_that_nothing_shows_are_left_out_of_the_styles(house):
    text = (await house.get(STYLES)).text
    assert text.startswith("a{color:red}b{color:blue}")
    assert "font-face" not in text


async def test_fastrtcs_wave_asks_for_no_other_frame(house):
    stock = (await house.get(COMPONENT, accept="gzip")).text.splitlines()
    ours = (await house.get(COMPONENT)).text.splitlines()

    changed = [pair for pair in zip(stock, ours, strict=True) if pair[0] != pair[1]]
    ends = [(asks.split(", ")[-1], asks_not.split(", ")[-1]) for asks, asks_not in changed]
    idle = '(i === "closed" || i === "waiting") && '
    assert ends == [
        ("b = requestAnimationFrame(y);", "b = 0;"),
        (f"{idle}(T = requestAnimationFrame(C));", f"{idle}(T = 0);"),
        ("A = requestAnimationFrame(L);", "A = 0;"),
    ]


@pytest.mark.parametrize("path", ["/assets/none.js", "/assets/short.js", "/data"])
async def test_what_is_no_file_or_short_passes_as_it_is(house, path):
    assert "content-encoding" not in (await house.get(path)).headers


async def test_a_browser_without_brotli_gets_the_plain_text(house):
    response = await house.get("/assets/a.js", accept="identity")
    assert "content-encoding" not in response.headers
    assert response.text == SCRIPT


async def test_a_file_is_compressed_once_and_anew_when_it_changes(house, monkeypatch):
    done = []
    compress = brotli.compress

    def counted(body: bytes, **options: int) -> bytes:
        done.append(len(body))
        return bytes(compress(body, **options))

    monkeypatch.setattr("brotli.compress", counted)
    for _ in range(3):
        await house.get("/assets/a.js")
    assert len(done) == 1
    house.etag = '"2"'
    assert (await house.get("/assets/a.js")).text == SCRIPT
    assert len(done) == 2
