"""A call, driven as its connection drives it, against a server that the test plays by hand."""

import asyncio
import time
from contextlib import asynccontextmanager

import av
import numpy as np
import pytest

from components import tools
from components.access.visitor import identifier
from components.audio import FRAME_SAMPLES, SAMPLE_RATE, encode
from components.bridge import call as module
from components.bridge.call import Call
from components.core.conversation import Conversation, Message, Status
from components.core.outputs import Renew
from components.media.speaker import Speaker
from components.protocol.options import Refused
from components.settings import Settings
from tests.scripted import PATIENCE_S, scripted_server

TONE = (8000 * np.sin(np.arange(SAMPLE_RATE) * 2 * np.pi * 500 / SAMPLE_RATE)).astype(np.int16)
"""A second; each frame of it holds ten whole waves."""
LOUD = TONE[:FRAME_SAMPLES].tobytes()
AUDIBLE = 1000


class Page:
    """The browser's end of a call."""

    def __init__(self):
        self.messages = []
        self.conversations: asyncio.Queue[Conversation] = asyncio.Queue()
        self.dismissed = asyncio.Event()
        self._changed = asyncio.Condition()
        self._pending = set()

    def join(self, call):
        self.call = call
        self.speaker = Speaker(call.sound)
        call.attach(self)
        return self

    def tell(self, message):
        self.messages.append(message)
        task = asyncio.create_task(self._notify())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _notify(self):
        async with self._changed:
            self._changed.notify_all()

    def show(self, conversation):
        self.conversations.put_nowait(conversation)

    def hurry(self):
        self.speaker.hurry()

    def dismiss(self):
        self.dismissed.set()

    async def sees(self, **expected):
        """Wait for a message with these fields."""

        def seen():
            return [m for m in self.messages if expected.items() <= m.items()]

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(seen)
        return seen()[-1]

    async def is_dismissed(self):
        async with asyncio.timeout(PATIENCE_S):
            await self.dismissed.wait()

    async def reads(self, *texts):
        """Wait for a transcript of these messages; all that was shown until then."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                conversation = await self.conversations.get()
                if [m.text for m in conversation.messages if m.role != "note"] == list(texts):
                    return conversation

    async def loud_frames(self, count):
        """How many of the next 20 ms packets for the browser can be heard."""
        decoder = av.CodecContext.create("libopus", "r")
        decoder.layout = "mono"
        decoder.format = "s16"
        loud = 0
        for _ in range(count):
            [frame] = decoder.decode(await self.speaker.recv())
            loud += bool(np.abs(frame.to_ndarray()).max() > AUDIBLE)
        return loud


def new_call(
    url,
    past=None,
    ended=lambda _: None,
    refused=None,
    visitor="",
    wishes=None,
    own_key="",
    **settings,
):
    asked = Settings(practice=False, base_url=url, **settings)
    past, refused = past or Conversation(), refused or Refused()
    return Call(asked, past, refused, ended, visitor, wishes or {}, key=own_key)


@asynccontextmanager
async def calling(past=None, ended=lambda _: None, **settings):
    """A page and the server's end of its first socket; `page.server` has those that follow."""
    async with scripted_server() as server:
        page = Page().join(new_call(server.url, past, ended, **settings))
        page.server = server
        try:
            yield page, await server.connection()
        finally:
            await page.call.close("")


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


async def test_key_goes_into_the_handshake_and_nowhere_else():
    async with calling(api_key="sk-secret") as (page, upstream):
        await upstream.greet()
        await page.sees(type="state", connection="connected")

        assert upstream.socket.request.headers["Authorization"] == "Bearer sk-secret"
        assert "sk-secret" not in str(page.messages) + str(upstream.received)


async def test_every_socket_of_a_call_names_its_visitor_by_a_hash_alone():
    async with in_call(api_key="sk-secret", visitor="192.0.2.1") as (page, upstream):
        await upstream.socket.close(1011, "")
        successor = await page.server.connection()
        await successor.greet()
        page.call._perform([Renew()])
        last = await page.server.connection()
        heads = [each.socket.request.headers for each in (upstream, successor, last)]

    expected = identifier("192.0.2.1", "sk-secret")
    assert [head["OpenAI-Safety-Identifier"] for head in heads] == [expected] * 3
    assert "192.0.2.1" not in str(heads)


async def test_a_key_of_the_visitor_is_in_the_head_of_his_sockets_and_nowhere_else(caplog):
    caplog.set_level(0)
    caplog.handler.addFilter(lambda record: record.name != "websockets.server")  # the test's own
    own = "own-key-1111111111111111"
    async with scripted_server() as server:
        call = new_call(server.url, api_key="sk-secret", max_call_cost=0.001, own_key=own)
        page = Page().join(call)
        upstream = await server.connection()
        request = upstream.socket.request
        assert request is not None
        assert request.headers["Authorization"] == f"Bearer {own}"
        await upstream.greet()
        await page.sees(type="state", connection="connected")
        # A server that repeats it, in an event and in its last words.
        await upstream.send("error", error={"message": f"Key {own} is odd."})
        await page.sees(type="state", notice="The server reports: Key (key) is odd.")
        call.command({"type": "cap", "dollars": 0.5})
        assert call.inspection.told["cap_problem"] == ""  # the owner's limit is not in the way
        reports = call.inspection.reports()
        told = str(await anext(reports)) + str(page.messages) + str(upstream.received)
        await call.close("")
        assert own not in told + str(call.conversation) + caplog.text
        assert own not in str(vars(call)) + str(vars(call.terms)) + str(vars(call.inspection))


async def test_a_call_without_a_key_names_nobody():
    async with in_call(visitor="192.0.2.1") as (_, upstream):
        assert "OpenAI-Safety-Identifier" not in upstream.socket.request.headers


async def test_microphone_frames_reach_the_server_in_order():
    async with in_call() as (page, upstream):
        for value in range(5):
            page.call.microphone(np.full(FRAME_SAMPLES, value, np.int16).tobytes())
        events = await upstream.expect("input_audio_buffer.append", 5)

        expected = [encode(np.full(FRAME_SAMPLES, value, np.int16).tobytes()) for value in range(5)]
        assert [event["audio"] for event in events] == expected


async def test_silence_fills_the_time_before_and_after_a_reply():
    async with in_call() as (page, upstream):
        assert await page.loud_frames(3) == 0

        await answer(upstream, ms=100)
        await upstream.send("response.done", response={"id": "r1", "status": "completed"})
        await page.sees(type="state", assistant="speaking")

        # The decoder spreads the last frame over two.
        assert await page.loud_frames(10) in (5, 6)


async def test_page_gets_whole_transcripts():
    async with in_call() as (page, upstream):
        await page.reads()

        await answer(upstream, text="Hello.")
        await page.reads("Hello.")


async def test_levels_of_both_sides_go_over_the_data_channel():
    async with in_call() as (page, upstream):
        page.call.microphone(LOUD)
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
        page.call.command({"type": "say", "text": "Hello"})
        [item] = await upstream.expect("conversation.item.create")
        assert item["item"]["content"][0]["text"] == "Hello"

        await answer(upstream, ms=2000)
        await page.sees(type="state", assistant="speaking")
        page.call.command({"type": "interrupt"})
        await upstream.expect("response.cancel")

        page.call.command({"type": "mute", "on": True})
        await page.sees(type="state", user="muted")
        page.call.microphone(LOUD)
        [append] = await upstream.expect("input_audio_buffer.append")
        assert append["audio"] == encode(bytes(FRAME_SAMPLES * 2))


async def test_a_line_that_is_sent_again_after_a_loss_is_said_once():
    async with in_call() as (page, upstream):
        for line_id in ("a", "a", "b"):
            page.call.command({"type": "say", "text": "Hello", "id": line_id})
        await upstream.expect("conversation.item.create", 2)
        told = [message["id"] for message in page.messages if message["type"] == "said"]
        assert told == ["a", "a", "b"]
        assert len(upstream.of("conversation.item.create")) == 2


async def test_push_to_talk_over_the_data_channel():
    async with in_call(turn_detection="push_to_talk") as (page, upstream):
        page.call.command({"type": "talk", "down": True})
        for _ in range(10):
            page.call.microphone(LOUD)
        page.call.command({"type": "talk", "down": False})

        await upstream.expect("input_audio_buffer.commit")
        await upstream.expect("response.create")


async def test_measured_playout_delay_counts_as_unheard():
    async with in_call() as (page, upstream):
        page.call.command({"type": "playout", "delay_ms": 900, "rtt_ms": 1, "lost": 0})
        await answer(upstream, ms=2000)
        await page.sees(type="state", assistant="speaking")
        await page.loud_frames(20)
        page.call.command({"type": "interrupt"})
        [truncate] = await upstream.expect("conversation.item.truncate")

        assert truncate["audio_end_ms"] == 0


@pytest.mark.parametrize(
    "message",
    [
        {"type": "say", "text": 7},
        {"type": "mute", "on": "yes"},
        {"type": "playout", "delay_ms": None, "rtt_ms": 1},
        {"type": "playout", "delay_ms": 900},
        {"type": "unheard of"},
        {},
    ],
)
async def test_message_that_nobody_knows_is_ignored(message):
    async with in_call() as (page, upstream):
        page.call.command(message)
        page.call.command({"type": "say", "text": "still here"})

        await upstream.expect("conversation.item.create")


async def test_hang_up_closes_the_socket_and_ends_the_call():
    async with in_call() as (page, upstream):
        page.call.command({"type": "hangup"})

        await page.sees(type="state", connection="ended")
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()


async def test_lost_upstream_is_replaced_and_told_the_past():
    async with in_call() as (page, upstream):
        page.call.command({"type": "say", "text": "Remember me"})
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
        await page.is_dismissed()


async def test_session_moves_to_a_new_socket_before_the_old_one_closes():
    async with in_call() as (page, upstream):
        page.call._perform([Renew()])

        successor = await page.server.connection()
        assert not upstream.closed.is_set()
        await upstream.closed.wait()
        await successor.greet()
        page.call.command({"type": "say", "text": "Still here"})
        await successor.expect("conversation.item.create")
        states = {m["connection"] for m in page.messages if m["type"] == "state"}

    assert states == {"connecting", "connected"}


async def test_session_does_not_move_while_somebody_speaks():
    async with in_call() as (page, upstream):
        await upstream.send("input_audio_buffer.speech_started", item_id="u1")
        await page.sees(type="state", user="speaking")
        page.call._perform([Renew()])
        await page.server.connection()
        page.messages.clear()
        await page.sees(type="levels")  # of the clock that would have closed it by now
        assert not upstream.closed.is_set()

        await upstream.send("input_audio_buffer.cleared")
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()


async def test_failed_renewal_keeps_the_old_socket():
    async with in_call() as (page, upstream):
        page.server.refuses = True
        page.call._perform([Renew()])
        await page.server.refused.wait()
        page.call.command({"type": "say", "text": "Still here"})
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
    page = Page().join(new_call(url))
    state = await page.sees(type="state", connection="failed")
    await page.call.close("")

    assert "cannot be reached" in state["notice"]


async def test_sound_that_breaks_the_session_ends_the_call():
    async with in_call() as (page, _upstream):
        page.call.microphone(None)

        state = await page.sees(type="state", connection="failed")
        assert "Something went wrong" in state["notice"]


async def test_page_message_that_breaks_the_session_ends_the_call(monkeypatch):
    async with in_call() as (page, _upstream):
        monkeypatch.setattr(page.call._session, "interrupt", None)
        page.call.command({"type": "interrupt"})

        await page.sees(type="state", connection="failed")


async def test_server_event_that_breaks_the_session_ends_the_call(monkeypatch):
    async with in_call() as (page, upstream):
        monkeypatch.setattr(page.call._session, "receive", None)
        await upstream.send("ping")

        await page.sees(type="state", connection="failed")


async def test_trace_that_cannot_be_written_ends_the_call_with_a_sentence(tmp_path):
    page = Page().join(new_call("ws://127.0.0.1:1", trace=tmp_path))

    await page.sees(type="state", connection="failed")
    await page.call.close("")


async def test_close_leaves_nothing_behind_and_may_be_called_twice():
    async with scripted_server() as server:
        before = asyncio.all_tasks()
        page = Page().join(new_call(server.url))
        upstream = await server.connection()
        await upstream.greet()
        await page.call.close("Good night.")
        await page.call.close("")
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()
            while left := [t for t in asyncio.all_tasks() - before if not t.done()]:
                await asyncio.wait(left)

    assert page.messages[-1]["notice"] == "Good night."
    assert page.dismissed.is_set()
    assert upstream.socket.close_code == 1000


async def test_close_while_connecting_does_not_wait_for_the_server():
    reached, hung_up = asyncio.Event(), asyncio.Event()

    async def silent(reader, writer):
        reached.set()
        await reader.read()
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server, asyncio.timeout(5):
        port = server.sockets[0].getsockname()[1]
        page = Page().join(new_call(f"ws://127.0.0.1:{port}"))
        await reached.wait()
        await page.call.close("")
        await hung_up.wait()


async def test_call_that_nobody_joined_is_over_when_abandoned():
    ended: list[Call] = []
    call = new_call("ws://127.0.0.1:1", ended=ended.append)
    call.abandon()
    call.abandon()

    assert call.over
    assert ended == [call]


async def test_call_that_has_begun_is_not_abandoned():
    async with in_call() as (page, _upstream):
        page.call.abandon()

        assert not page.call.over


async def test_call_ends_once_however_it_does():
    ended: list[Call] = []
    async with in_call(ended=ended.append) as (page, _upstream):
        page.call.command({"type": "hangup"})
        page.call.failed()
        await page.call.close("")

    assert ended == [page.call]


@pytest.mark.parametrize("code", ["insufficient_quota", "invalid_api_key"])
async def test_end_that_an_event_of_the_server_causes_closes_the_socket(code):
    async with in_call() as (page, upstream):
        await upstream.send("error", error={"code": code, "message": "No."})
        await page.sees(type="state", connection="failed")
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()


async def test_call_that_ends_while_its_session_is_renewed_leaves_no_socket():
    async with in_call() as (page, upstream):
        await upstream.send("input_audio_buffer.speech_started", item_id="u1")
        await page.sees(type="state", user="speaking")
        page.call._perform([Renew()])
        successor = await page.server.connection()
        page.call.command({"type": "hangup"})
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()
            await successor.closed.wait()


async def test_fault_of_the_clock_ends_the_call_and_the_browser_is_let_go(monkeypatch, caplog):
    ended: list[Call] = []
    monkeypatch.setattr(module, "GOODBYE_S", 0.0)
    async with in_call(ended=ended.append) as (page, _upstream):
        monkeypatch.setattr(page.call._session, "tick", None)

        await page.sees(type="state", connection="failed")
        await page.is_dismissed()

    assert ended == [page.call]
    assert "the clock failed" in caplog.text


async def test_call_that_cannot_even_say_why_it_ends_ends(monkeypatch, caplog):
    ended: list[Call] = []
    async with in_call(ended=ended.append) as (page, _upstream):
        monkeypatch.setattr(page.call._session, "lost", None)
        page.call.failed()

    assert ended == [page.call]
    assert "could not be ended in order" in caplog.text


async def test_function_runs_and_its_output_is_answered(monkeypatch):
    async with in_call() as (_page, upstream):
        call = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "world_clock"}
        await upstream.send("response.created", response={"id": "r1"})
        await upstream.send("response.output_item.done", response_id="r1", item=call)
        [output] = await upstream.expect("conversation.item.create")
        done = {"id": "r1", "status": "completed", "output": [call]}
        await upstream.send("response.done", response=done)
        await upstream.expect("response.create")

    assert output["item"]["call_id"] == "c1"
    assert "utc_offset" in output["item"]["output"]


async def test_function_that_nobody_declared_gets_an_answer_that_says_so():
    async with in_call() as (_page, upstream):
        call = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "launch"}
        await upstream.send("response.created", response={"id": "r1"})
        await upstream.send("response.output_item.done", response_id="r1", item=call)
        [output] = await upstream.expect("conversation.item.create")

    assert "There is no function 'launch'" in output["item"]["output"]


async def test_function_ends_with_its_call(monkeypatch):
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def endless(*_):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    monkeypatch.setattr(tools, "run", endless)
    async with in_call() as (page, upstream):
        call = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "world_clock"}
        await upstream.send("response.output_item.done", response_id="r1", item=call)
        await begun.wait()
        page.call.command({"type": "hangup"})
        async with asyncio.timeout(PATIENCE_S):
            await stopped.wait()


async def test_what_one_call_has_learned_of_the_server_the_next_one_knows():
    refused = Refused()
    async with scripted_server() as server:
        models = []
        for _ in range(2):
            page = Page().join(new_call(server.url, refused=refused))
            upstream = await server.connection()
            await upstream.send("session.created", session={})
            [update] = await upstream.expect("session.update")
            models.append(update["session"]["audio"]["input"]["transcription"]["model"])
            if len(models) == 1:
                error = {"code": "invalid_value", "param": "session.audio.input.transcription"}
                await upstream.send("error", error={**error, "event_id": update["event_id"]})
                _, update = await upstream.expect("session.update", 2)
            await upstream.send("session.updated", session=update["session"])
            await page.sees(type="state", connection="connected")
            await page.call.close("")

    assert models == ["gpt-transcribe", "gpt-realtime-whisper"]


async def test_browser_that_sends_nothing_any_more_is_let_go_and_waited_for(monkeypatch):
    monkeypatch.setattr(module, "GONE_S", 0.0)
    async with in_call() as (page, upstream):
        await page.is_dismissed()

        assert not page.call.over
        # What was said last ends in silence, so that it is a turn.
        await upstream.expect("input_audio_buffer.append", 40)


async def test_browser_that_does_not_come_back_ends_the_call(monkeypatch):
    monkeypatch.setattr(module, "REJOIN_S", 0.0)
    async with in_call() as (page, upstream):
        page.call.detach(page)
        async with asyncio.timeout(PATIENCE_S):
            await upstream.closed.wait()

        assert page.call.over


async def test_browser_that_comes_back_finds_its_call():
    async with in_call() as (page, upstream):
        page.call.command({"type": "say", "text": "Are you there?"})
        await upstream.expect("conversation.item.create")
        page.call.detach(page)
        again = Page().join(page.call)

        await again.sees(type="state", connection="connected")
        await again.reads("Are you there?")
        again.call.command({"type": "say", "text": "So am I."})
        await upstream.expect("conversation.item.create", 2)
        assert len(upstream.of("session.update")) == 1


async def test_reply_waits_for_the_browser_to_come_back():
    async with in_call() as (page, upstream):
        await answer(upstream, ms=1000)
        await page.sees(type="state", assistant="speaking")
        assert await page.loud_frames(5) >= 4
        page.call.detach(page)
        again = Page().join(page.call)

        assert await again.loud_frames(30) >= 29


async def test_second_window_takes_the_call_over():
    async with in_call() as (page, _upstream):
        again = Page().join(page.call)

        await page.sees(type="end_stream", data=module.TAKEN_OVER)
        await page.is_dismissed()
        page.call.detach(page)  # late, and without effect
        again.call.command({"type": "mute", "on": True})
        await again.sees(type="state", user="muted")


async def test_page_that_joins_a_call_that_is_over_learns_it():
    async with in_call() as (page, _upstream):
        page.call.command({"type": "hangup"})
        late = Page().join(page.call)

        await late.sees(type="state", connection="ended")
        await late.is_dismissed()


async def test_conversation_goes_on_with_what_was_said_before():
    before = Message("item_1", "user", Status.DONE, ("My name is Ada.",), placed=True)
    async with in_call(past=Conversation(messages=(before,))) as (page, upstream):
        [item] = await upstream.expect("conversation.item.create")
        assert item["item"]["content"] == [{"type": "input_text", "text": "My name is Ada."}]

        await page.reads("My name is Ada.")
        assert not upstream.of("response.create")


async def test_page_is_told_what_the_call_costs():
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    async with in_call(model="gpt-realtime-2") as (page, upstream):
        await upstream.send("response.created", response={"id": "r1"})
        response = {"id": "r1", "status": "completed", "usage": usage}
        await upstream.send("response.done", response=response)

        await page.sees(type="state", cost=4.0, at_least=False)
        await upstream.send("response.created", response={"id": "r2"})
        unsaid = {"id": "r2", "status": "completed", "usage": None}
        await upstream.send("response.done", response=unsaid)
        await page.sees(type="state", cost=4.0, at_least=True)


async def test_a_call_begins_as_the_page_wishes_and_the_owner_allows():
    wishes = {"voice": "cedar", "model": "gpt-realtime-2", "instructions": "Obey."}
    allowed = {"visitor_settings": ("voice", "model")}
    async with calling(wishes=wishes, **allowed) as (page, upstream):
        assert upstream.socket.request.path.endswith("model=gpt-realtime-2")
        await upstream.greet()
        told = await page.sees(type="settings", pending=[])
        assert told["values"] == {"model": "gpt-realtime-2", "voice": "cedar"}

        [update] = upstream.of("session.update")
        assert update["session"]["audio"]["output"]["voice"] == "cedar"
        assert update["session"]["instructions"] != "Obey."


async def test_a_setting_is_changed_in_the_call_by_one_update_and_confirmed():
    async with in_call() as (page, upstream):
        page.call.command({"type": "set", "name": "speed", "value": 1.2})
        told = await page.sees(type="settings", pending=["speed"])
        assert told["values"]["speed"] == 1.0

        [_, update] = await upstream.expect("session.update", 2)
        assert update["session"] == {"type": "realtime", "audio": {"output": {"speed": 1.2}}}
        await upstream.send("session.updated", session=update["session"])
        values = {**told["values"], "speed": 1.2}
        await page.sees(type="settings", pending=[], values=values)


async def test_a_setting_that_the_server_refuses_is_told_beside_its_name():
    async with in_call() as (page, upstream):
        page.call.command({"type": "set", "name": "voice", "value": "nobody"})
        [_, update] = await upstream.expect("session.update", 2)
        error = {"type": "invalid_request_error", "message": "No such voice."}
        error |= {"event_id": update["event_id"], "param": "session.audio.output.voice"}
        await upstream.send("error", error=error)

        sentence = "The server reports: No such voice."
        told = await page.sees(type="settings", problems={"voice": sentence})
        assert told["values"]["voice"] == "marin"
        page.call.command({"type": "say", "text": "Still there?"})
        await upstream.expect("response.create")


async def test_what_cannot_change_any_more_is_for_the_next_call():
    async with in_call() as (page, upstream):
        await answer(upstream)
        await page.sees(type="state", assistant="speaking")
        assert await page.loud_frames(3)
        for name, value in (("voice", "cedar"), ("model", "gpt-realtime-2"), ("speed", 9)):
            page.call.command({"type": "set", "name": name, "value": value})

        problems = {"speed": "Choose a number from 0.25 to 1.5."}
        await page.sees(type="settings", later=["model", "voice"], problems=problems)
        assert len(upstream.of("session.update")) == 1


async def test_levels_come_twenty_times_a_second_while_frames_do(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(module, "WATCH_S", 3600)
    page = Page().join(new_call("ws://127.0.0.1:1"))
    for _ in range(500):
        clock[0] += 0.02
        page.call.microphone(LOUD)
    await page.call.close("")

    count = sum(m["type"] == "levels" for m in page.messages)
    assert 199 <= count <= 201


async def test_a_page_may_limit_what_its_call_costs():
    async with in_call(max_call_cost=1.0) as (page, _):
        page.call.command({"type": "cap", "dollars": 2})
        assert page.call.inspection.told == {
            "cap": None,
            "cap_problem": "The limit of this app is $1.00. Choose less.",
        }
        page.call.command({"type": "cap", "dollars": 0.25})
        assert page.call.inspection.told == {"cap": 0.25, "cap_problem": ""}
        page.call.command({"type": "cap"})
        page.call.command({"type": "cap", "dollars": None})
        assert page.call.inspection.told == {"cap": None, "cap_problem": ""}
