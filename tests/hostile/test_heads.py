"""Connections that ask for nothing, in thousands: half heads, half bodies, answers nobody reads."""

import asyncio
import re
import resource
import socket
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.running import NO_CALLS, started_app

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="needs more than one loopback address"),
]

FILES = 1024
HALF_HEADS = 1100
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
HALF_BODY = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\nuser"
WORK = b"GET /static/img/logo.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100
"""And nobody who reads the answers."""
JUNK = b"\0\r\n\r\n"
ADDRESSES = 20
HEAD_LIMIT_S = 10
HONEST_S = 5
MOST_LOG_BYTES = 64_000


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app with no more files than it has on an old machine, attacked by one that has many."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 10_000), before[1]))
    folder = tmp_path_factory.mktemp("app")
    program = folder / "few_files.py"
    program.write_text(
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))\n"
        "import app\n"
        "sys.exit(app.main())\n"
    )
    with started_app(folder, program=program, **NO_CALLS) as app:
        yield app
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def files_of(app):
    return len(list(Path(f"/proc/{app.pid}/fd").iterdir()))


class Attacker:
    """Connections from one address that say something and then wait."""

    def __init__(self, url: str, address: str = "127.0.0.1") -> None:
        self._port = int(url.rpartition(":")[2])
        self._address = address
        self.writers: list[asyncio.StreamWriter] = []
        self._readers: list[asyncio.StreamReader] = []

    async def open(self, number: int, said: bytes) -> None:
        for _ in range(number):
            with suppress(OSError):
                reader, writer = await self._connect()
                writer.write(said)
                self._readers.append(reader)
                self.writers.append(writer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """With as little room as possible for what is not read."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        connection.setblocking(False)
        connection.bind((self._address, 0))
        async with asyncio.timeout(3):
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self._port))
        return await asyncio.open_connection(sock=connection, limit=1)

    async def say(self, more: bytes) -> None:
        for writer in self.writers:
            writer.write(more)
        await asyncio.sleep(0)

    async def still_open(self) -> int:
        """How many of them the server has not closed."""
        return sum(await asyncio.gather(*map(_is_open, self._readers)))

    async def close(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def _is_open(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.2):
            while await reader.read(65_536):
                pass
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


@asynccontextmanager
async def attack(url: str, address: str = "127.0.0.1"):
    attacker = Attacker(url, address)
    try:
        yield attacker
    finally:
        await attacker.close()


@asynccontextmanager
async def attacks(app, said):
    """Twice as many connections as the app has files, from many addresses."""
    async with AsyncExitStack() as stack:
        attackers = [
            await stack.enter_async_context(attack(app.url, f"127.0.1.{number}"))
            for number in range(1, ADDRESSES + 1)
        ]
        await asyncio.gather(*(each.open(2 * FILES // ADDRESSES, said) for each in attackers))
        yield


async def load_page(url: str) -> float:
    """How long the page and its files take, in seconds, over new connections."""
    begun = time.monotonic()
    as_browsers = httpx.Limits(max_connections=6)
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, timeout=HONEST_S, limits=as_browsers
    ) as visitor:
        page = await visitor.get("/")
        assert page.status_code == 200
        files = re.findall(r'(?:src|href)="\.?(/assets/[^"]+)"', page.text)
        assert files
        answers = await asyncio.gather(*(visitor.get(file) for file in files))
    assert {answer.status_code for answer in answers} == {200}
    return time.monotonic() - begun


async def until_closed(attacker: Attacker, limit_s: float) -> None:
    async with asyncio.timeout(limit_s):
        while await attacker.still_open():
            pass


async def test_the_page_answers_while_thousands_of_heads_are_half_sent(app):
    async with attack(app.url) as near, attack(app.url, "127.0.0.3") as far:
        await asyncio.gather(near.open(HALF_HEADS, HALF_HEAD), far.open(HALF_HEADS, HALF_HEAD))
        begun = time.monotonic()
        for _ in range(3):
            await load_page(app.url)
        # However the rest of a head is dribbled, its time is over when it is over.
        while time.monotonic() < begun + HEAD_LIMIT_S / 2:
            await near.say(b"x")
            await asyncio.sleep(0.5)
        await until_closed(near, HEAD_LIMIT_S)
        await until_closed(far, HEAD_LIMIT_S)
        await load_page(app.url)

    assert app.log.stat().st_size < MOST_LOG_BYTES


@pytest.mark.parametrize(
    "said",
    [b"", HALF_HEAD, HALF_BODY, JUNK, WORK],
    ids=["nothing", "half heads", "half bodies", "junk", "work"],
)
async def test_many_visitors_together_leave_room_for_one_more_and_for_calls(app, said):
    async with attacks(app, said):
        await load_page(app.url)

        assert files_of(app) < FILES * 3 / 4
    assert app.log.stat().st_size < MOST_LOG_BYTES
