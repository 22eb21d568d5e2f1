"""The handler, driven as fastrtc drives it, against a server that the test plays by hand."""

import asyncio
from contextlib import asynccontextmanager

import av
import numpy as np
import orjson
import pytest
from fastrtc import AdditionalOutputs, CloseStream

from components import call as module
from components.audio import FRAME_SAMPLES, SAMPLE_RATE, encode
from components.call import Call, Screen
from components.conversation import Conversation
from components.settings import Settings
from tests.scripted import PATIENCE_S, scripted_server

LOUD = np.full((1, FRAME_SAMPLES), 8000, np.int16)
QUIET = np.zeros((1, FRAME_SAMPLES), np.int16)


class Page:
    """The browser's end of the data channel, and what a `Call` finds in fastrtc around it."""

    readyState = "open"  # noqa: N815  # the name of the WebRTC standard

    def __init__(self, settings):
        self.call = Call(settings)
        self.call.set_channel(self)
        self.call._clear_queue = self.clear
        self.cleared = 0
        self.messages = []
        self.snapshots = []
        self._listeners = []
        self._changed = asyncio.Condition()
        self._pending = set()

    def on(self, event, listener):
        assert event == "message"
        self._listeners.append(listener)

    def clear(self):
        self.cleared += 1

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

    async def frames(self, count):
        """What the next calls of `emit` give, as sample arrays; snapshots are put aside."""
        frames = []
        while len(frames) < count:
            output = await self.call.emit()
            if output is None:
                continue
            if isinstance(output[1], AdditionalOutputs):
                self.snapshots.append(output[1].args[0].take())
                output = output[0]
            assert output[0] == SAMPLE_RATE
            frames.append(output[1])
        return frames


@asynccontextmanager
async def calling(**settings):
    async with scripted_server() as server:
        page = Page(Settings(practice=False, base_url=server.url, **settings))
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
    loud = np.full(24 * ms, 8000, np.int16).tobytes()
    await upstream.send(
        "response.output_audio.delta", response_id="r1", item_id="a1", delta=encode(loud)
    )


def loud(frame):
    return bool(np.any(frame))


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
        assert not any(loud(frame) for frame in await page.frames(3))

        await answer(upstream, ms=100)
        await upstream.send("response.done", response={"id": "r1", "status": "completed"})
        await page.sees(type="state", assistant="speaking")
        frames = await page.frames(10)

        assert [loud(frame) for frame in frames].count(True) == 5
        assert all(frame.shape == (1, FRAME_SAMPLES) for frame in frames)


async def test_encoder_rests_after_the_silence_and_wakes_for_a_reply(monkeypatch):
    monkeypatch.setattr(module, "TRAILING_FRAMES", 2)
    async with in_call() as (page, upstream):
        await page.frames(3)
        resting = asyncio.create_task(page.frames(1))
        await answer(upstream)

        [frame] = await resting
        assert loud(frame)


async def test_page_gets_whole_transcripts_and_only_when_something_changed():
    async with in_call() as (page, upstream):
        await page.frames(3)
        assert page.snapshots == []

        await answer(upstream, text="Hello.")
        await page.sees(type="state", assistant="speaking")
        await page.frames(12)

        assert 1 <= len(page.snapshots) <= 3
        assert [m.text for m in page.snapshots[-1].messages] == ["Hello."]


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
        await page.frames(2)
        expected = round(float(20 * np.log10(8000 / 32768)), 1)

        await page.sees(type="levels", user=expected)
        await page.sees(type="levels", assistant=expected)
        times = [m["t"] for m in page.messages if m["type"] == "levels"]
        assert times == sorted(times)


async def test_barge_in_empties_fastrtcs_queue_and_truncates():
    async with in_call() as (page, upstream):
        await answer(upstream, ms=2000)
        await page.sees(type="state", assistant="speaking")
        await page.frames(10)
        await upstream.send("input_audio_buffer.speech_started", item_id="u1")
        [truncate] = await upstream.expect("conversation.item.truncate")

        assert 0 < truncate["audio_end_ms"] < 2000
        assert page.cleared == 1
        assert not any(loud(frame) for frame in await page.frames(3))


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
        await page.frames(20)
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
        {"type": "playout", "delay_ms": None},
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


async def test_lost_upstream_is_said_and_ends_the_stream(monkeypatch):
    monkeypatch.setattr(module, "GOODBYE_S", 0.0)
    async with in_call() as (page, upstream):
        await upstream.socket.close(1011, "")
        state = await page.sees(type="state", connection="failed")
        assert "lost" in state["notice"]

        output = await page.call.emit()
        assert isinstance(output, CloseStream)
        assert output.msg == state["notice"]


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
        await page.frames(5)

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
