"""The stream of Gradio's messages: at once, whole, and without a look every 50 ms."""

import asyncio
import queue
import threading
from types import SimpleNamespace

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from components.page import news
from components.page.news import BEGIN_S, PROGRESS_S, News, look_less

PATH = "/gradio_api/queue/data"


class House:
    """A web server with a stream like Gradio's; counts how often that looks for messages."""

    def __init__(self) -> None:
        self.looks = 0
        self.looked = asyncio.Event()
        self.ended = asyncio.Event()
        self.messages: queue.Queue[str] = queue.Queue()
        self.pending = {"page": self.messages}
        self.blocks = SimpleNamespace(
            _queue=SimpleNamespace(pending_messages_per_session=self.pending)
        )
        routes = [Route(PATH, self._stream), Route("/other", lambda _: PlainTextResponse("other"))]
        self.app = News(Starlette(routes=routes), self.blocks)

    async def look(self, times):
        """The stream looks so many times more."""
        for _ in range(times):
            self.looked.clear()
            await self.looked.wait()

    async def _stream(self, request: Request) -> StreamingResponse:
        return StreamingResponse(self._text(request))

    async def _text(self, request: Request):
        try:
            while not await request.is_disconnected():
                self.looks += 1
                self.looked.set()
                if self.looks > 50:
                    raise AssertionError("looks without end")
                try:
                    message = self.pending[request.query_params["session_hash"]].get_nowait()
                except KeyError:
                    return
                except queue.Empty:
                    await asyncio.sleep(0.01)
                    continue
                if message == "end":
                    return
                yield message
        finally:
            self.ended.set()


class Reader:
    """A browser that reads the stream of a page; it knows what has come so far."""

    def __init__(self, house: House, session: str = "page", path: str = PATH) -> None:
        self.read: list[str] = []
        self.came = asyncio.Event()
        self.leaves = asyncio.Event()
        self._asked = False
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": f"session_hash={session}".encode(),
            "headers": [],
            "asgi": {"version": "3.0", "spec_version": "2.3"},
        }
        self.reading = asyncio.ensure_future(house.app(scope, self._receive, self._send))

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if body := message.get("body"):
            self.read.append(body.decode())
            self.came.set()

    async def until(self, count):
        while len(self.read) < count:
            self.came.clear()
            await self.came.wait()


@pytest.fixture
async def house(monkeypatch):
    monkeypatch.setattr(news, "LOOK_S", 3600.0)
    return House()


async def quiet():
    """Whatever can run without another event has run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_message_is_read_when_it_comes(house):
    reader = Reader(house)
    await quiet()
    assert house.looks == 0

    house.messages.put_nowait("one")
    house.messages.put_nowait("two")
    await reader.until(2)
    await quiet()
    looks = house.looks
    house.messages.put_nowait("end")
    await reader.reading

    assert reader.read == ["one", "two"]
    assert looks == 2


async def test_message_of_another_thread_is_read_as_well(house):
    reader = Reader(house)
    await quiet()
    thread = threading.Thread(target=house.messages.put, args=("one",))
    thread.start()
    await reader.until(1)
    thread.join()
    house.messages.put_nowait("end")
    await reader.reading

    assert reader.read == ["one"]


async def test_what_came_before_the_page_reads_is_not_lost(house):
    house.messages.put_nowait("one")
    house.messages.put_nowait("end")
    reader = Reader(house)
    await reader.reading

    assert reader.read == ["one"]


async def test_stream_of_a_page_that_leaves_ends(house):
    reader = Reader(house)
    await quiet()
    reader.leaves.set()
    await reader.reading

    assert house.ended.is_set()
    assert house.messages.put.streams == set()


async def test_every_stream_of_a_page_is_told_and_the_queue_keeps_one_bell(house):
    first = Reader(house)
    await quiet()
    bell = house.messages.put
    second = Reader(house)
    await quiet()

    assert house.messages.put is bell
    assert len(bell.streams) == 2
    house.messages.put_nowait("end")
    await asyncio.wait([first.reading, second.reading], return_when=asyncio.FIRST_COMPLETED)
    house.messages.put_nowait("end")
    await asyncio.gather(first.reading, second.reading)
    assert bell.streams == set()


async def test_queue_that_takes_the_place_of_another_is_read(house, monkeypatch):
    monkeypatch.setattr(news, "LOOK_S", 0.01)
    reader = Reader(house)
    await house.look(1)
    former, house.messages = house.messages, queue.Queue()
    house.pending["page"] = house.messages
    await house.look(2)
    assert len(house.messages.put.streams) == 1
    house.messages.put_nowait("end")
    await reader.reading

    assert former.put.streams == house.messages.put.streams == set()


async def test_page_that_nobody_knows_waits_for_nothing(house):
    await Reader(house, session="stranger").reading

    assert house.ended.is_set()


async def test_gradio_still_looks_now_and_then(house, monkeypatch):
    monkeypatch.setattr(news, "LOOK_S", 0.001)
    reader = Reader(house)
    await house.look(3)
    house.messages.put_nowait("end")
    await reader.reading


async def test_other_requests_and_other_gradios_are_left_alone(house):
    other = Reader(house, path="/other")
    await other.reading
    assert other.read == ["other"]

    del house.blocks._queue.pending_messages_per_session
    house.messages.put_nowait("end")
    await Reader(house).reading
    assert not hasattr(house.messages.put, "streams")


async def test_the_queue_of_this_gradio_looks_less_often():
    with gr.Blocks(analytics_enabled=False) as demo:
        pass
    before = vars(demo._queue).copy()
    look_less(demo)

    assert demo._queue.sleep_when_free == BEGIN_S > before["sleep_when_free"]
    assert (
        demo._queue.progress_update_sleep_when_free
        == PROGRESS_S
        > before["progress_update_sleep_when_free"]
    )
