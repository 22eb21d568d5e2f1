"""The whole app against visitors who mean no good: what they get, and that nobody else notices."""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from tests.gradio_routes import CLOSED, MEMBERS, OURS, PUBLIC
from tests.peer import Peer, caller
from tests.running import App, forked_app, practice_server

pytestmark = pytest.mark.integration

KEY = "sk-marked-5f1d3a9c"
PASSWORD = "pw-marked-77ab01"
STARTS = 20
MAX_CALLS = STARTS + 5
"""More than one visitor can begin in a minute."""
COMPONENT = "/gradio_api/component_server/"
JOIN = "/gradio_api/queue/join"
DATA = "/gradio_api/queue/data"
RUN = "/gradio_api/run/predict"
FEW_BYTES = 20 * 1024 * 1024


@dataclass
class House:
    """An app, and what a visitor can know of it."""

    app: App
    config: dict[str, Any]

    @property
    def url(self) -> str:
        return self.app.url

    def visitor(self, address: str = "198.51.100.1") -> httpx.AsyncClient:
        """Somebody elsewhere, by the word of a proxy on this machine."""
        return httpx.AsyncClient(
            base_url=self.url,
            trust_env=False,
            timeout=30,
            headers={"X-Forwarded-For": address},
            limits=httpx.Limits(max_connections=8),
        )

    def asks(self, name: str, data: Any, session_hash: str = "stranger") -> dict[str, Any]:
        """A request to the component of the call."""
        [component] = [
            each for each in self.config["components"] if each["props"].get("elem_id") == "call"
        ]
        asked = {"component_id": component["id"], "fn_name": name, "data": data}
        return {**asked, "session_hash": session_hash}

    def event(self, trigger: str) -> int:
        """The number of the Gradio event that something triggers."""
        [event] = [
            each["id"]
            for each in self.config["dependencies"]
            if trigger in [name for _, name in each["targets"]]
        ]
        return int(event)

    def log(self) -> str:
        return self.app.log.read_text(errors="replace")

    def sockets(self) -> int:
        """How many the app's process has open."""
        found = 0
        for entry in Path(f"/proc/{self.app.pid}/fd").iterdir():
            with suppress(OSError):  # it has just been closed
                found += entry.readlink().name.startswith("socket:")
        return found

    def memory(self) -> int:
        """Bytes that the app's process has in memory."""
        pages = Path(f"/proc/{self.app.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def open_house(folder: Path, **variables: str) -> Iterator[House]:
    """With a key that must not be seen anywhere; nothing that visitors do ends in a traceback."""
    with practice_server() as server:
        settings: dict[str, Any] = {"OPENAI_API_KEY": KEY, "REALTIME_BASE_URL": server, **variables}
        # Visitors come from elsewhere, by the word of a proxy; all that there is is open to them.
        settings |= {"FORWARDED_ALLOW_IPS": "127.0.0.1", "DIRECT_ROUTE": "on"}
        with forked_app(folder, **settings) as app:
            login = dict(zip(("username", "password"), LOGIN, strict=True))
            with httpx.Client(base_url=app.url, trust_env=False) as page:
                if "APP_USERNAME" in variables:
                    page.post("/login", data=login).raise_for_status()
                house = House(app, page.get("/config").raise_for_status().json())
            yield house
        assert "Traceback" not in house.log()
        assert KEY not in house.log()
        assert PASSWORD not in house.log()


LOGIN = ("ann", PASSWORD)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    limits = {"MAX_CALLS": str(MAX_CALLS), "MAX_STARTS_PER_MINUTE": str(STARTS)}
    with open_house(tmp_path_factory.mktemp("app"), **limits) as house:
        yield house


@pytest.fixture(scope="module")
def locked_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    login = dict(zip(("APP_USERNAME", "APP_PASSWORD"), LOGIN, strict=True))
    with open_house(tmp_path_factory.mktemp("locked"), **login) as house:
        yield house


def raw(house: House, *parts: bytes) -> bytes:
    """What comes back when these are sent one after the other, as far as the app takes them."""
    where = urlsplit(house.url)
    answer = b""
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionError:  # it has hung up on the rest of what was sent
            pass
    return answer


async def full_offer() -> dict[str, Any]:
    """A description that any browser could send, of a connection that is never made."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        pc.createDataChannel("text")
        pc.addTransceiver("audio")
        await pc.setLocalDescription(await pc.createOffer())
        return {"sdp": pc.localDescription.sdp, "type": "offer"}
    finally:
        await pc.close()


def fresh(offer: dict[str, Any]) -> dict[str, Any]:
    """The offer as another tab would make it."""
    return {**offer, "webrtc_id": secrets.token_hex(6), "key": secrets.token_hex(16)}


async def told(visitor: httpx.AsyncClient, session_hash: str, until: str) -> str:
    """What Gradio tells a session, up to a word; or all, if it comes to its end before."""
    heard = ""
    async with asyncio.timeout(20):
        async with visitor.stream("GET", DATA, params={"session_hash": session_hash}) as stream:
            async for piece in stream.aiter_text():
                heard += piece
                if until in heard:
                    break
    return heard


async def follow(
    house: House, visitor: httpx.AsyncClient, webrtc_id: str, session_hash: str
) -> httpx.Response:
    """Ask for the transcript of a connection, as the page does."""
    question = {
        "fn_index": house.event("state_change"),
        "data": [{"textbox": "", "webrtc_id": webrtc_id}],
        "session_hash": session_hash,
        "trigger_id": None,
        "event_data": None,
    }
    return await visitor.post(JOIN, json=question)


async def connected(peer: Peer) -> None:
    await peer.sees(type="state", connection="connected")


async def works(peer: Peer) -> None:
    """The call is as well as before."""
    peer.forget()
    peer.send(type="say", text="what is 3 plus 4?")
    await peer.hears(300)


@pytest.mark.parametrize("path", [COMPONENT, JOIN, "/login", "/", "/gradio_api/upload"])
def test_fifty_megabytes_are_not_taken(house: House, path: str) -> None:
    before = house.memory()
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 52428800\r\n\r\n".encode()

    answer = raw(house, head, b"x" * 100_000)

    assert answer.split(b"\r\n", 1)[0].split()[1] in (b"413", b"404")
    assert house.memory() - before < FEW_BYTES


def test_a_body_without_end_is_cut_off(house: House) -> None:
    before = house.memory()
    head = f"POST {COMPONENT} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    answer = raw(house, head, *([chunk] * 800))

    assert answer == b"" or answer.startswith(b"HTTP/1.1 413 ")
    assert house.memory() - before < FEW_BYTES


@pytest.mark.parametrize("path", [COMPONENT, JOIN, RUN])
async def test_junk_in_the_place_of_json_is_refused(house: House, path: str) -> None:
    bodies = [b"\xff\xfe", b"{", b"[" * 200_000, b'{"a":' * 40_000, b"null", b"{}"]
    async with house.visitor() as visitor:
        for body in bodies:
            answer = await visitor.post(
                path, content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 400
            assert answer.json()["detail"].endswith(".")


async def test_hundreds_of_junk_offers_take_no_place(house: House) -> None:
    junk: list[Any] = ["junk", "", "v=0\r\n" * 1000, None, 7, {"a": 1}]
    async with house.visitor("198.51.100.2") as visitor:
        answers = [
            (await visitor.post(COMPONENT, json=house.asks("offer", fresh({"sdp": sdp, **kind}))))
            for sdp in junk * 17
            for kind in ({"type": "offer"}, {"type": "answer"}, {})
        ]

    errors = {answer.json()["meta"]["error"] for answer in answers}
    assert errors == {"offer_not_understood", "too_many_starts"}
    async with caller(house.url) as peer:
        await connected(peer)


@pytest.mark.timeout(150)
async def test_a_thousand_offers_leave_room_for_another_visitor(house: House) -> None:
    offer = await full_offer()
    before = house.sockets()

    async with house.visitor("198.51.100.3") as flood, asyncio.TaskGroup() as group:
        sent = [
            group.create_task(flood.post(COMPONENT, json=house.asks("offer", fresh(offer))))
            for _ in range(1000)
        ]
    answers = [task.result().json() for task in sent]
    refused = [each["meta"] for each in answers if "sdp" not in each]
    assert len(answers) - len(refused) <= 2 * STARTS  # a minute may have ended meanwhile
    assert {each["error"] for each in refused} <= {
        "too_many_starts",
        "concurrency_limit_reached",
    }
    assert all(each["sentence"].endswith(".") for each in refused)

    async with caller(house.url) as peer:
        await connected(peer)
        await works(peer)
    async with asyncio.timeout(60):  # what they took is given back
        while house.sockets() > before + 2:  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.2)


async def test_an_offer_is_good_for_one_connection(house: House) -> None:
    async with caller(house.url) as peer, house.visitor("198.51.100.4") as visitor:
        await connected(peer)
        replayed = {**await full_offer(), "webrtc_id": peer.webrtc_id, "key": "f" * 32}

        answer = (await visitor.post(COMPONENT, json=house.asks("offer", replayed))).json()

        assert answer["meta"]["error"] == "connection_already_exists"
        await works(peer)


async def test_a_stranger_cannot_change_the_way_of_a_call(house: House) -> None:
    candidate = "candidate:1 1 udp 2122260223 198.51.100.9 9 typ host"
    body = {"type": "ice-candidate", "candidate": {"candidate": candidate, "sdpMid": "0"}}
    async with caller(house.url) as peer, house.visitor() as visitor:
        await connected(peer)
        for webrtc_id in (peer.webrtc_id, "nobody"):
            asked = house.asks("offer", {**body, "webrtc_id": webrtc_id})
            answer = (await visitor.post(COMPONENT, json=asked)).json()
            assert answer["meta"]["error"] == "not_yours"

        await works(peer)


async def test_a_stranger_cannot_end_a_call_or_its_transcript(house: House) -> None:
    async with caller(house.url) as peer, house.visitor() as visitor:
        await connected(peer)
        asked = house.asks("quit_output_stream", {"webrtc_id": peer.webrtc_id})
        assert (await visitor.post(COMPONENT, json=asked)).status_code == 200
        await works(peer)

        owner = await follow(house, visitor, peer.webrtc_id, peer.session_hash)
        assert owner.status_code == 200
        assert "3 plus 4" in await told(visitor, peer.session_hash, "3 plus 4")


async def test_a_stranger_gets_no_transcript(house: House) -> None:
    async with caller(house.url) as peer, house.visitor() as visitor:
        await connected(peer)
        await works(peer)

        assert (await follow(house, visitor, peer.webrtc_id, "stranger2")).status_code == 200
        heard = await told(visitor, "stranger2", "close_stream")

        assert "process_completed" in heard
        assert "3 plus 4" not in heard


async def test_junk_from_a_page_does_not_end_its_call(house: House) -> None:
    async with caller(house.url) as peer:
        await connected(peer)
        assert peer._pc is not None
        peer._pc.sctp._remote_max_message_size = 0  # else it keeps to the rules
        # A third of what ends a connection (tests/hostile/test_channels.py).
        peer.send(type="say", text="x" * 350_000)
        for junk in ("", "{", "[" * 60_000, "null", "[]", '{"type": 7}', '{"type": "say"}'):
            peer._channel.send(junk)
        peer.send(type="say", text=None)
        peer.send(type="mute", muted="maybe")
        await works(peer)


async def test_what_a_tab_said_is_known_to_its_key_alone(house: House) -> None:
    async with caller(house.url) as peer:
        await connected(peer)
        await works(peer)
        key = peer.key

        assert any("3 plus 4" in line for line in await peer.transcript(house.url))
        for guess in ("0" * 32, key.upper(), key[:-1], "", "../x"):
            peer.key = guess
            assert await peer.transcript(house.url) == [] or guess == key
        peer.key = key


async def test_no_event_of_the_component_takes_input_from_strangers(house: House) -> None:
    """fastrtc's own would take it for any id that is guessed."""
    transcript = house.event("state_change")
    async with caller(house.url) as peer, house.visitor("198.51.100.5") as visitor:
        await connected(peer)
        value = {"textbox": "", "webrtc_id": peer.webrtc_id}
        for number in (-1, *range(30)):
            asked = {"fn_index": number, "data": [value], "session_hash": "stranger3"}
            for path in (JOIN, RUN):
                answer = await visitor.post(path, json=asked)
                assert answer.status_code == 400 or number == transcript
        await works(peer)


async def test_functions_that_the_page_does_not_use_are_not_there(house: House) -> None:
    async with house.visitor() as visitor:
        for number in range(30):
            for name in ("like", "set_input", "clean_up", "handle_offer", "__init__", ""):
                asked = {**house.asks(name, {}), "component_id": number}
                assert (await visitor.post(COMPONENT, json=asked)).status_code == 400


async def every_answer(visitor: httpx.AsyncClient) -> dict[str, list[httpx.Response]]:
    """What comes back from every route, asked in every way."""
    answers: dict[str, list[httpx.Response]] = {}
    for path in sorted(PUBLIC | MEMBERS | OURS | CLOSED):
        answers[path] = [
            await visitor.get(path),
            await visitor.get(path, headers={"Accept": "text/html"}),
            await visitor.post(path, json={"session_hash": "x"}),
            await visitor.post(path, data={"username": "x", "password": "x"}),
            await visitor.request("OPTIONS", path),
        ]
    return answers


def text_of(answers: list[httpx.Response]) -> str:
    return "".join(f"{answer.headers}{answer.text}" for answer in answers)


async def test_the_key_is_in_no_answer(house: House) -> None:
    async with house.visitor() as visitor:
        page = {"Origin": house.url}
        token = await visitor.post("/api/realtime/token", headers=page)
        assert token.status_code == 200
        direct = await visitor.post("/api/realtime/call", headers=page, content="v=0\r\njunk")
        answers = await every_answer(visitor)

    for path, found in {**answers, "direct": [token, direct]}.items():
        assert KEY not in text_of(found), path
        assert "Traceback" not in text_of(found), path


async def test_what_the_page_does_not_need_is_closed(house: House) -> None:
    async with house.visitor() as visitor:
        answers = await every_answer(visitor)

    for path in CLOSED:
        assert {answer.status_code for answer in answers[path]} == {404}, path
    for path in PUBLIC | MEMBERS | OURS:
        statuses = [answer.status_code for answer in answers[path]]
        assert set(statuses) - {404} or path.endswith("x"), path
        assert max(statuses) < 500 or path in OURS, path


def test_the_key_is_in_no_list_of_processes(house: House) -> None:
    group = os.getpgid(house.app.pid)
    lines = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(entry.name)) == group:
                lines.append((entry / "cmdline").read_bytes())
        except OSError:  # it has ended
            continue

    assert len(lines) >= 1
    assert KEY.encode() not in b"".join(lines)


async def test_without_the_login_there_is_nothing_but_the_login(locked_house: House) -> None:
    async with locked_house.visitor() as stranger:
        answers = await every_answer(stranger)

    for path in MEMBERS | OURS:
        assert {answer.status_code for answer in answers[path]} == {303, 401}, path
    for path in CLOSED:
        assert {answer.status_code for answer in answers[path]} == {404}, path
    assert '"components":[]' in answers["/"][0].text.replace(" ", "")
    for path, found in answers.items():
        assert KEY not in text_of(found), path
        assert PASSWORD not in text_of(found), path


async def test_after_the_login_everything_is_there(locked_house: House) -> None:
    login = dict(zip(("username", "password"), LOGIN, strict=True))
    async with locked_house.visitor("198.51.100.6") as visitor:
        assert (await visitor.post("/login", data=login)).status_code == 200
        for path in ("/config", "/widget.js", "/direct"):
            assert (await visitor.get(path)).status_code == 200
        turn = await visitor.post(COMPONENT, json=locked_house.asks("turn", []))
        token = await visitor.post("/api/realtime/token", headers={"Origin": locked_house.url})
        assert (turn.status_code, token.status_code) == (200, 200)
        assert (await visitor.get("/logout")).status_code == 302
        assert (await visitor.get("/config")).status_code == 401


async def test_passwords_cannot_be_tried_without_end(locked_house: House) -> None:
    login = {"username": LOGIN[0], "password": "guess"}
    async with locked_house.visitor("198.51.100.7") as visitor:
        answers = [await visitor.post("/login", data=login) for _ in range(25)]
        right = await visitor.post("/login", data={**login, "password": PASSWORD})

    assert [answer.status_code for answer in answers[:10]] == [400] * 10
    assert answers[-1].status_code == 429
    assert "Wait a minute" in answers[-1].json()["detail"]
    assert right.status_code == 429


async def test_another_site_can_neither_use_nor_read_the_app(house: House) -> None:
    elsewhere = {"Origin": "https://evil.example", "Host": "app.example"}
    async with house.visitor() as visitor:
        used = await visitor.post(COMPONENT, json=house.asks("turn", []), headers=elsewhere)
        asked = await visitor.options(
            COMPONENT, headers={**elsewhere, "Access-Control-Request-Method": "POST"}
        )
        read = await visitor.get("/", headers=elsewhere)

    assert [used.status_code, asked.status_code, read.status_code] == [403, 403, 200]
    assert "access-control-allow-origin" not in f"{used.headers}{asked.headers}{read.headers}"


def test_odd_requests_are_answered_without_a_traceback(house: House) -> None:
    lines: list[bytes] = [
        b"GET / HTTP/1.0\r\nOrigin: http://a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://[\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: [\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: \xff=\xfe; a\r\nConnection: close\r\n\r\n",
        b"GET /assets/%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /assets/%2e%2e/%2e%2e/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /assets/\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /?page=x&deep_link=../x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /logout?all_session=x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
    statuses = [raw(house, line).split(maxsplit=2)[1] for line in lines]

    assert all(status in (b"200", b"400", b"403", b"404", b"422") for status in statuses)
    assert orjson.dumps(house.config)  # nothing of it has changed what the page is
