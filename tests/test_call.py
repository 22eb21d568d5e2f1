"""The handler, driven as fastrtc drives it, against a server that the test plays by hand."""

import asyncio
from contextlib import asynccontextmanager

import av
import numpy as np
import orjson
import pytest
from fastrtc import AdditionalOutputs

from components import call as module
from components.audio import FRAME_SAMPLES, SAMPLE_RATE, encode
from components.call import Call, Screen
from components.conversation import Conversation
from components.session import Renew
from components.settings import Settings
from tests.scripted import PATIENCE_S, scripted_server

TONE = (8000 * np.sin(np.arange(SAMPLE_RATE) * 2 * np.pi * 500 / SAMPLE_RATE)).astype(np.int16)
"""A second; each frame of it holds ten whole waves."""
LOUD = TONE[:FRAME_SAMPLES].reshape(1, -1)
AUDIBLE = 1000


class Page:
    """The browser's end of the data channel, and what a `Call` finds in fastrtc around it."""

    readyState = "open"  # noqa: N815  # the name of the WebRTC standard

    def __init__(self, settings):
        self.closed = asyncio.Event()
        self.call = Call(settings)
        self.call.set_channel(self)
        self.call.hang_up_peer = self.closed.set
        self.messages = []
        self._decoder = av.CodecContext.create("libopus", "r")
        self._decoder.layout = "mono"
        self._decoder.format = "s16"
        self._listeners = []
        self._changed = asyncio.Condition()
        self._pending = set()

    def on(self, event, listener):
        assert event == "message"
        self._listeners.append(listener)

    def send(self, text):
        self.messages.append(orjson.loads(text))
        task = asyncio.create_task(self._notify())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _notify(self):
        async with self._changed:
            self._changed.notify_all()

    def says(self, message):
        for listener in self._listeners:
            listener(
                message if isinstance(message, str | bytes) else orjson.dumps(message).decode()
            )

    async def sees(self, **expected):
        """Wait for a message with these fields."""

        def seen():
            return [m for m in self.messages if expected.items() <= m.items()]

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(seen)
        return seen()[-1]

    async def loud_frames(self, count):
        """How many of the next 20 ms packets for the browser can be heard."""
        loud = 0
        for _ in range(count):
            packet = await self.call.speaker.recv()
            [frame] = self._decoder.decode(packet)
            loud += bool(np.abs(frame.to_ndarray()).max() > AUDIBLE)
        return loud

    async def snapshot(self):
        """The transcript, when fastrtc is told to have it fetched."""
        async with asyncio.timeout(PATIENCE_S):
            while (output := await self.call.emit()) is None:
                pass
        assert isinstance(output, AdditionalOutputs)
        return output.args[0].take()


@asynccontextmanager
async def calling(**settings):
    """A page and the server's end of its first socket; `page.server` has those that follow."""
    async with scripted_server() as server:
        page = Page(Settings(practice=False, base_url=server.url, **settings))
        page.server = server
        await page.call.start_up()
        try:
            yield page, await server.connection()
        finally:
            await page.call.shutdown()


@asynccontextmanager
async def in_call(**settings):
    async with calling(**settings) as (page, upstream):
        await upstream.greet()
        await page.sees(type="state", connection="connected")
        yield page, upstream


async def answer(upstream, ms=200, text="Hello."):
    item = {"id": "a1", "type": "message", "role": "assistant", "content": []}
    await upstream.send("response.created", response={"id": "r1"})
    await upstream.send("response.output_item.added", response_id="r1", item=item)
    await upstream.send(
        "response.output_audio_transcript.delta", response_id="r1", item_id="a1", delta=text
    )
    loud = np.resize(TONE, 24 * ms).tobytes()
    await upstream.send(
        "response.output_audio.delta", response_id="r1", item_id="a1", delta=encode(loud)
    )


async def test_call_connects_configures_and_says_so():
    async with calling() as (page, upstream):
        await page.sees(type="state", connection="connecting")
        await upstream.greet()
        await page.sees(type="state", connection="connected", user="listening", assistant="idle")

        [update] = upstream.of("session.update")
        assert update["session"]["audio"]["output"]["voice"] == "marin"


async def test_every_connection_has_a_call_of_its_own():
    prototype = Call(Settings(practice=True))

    assert prototype.copy() is not prototype
    assert prototype.copy()._session is not prototype._session


async def test_key_goes_into_the_handshake_and_nowhere_else():
    async with calling(api_key="sk-secret") as (page, upstream):
        await upstream.greet()
        await page.sees(type="state", connection="connected")

        assert upstream.socket.request.headers["Authorization"] == "Bearer sk-secret"
        assert "sk-secret" not in str(page.messages) + str(upstream.received)


async def test_microphone_frames_reach_the_server_in_order():
    async with in_call() as (page, upstream):
        for value in range(5):
            await page.call.receive((SAMPLE_RATE, np.full((1, FRAME_SAMPLES), value, np.int16)))
        events = await upstream.expect("input_audio_buffer.append", 5)

        expected = [encode(np.full(FRAME_SAMPLES, value, np.int16).tobytes()) for value in range(5)]
        assert [event["audio"] for event in events] == expected


def test_frames_of_the_browser_become_20_ms_of_mono():
    call = Call(Settings(practice=True))
    sizes = []
    for number in range(10):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(bytes(960 * 4))
        frame.sample_rate = 48_000
        frame.pts = number * 960
        sizes += [resampled.to_ndarray().shape for resampled in call.resample(frame)]

    assert set(sizes) == {(1, FRAME_SAMPLES)}
    assert len(sizes) >= 9


async def test_silence_fills_the_time_before_and_after_a_reply():
    async with in_call() as (page, upstream):
        assert await page.loud_frames(3) == 0

        await answer(upstream, ms=100)
        await upstream.send("response.done", response={"id": "r1", "status": "completed"})
        await page.sees(type="state", assistant="speaking")

        # The decoder spreads the last frame over two.
        assert await page.loud_frames(10) in (5, 6)


async def test_page_gets_whole_transcripts_and_only_when_something_changed():
    async with in_call() as (page, upstream):
        # The first one clears away what the page still shows of the call before.
        assert (await page.snapshot()).messages == ()

        await answer(upstream, text="Hello.")
        conversation = await page.snapshot()
        while not conversation.messages[0].text:
            conversation = await page.snapshot()

        assert [m.text for m in conversation.messages] == ["Hello."]


async def test_snapshot_that_nothing_changed_is_none(monkeypatch):
    monkeypatch.setattr(module, "EMIT_LIMIT_S", 0.0)
    async with in_call() as (page, _upstream):
        assert (await page.snapshot()).messages == ()
        assert await page.call.emit() is None


def test_screen_keeps_only_the_newest():
    screen = Screen()
    older, newer = Conversation(notice="1"), Conversation(notice="2")
    screen.put(older)
    screen.put(newer)

    assert screen.take() is newer
    assert screen.take() is None


async def test_levels_of_both_sides_go_over_the_data_channel():
    async with in_call() as (page, upstream):
        await page.call.receive((SAMPLE_RATE, LOUD))
        await answer(upstream)
        await page.sees(type="state", assistant="speaking")
        await page.loud_frames(2)
        expected = round(float(20 * np.log10(8000 / 32768 / np.sqrt(2))), 1)

        await page.sees(type="levels", user=expected)
        await page.sees(type="levels", assistant=expected)
        times = [m["t"] for m in page.messages if m["type"] == "levels"]
        assert times == sorted(times)


async def test_barge_in_silences_the_page_and_truncates():
    async with in_call() as (page, upstream):
        await answer(upstream, ms=2000)
        await page.sees(type="state", assistant="speaking")
        assert await page.loud_frames(10) >= 9
        await upstream.send("input_audio_buffer.speech_started", item_id="u1")
        [truncate] = await upstream.expect("conversation.item.truncate")

        assert 0 < truncate["audio_end_ms"] < 2000
        await page.sees(type="stop")
        assert await page.loud_frames(5) <= 1


async def test_page_can_type_interrupt_and_mute():
    async with in_call() as (page, upstream):
        page.says({"type": "say", "text": "Hello"})
        [item] = await upstream.expect("conversation.item.create")
        assert item["item"]["content"][0]["text"] == "Hello"

        await answer(upstream, ms=2000)
        await page.sees(type="state", assistant="speaking")
        page.says({"type": "interrupt"})
        await upstream.expect("response.cancel")

        page.says({"type": "mute", "on": True})
        await page.sees(type="state", user="muted")
        await page.call.receive((SAMPLE_RATE, LOUD))
        [append] = await upstream.expect("input_audio_buffer.append")
        assert append["audio"] == encode(bytes(FRAME_SAMPLES * 2))


async def test_push_to_talk_over_the_data_channel():
    async with in_call(turn_detection="push_to_talk") as (page, upstream):
        page.says({"type": "talk", "down": True})
        for _ in range(10):
            await page.call.receive((SAMPLE_RATE, LOUD))
        page.says({"type": "talk", "down": False})

        await upstream.expect("input_audio_buffer.commit")
        await upstream.expect("response.create")


async def test_measured_playout_delay_counts_as_unheard():
    async with in_call() as (page, upstream):
        page.says({"type": "playout", "delay_ms": 900, "rtt_ms": 1, "lost": 0})
        await answer(upstream, ms=2000)
        await page.sees(type="state", assistant="speaking")
        await page.loud_frames(20)
        page.says({"type": "interrupt"})
        [truncate] = await upstream.expect("conversation.item.truncate")

        assert truncate["audio_end_ms"] == 0


@pytest.mark.parametrize(
    "message",
    [
        "handshake",
        b"\xff\xfe",
        "[]",
        "7",
        {"type": "say", "text": 7},
        {"type": "mute", "on": "yes"},
        {"type": "playout", "delay_ms": None, "rtt_ms": 1},
        {"type": "playout", "delay_ms": 900},
        {"type": "unheard of"},
        {},
    ],
)
async def test_message_that_is_not_ours_is_ignored(message):
    async with in_call() as (page, upstream):
        page.says(message)
        page.says({"type": "say", "text": "still here"})

        await upstream.expect("conversation.item.create")


async def test_hang_up_closes_the_socket_and_ends_the_call():
    async with in_call() as (page, upstream):
        page.says({"type": "hangup"})

        await page.sees(type="state", connection="ended")
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()


async def test_lost_upstream_is_replaced_and_told_the_past():
    async with in_call() as (page, upstream):
        page.says({"type": "say", "text": "Remember me"})
        await upstream.expect("conversation.item.create")
        page.messages.clear()
        await upstream.socket.close(1011, "")
        await page.sees(type="state", connection="reconnecting")

        successor = await page.server.connection()
        await successor.greet()
        await page.sees(type="state", connection="connected")
        [item] = await successor.expect("conversation.item.create")

    assert item["item"]["content"] == [{"type": "input_text", "text": "Remember me"}]


async def test_refusal_in_a_call_is_said_and_ends_the_connection(monkeypatch):
    monkeypatch.setattr(module, "GOODBYE_S", 0.0)
    async with in_call() as (page, upstream):
        await upstream.socket.close(4004, "invalid_request_error.model_not_found")
        state = await page.sees(type="state", connection="failed")
        assert "REALTIME_MODEL" in state["notice"]

        await page.sees(type="end_stream", data=state["notice"])
        async with asyncio.timeout(PATIENCE_S):
            await page.closed.wait()


async def test_session_moves_to_a_new_socket_before_the_old_one_closes():
    async with in_call() as (page, upstream):
        page.call._perform([Renew()])

        successor = await page.server.connection()
        assert not upstream.closed.is_set()
        await upstream.closed.wait()
        await successor.greet()
        page.says({"type": "say", "text": "Still here"})
        await successor.expect("conversation.item.create")
        states = {m["connection"] for m in page.messages if m["type"] == "state"}

    assert states == {"connecting", "connected"}


async def test_failed_renewal_keeps_the_old_socket():
    async with in_call() as (page, upstream):
        page.server.refuses = True
        page.call._perform([Renew()])
        await page.server.refused.wait()
        page.says({"type": "say", "text": "Still here"})
        await upstream.expect("conversation.item.create")


async def test_refused_key_is_said_in_the_page():
    async with calling(api_key="sk-wrong") as (page, upstream):
        await upstream.send("error", error={"code": "invalid_api_key", "message": "sk-wrong?"})
        await upstream.socket.close(3000, "invalid_request_error.invalid_api_key")
        state = await page.sees(type="state", connection="failed")

        assert "OPENAI_API_KEY" in state["notice"]


async def test_unreachable_server_is_said_in_the_page():
    async with scripted_server() as server:
        url = server.url
    page = Page(Settings(practice=False, base_url=url))
    await page.call.start_up()
    state = await page.sees(type="state", connection="failed")
    await page.call.shutdown()

    assert "cannot be reached" in state["notice"]


@pytest.mark.parametrize("broken", [None, (SAMPLE_RATE, "not samples")])
async def test_nothing_that_breaks_in_a_call_leaves_the_handler(broken):
    async with in_call() as (page, _upstream):
        await page.call.receive(broken)

        state = await page.sees(type="state", connection="failed")
        assert "Something went wrong" in state["notice"]


async def test_page_message_that_breaks_the_session_ends_the_call(monkeypatch):
    async with in_call() as (page, _upstream):
        monkeypatch.setattr(page.call._session, "interrupt", None)
        page.says({"type": "interrupt"})

        await page.sees(type="state", connection="failed")


async def test_server_event_that_breaks_the_session_ends_the_call(monkeypatch):
    async with in_call() as (page, upstream):
        monkeypatch.setattr(page.call._session, "receive", None)
        await upstream.send("ping")

        await page.sees(type="state", connection="failed")


async def test_trace_that_cannot_be_written_ends_the_call_with_a_sentence(tmp_path):
    page = Page(Settings(practice=False, base_url="ws://127.0.0.1:1", trace=tmp_path))
    await page.call.start_up()

    await page.sees(type="state", connection="failed")
    await page.call.shutdown()


async def test_closed_data_channel_is_no_error():
    async with in_call() as (page, upstream):
        page.readyState = "closed"
        count = len(page.messages)
        await answer(upstream)

        assert await page.call.emit() is None
        assert len(page.messages) == count


async def test_shutdown_leaves_nothing_behind_and_may_be_called_twice():
    async with scripted_server() as server:
        page = Page(Settings(practice=False, base_url=server.url))
        before = asyncio.all_tasks()
        await page.call.start_up()
        upstream = await server.connection()
        await upstream.greet()
        await page.call.shutdown()
        await page.call.shutdown()
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()
            while left := [t for t in asyncio.all_tasks() - before if not t.done()]:
                await asyncio.wait(left)


async def test_shutdown_while_connecting_does_not_wait_for_the_server():
    reached, hung_up = asyncio.Event(), asyncio.Event()

    async def silent(reader, writer):
        reached.set()
        await reader.read()
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server, asyncio.timeout(5):
        port = server.sockets[0].getsockname()[1]
        page = Page(Settings(practice=False, base_url=f"ws://127.0.0.1:{port}"))
        await page.call.start_up()
        await reached.wait()
        await page.call.shutdown()
        await hung_up.wait()


async def test_shutdown_before_the_start_is_no_error():
    await Call(Settings(practice=True)).shutdown()


async def test_browser_that_sends_nothing_any_more_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(module, "GONE_S", 0.0)
    monkeypatch.setattr(module, "GOODBYE_S", 0.0)
    async with calling() as (page, upstream):
        state = await page.sees(type="state", connection="ended")
        async with asyncio.timeout(PATIENCE_S):
            await page.closed.wait()
            await upstream.closed.wait()

    assert "no sound" in state["notice"]


async def test_levels_come_twenty_times_a_second_while_frames_do(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(module, "WATCH_S", 3600)
    page = Page(Settings(practice=False, base_url="ws://127.0.0.1:1"))
    for _ in range(500):
        clock[0] += 0.02
        page.call.hear(LOUD.tobytes())

    count = sum(m["type"] == "levels" for m in page.messages)
    assert 199 <= count <= 201
