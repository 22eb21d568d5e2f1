"""Offers that name places for the app to send packets to: how many of them it sends."""

import asyncio
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from tests.running import NO_CALLS, App, forked_app, free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

COMPONENT = "/gradio_api/component_server/"
CANDIDATES = 700
WAIT_S = 14
MOST_PACKETS = 400


class Victim:
    """Somebody on this machine who has asked for nothing, and counts what comes."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = sockets
        self.packets = 0

    @property
    def ports(self) -> list[int]:
        return [each.getsockname()[1] for each in self._sockets]

    def look(self) -> None:
        for each in self._sockets:
            while True:
                try:
                    each.recv(2048)
                except BlockingIOError:
                    break
                self.packets += 1

    async def watch(self, seconds: float) -> int:
        for _ in range(int(seconds * 4)):
            await asyncio.sleep(0.25)
            self.look()
        return self.packets


@contextmanager
def victim(count: int, host: str = "127.0.0.1") -> Iterator[Victim]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for _ in range(count)
        ]
        for each in sockets:
            each.bind((host, 0))
            each.setblocking(False)
        yield Victim(sockets)


def line(ip: str, port: int | str) -> str:
    return f"candidate:1 1 udp 9 {ip} {port} typ host generation 0"


async def offer(lines: list[str], complete: bool = True) -> dict[str, Any]:
    """A browser's offer with these candidates in the place of its own."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("text")
    pc.addTransceiver("audio")
    await pc.setLocalDescription(await pc.createOffer())
    kept = [each for each in pc.localDescription.sdp.splitlines() if "candidate" not in each]
    await pc.close()
    at = next(n for n, each in enumerate(kept) if each.startswith("m=application"))
    kept[at:at] = [f"a={each}" for each in lines] + ["a=end-of-candidates"] * complete
    ids = {"webrtc_id": secrets.token_hex(6), "key": secrets.token_hex(16)}
    return {"sdp": "\r\n".join([*kept, ""]), "type": "offer", **ids}


class Visitor:
    def __init__(self, page: httpx.AsyncClient, component: int) -> None:
        self._page = page
        self._component = component

    async def says(self, data: dict[str, Any]) -> Any:
        asked = {"component_id": self._component, "fn_name": "offer", "data": data}
        answer = await self._page.post(COMPONENT, json={**asked, "session_hash": "visitor"})
        return answer.raise_for_status().json()


async def visitor(app: App, page: httpx.AsyncClient) -> Visitor:
    config = (await page.get("/config")).json()
    [component] = [c for c in config["components"] if c["props"].get("elem_id") == "call"]
    return Visitor(page, component["id"])


def page_of(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with forked_app(tmp_path_factory.mktemp("app")) as app:
        yield app
        assert "Traceback" not in app.log.read_text(errors="replace")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app that visitors from outside can open."""
    port = free_port()
    folder: Path = tmp_path_factory.mktemp("public")
    flags = ("--host", "0.0.0.0", "--port", str(port))
    with forked_app(folder, *flags, port=port, **NO_CALLS) as app:
        yield app
        assert "Traceback" not in app.log.read_text(errors="replace")


async def test_an_offer_of_many_candidates_is_no_flood(app: App) -> None:
    with victim(CANDIDATES) as somebody:
        async with page_of(app.url) as page:
            browser = await visitor(app, page)
            answer = await browser.says(
                await offer([line("127.0.0.1", port) for port in somebody.ports])
            )
            assert answer["type"] == "answer"
            packets = await somebody.watch(WAIT_S)

    assert packets <= MOST_PACKETS


async def test_candidates_that_follow_are_no_flood(app: App) -> None:
    with victim(200) as somebody:
        async with page_of(app.url) as page:
            browser = await visitor(app, page)
            body = await offer([line("127.0.0.1", somebody.ports[0])], complete=False)
            assert (await browser.says(body))["type"] == "answer"
            for port in somebody.ports[1:]:
                late = {"candidate": line("127.0.0.1", port), "sdpMid": "0", "sdpMLineIndex": 0}
                await browser.says(
                    {"type": "ice-candidate", "webrtc_id": body["webrtc_id"], "candidate": late}
                )
            packets = await somebody.watch(WAIT_S)

    assert packets <= MOST_PACKETS


async def test_visitors_from_outside_have_nothing_sent_to_this_machine(public: App) -> None:
    with victim(10) as somebody:
        async with page_of(public.url) as page:
            browser = await visitor(public, page)
            body = await offer([line("127.0.0.1", port) for port in somebody.ports])
            assert (await browser.says(body))["type"] == "answer"
            packets = await somebody.watch(3)

    assert packets == 0


@pytest.mark.parametrize(
    "odd",
    [
        line("127.0.0.1", 65_536),
        line("127.0.0.1", 10**12),
        line("127.0.0.1", 0),
        line("localhost", 9),
        line("0a1b2c3d-1111-2222-3333-444455556666.local", 9),
        line("224.0.0.251", 5353),
        "candidate:1 1 tcp 9 127.0.0.1 9 typ host tcptype active",
        "candidate:1 1 udp 9 127.0.0.1 9 typ srflx raddr x rport y",
        "candidate:1 9 udp 9 127.0.0.1 9 typ host generation 0",
    ],
)
async def test_an_odd_candidate_is_no_fault(app: App, odd: str) -> None:
    async with page_of(app.url) as page:
        browser = await visitor(app, page)
        body = await offer([odd], complete=False)
        answer = await browser.says(body)
        late = {"candidate": odd, "sdpMid": "0", "sdpMLineIndex": 0}
        await browser.says(
            {"type": "ice-candidate", "webrtc_id": body["webrtc_id"], "candidate": late}
        )
        await asyncio.sleep(0.5)

    assert answer["type"] == "answer"
    assert "Traceback" not in app.log.read_text(errors="replace")
