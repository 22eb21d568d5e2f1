"""Functions that never come back: what they keep from everybody else."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from components import tools
from components.tools import MOST_OF_A_CALL, Threads, tool
from tests.running import ROOT

STOP_LIMIT_S = 3.0
PROGRAM = """
import asyncio, threading
from components import tools

def hang():
    "Never comes back."
    threading.Event().wait()

async def main():
    made = (tools.tool(hang),)
    calls = [
        asyncio.create_task(tools.run("hang", "{}", threads, made))
        for threads in [tools.Threads() for _ in range(8)] for _ in range(8)
    ]
    await asyncio.sleep(0.2)
    print("hanging", flush=True)
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    print("resolved", flush=True)

asyncio.run(main())
"""


class Shop:
    """A function that hangs until the shop opens."""

    def __init__(self) -> None:
        self.doors = threading.Event()
        self.inside: list[threading.Thread] = []

        def visit() -> str:
            """Waits for the shop to open."""
            self.inside.append(threading.current_thread())
            self.doors.wait()
            return "Come in."

        async def look() -> str:
            """Needs no thread."""
            return "It is closed."

        self._tools = (tool(visit), tool(look))

    async def asked(self, threads: Threads, name: str = "visit") -> str:
        """What the model is told: a result, or what went wrong."""
        told = await tools.run(name, "{}", threads, self._tools)
        return str(json.loads(told)["error"]) if told.startswith("{") else told

    async def crowd(self, threads: Threads, count: int) -> list[str]:
        return await asyncio.gather(*(self.asked(threads) for _ in range(count)))


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(tools, "LIMIT_S", 0.2)
    monkeypatch.setattr(tools, "_free_threads", threading.BoundedSemaphore(2 * MOST_OF_A_CALL))
    shop = Shop()
    yield shop
    shop.doors.set()
    for thread in shop.inside:
        thread.join()


def test_hung_functions_keep_neither_names_from_being_found_nor_the_app_from_ending() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        begun = time.monotonic()
        assert process.wait(STOP_LIMIT_S) == 0
        assert process.stdout.read() == "resolved\n"
        assert time.monotonic() - begun < STOP_LIMIT_S
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


async def test_a_call_gets_its_threads_and_no_more_however_long_they_hang(shop: Shop) -> None:
    threads = Threads()
    told = await shop.crowd(threads, MOST_OF_A_CALL + 1)
    assert set(told[:-1]) == {"visit did not answer within 0.2 seconds."}
    assert "was not begun: functions that were called before still run" in told[-1]

    assert "was not begun" in await shop.asked(threads)
    assert len(shop.inside) == MOST_OF_A_CALL
    assert await shop.asked(threads, "look") == "It is closed."


async def test_calls_together_get_so_many_threads_and_the_model_is_told(shop: Shop) -> None:
    greedy = [await shop.crowd(Threads(), MOST_OF_A_CALL) for _ in range(2)]

    assert "Try it again in a minute" in await shop.asked(Threads())
    assert len(shop.inside) == sum(map(len, greedy)) == 2 * MOST_OF_A_CALL


async def test_a_thread_that_comes_back_is_free_for_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = Threads()
    await shop.crowd(threads, MOST_OF_A_CALL)
    monkeypatch.setattr(tools, "LIMIT_S", 5.0)
    waiting = asyncio.create_task(shop.asked(threads))
    shop.doors.set()

    assert await waiting == "Come in."
    assert await shop.crowd(threads, 3 * MOST_OF_A_CALL) == ["Come in."] * 3 * MOST_OF_A_CALL


async def test_a_system_without_threads_is_told_to_the_model(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threads = Threads()
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", none_left)
        for _ in range(3 * MOST_OF_A_CALL):
            assert "Try it again in a minute" in await shop.asked(threads)
    shop.doors.set()

    assert await shop.asked(threads) == "Come in."
