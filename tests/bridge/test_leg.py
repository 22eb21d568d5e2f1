"""One connection of a browser: what it carries to its call, and how it ends."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import orjson
import pytest

from components.audio import FRAME_BYTES, encode
from components.bridge import leg as module
from components.bridge.call import Call
from components.bridge.leg import MAX_MESSAGE_BYTES, Leg
from components.bridge.outgoing import BEHIND_LIMIT_S, MOST_BUFFERED_BYTES
from components.core.conversation import Conversation, Message
from components.protocol.options import Refused
from components.settings import Settings
from tests.scripted import PATIENCE_S, scripted_server


class Channel:
    """The browser's end of the data channel."""

    readyState = "open"  # noqa: N815  # the names of the WebRTC standard
    bufferedAmount = 0  # noqa: N815

    def __init__(self):
        self.messages = []
        self._sent = asyncio.Event()
        self._listeners = []
        self.close = None
        self.drained = None

    def on(self, event, listener):
        if event == "close":
            self.close = listener
        elif event == "bufferedamountlow":
            self.drained = listener
        else:
            assert event == "message"
            self._listeners.append(listener)

    def remove_all_listeners(self, event):
        assert event == "message"
        self._listeners.clear()

    def send(self, text):
        self.messages.append(orjson.loads(text))
        self._sent.set()

    async def hears(self, type_, count):
        while len(self.of(type_)) < count:
            self._sent.clear()
            await self._sent.wait()

    def says(self, message):
        text = message if isinstance(message, str | bytes) else orjson.dumps(message).decode()
        for listener in self._listeners:
            listener(text)

    def of(self, type_):
        return [message for message in self.messages if message["type"] == type_]


@asynccontextmanager
async def connected():
    """A connection in a call whose server is ready."""
    async with scripted_server() as server:
        settings = Settings(practice=False, base_url=server.url)
        call = Call(settings, Conversation(), Refused(), lambda _: None)
        leg = Leg().copy()
        leg.hung_up = asyncio.Event()
        leg.belong(call, "session", leg.hung_up.set)
        channel = Channel()
        leg.set_channel(channel)
        upstream = await server.connection()
        await upstream.greet()
        try:
            yield leg, channel, upstream
        finally:
            await leg.shutdown()
            await call.close("")


async def hangs_up(leg):
    async with asyncio.timeout(PATIENCE_S):
        await leg.hung_up.wait()


def test_every_connection_has_a_handler_of_its_own():
    prototype = Leg()

    assert prototype.copy() is not prototype


async def test_open_channel_begins_the_call_once():
    async with connected() as (leg, channel, upstream):
        leg.set_channel(Channel())

        assert leg.channel is channel
        assert len(upstream.of("session.update")) == 1


async def test_message_of_the_page_is_not_sent_back():
    channel = Channel()
    channel.on("message", lambda text: channel.send(text))
    Leg().set_channel(channel)
    channel.says({"type": "say", "text": "Hello"})

    assert channel.messages == []


async def test_sound_and_messages_reach_the_call():
    async with connected() as (leg, channel, upstream):
        leg.microphone(bytes(FRAME_BYTES))
        await upstream.expect("input_audio_buffer.append")
        channel.says({"type": "say", "text": "Hello"})
        await upstream.expect("conversation.item.create")


async def test_sound_of_the_call_reaches_the_speaker():
    async with connected() as (leg, _channel, upstream):
        item = {"id": "a1", "type": "message", "role": "assistant", "content": []}
        await upstream.send("response.output_item.added", item=item)
        sound = encode(b"\x01\x20" * 24_000)
        await upstream.send("response.output_audio.delta", item_id="a1", delta=sound)
        silence = len(bytes(await leg.speaker.recv()))
        async with asyncio.timeout(PATIENCE_S):
            while len(bytes(await leg.speaker.recv())) <= silence:
                pass


@pytest.mark.parametrize(
    "message",
    [
        "handshake",
        b"\xff\xfe",
        "[]",
        "7",
        orjson.dumps({"type": "say", "text": "x" * MAX_MESSAGE_BYTES}),
        {"type": "unheard of"},
    ],
)
async def test_message_that_is_not_ours_is_ignored(message):
    async with connected() as (_leg, channel, upstream):
        channel.says(message)
        channel.says({"type": "say", "text": "still here"})

        [item] = await upstream.expect("conversation.item.create")
        assert item["item"]["content"][0]["text"] == "still here"


def told_of_news(channel):
    return len(channel.of("fetch_output"))


async def test_page_is_told_of_news_again_as_it_alone_knows_whether_its_stream_still_lives(
    monkeypatch,
):
    monkeypatch.setattr(module, "NEWS_S", 0.02)
    async with connected() as (leg, channel, _upstream):
        before = told_of_news(channel)
        assert before
        dead = leg.screen.snapshots(0)
        await anext(dead)
        leg.show(Conversation(messages=(Message("news", "user"),)))
        async with asyncio.timeout(PATIENCE_S):
            await channel.hears("fetch_output", before + 1)

        assert (await anext(leg.screen.snapshots(0))).message("news")


async def test_page_is_not_told_of_each_word_but_of_the_last_one(monkeypatch):
    monkeypatch.setattr(module, "NEWS_S", 3600.0)
    async with connected() as (leg, channel, _upstream):
        before = told_of_news(channel)
        for number in range(10):
            leg.show(Conversation(messages=(Message(str(number), "user"),)))
        assert told_of_news(channel) == before

        leg.dismiss()
        assert told_of_news(channel) == before + 1


async def test_page_is_told_whether_there_are_words_to_expect(monkeypatch):
    monkeypatch.setattr(module, "NEWS_S", 0.0)
    async with connected() as (leg, channel, _upstream):
        said = Conversation(messages=(Message("news", "user"),))
        for shown in (said, replace(said, notice="Something else.")):
            before = told_of_news(channel)
            leg.show(shown)
            while told_of_news(channel) == before:  # noqa: ASYNC110
                await asyncio.sleep(0)

        assert [each["new"] for each in channel.of("fetch_output")[-2:]] == [True, False]


async def test_closed_channel_is_no_error():
    async with connected() as (leg, channel, _upstream):
        channel.readyState = "closed"
        count = len(channel.messages)
        leg.tell({"type": "levels"})

        assert len(channel.messages) == count


async def test_connection_ends_with_its_channel():
    async with connected() as (leg, channel, _upstream):
        channel.close()

        assert leg.hung_up.is_set()


async def test_page_that_takes_nothing_is_told_nothing():
    async with connected() as (leg, channel, _upstream):
        channel.bufferedAmount = MOST_BUFFERED_BYTES
        count = len(channel.messages)
        leg.tell({"type": "levels"})

        assert len(channel.messages) == count


async def test_page_that_takes_nothing_for_long_is_hung_up_on(monkeypatch):
    async with connected() as (leg, channel, _upstream):
        channel.bufferedAmount = MOST_BUFFERED_BYTES
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now)
        leg.tell({"type": "levels"})
        assert not leg.hung_up.is_set()
        now += BEHIND_LIMIT_S + 1
        leg.tell({"type": "levels"})

        assert leg.hung_up.is_set()


async def test_gone_connection_lets_its_call_and_its_watchers_go():
    async with connected() as (leg, channel, _upstream):
        call = leg._call
        await leg.shutdown()
        await leg.shutdown()
        leg.microphone(bytes(FRAME_BYTES))
        channel.says({"type": "hangup"})

        assert not call.over
        assert leg.speaker.readyState == "ended"
        assert [shown async for shown in leg.screen.snapshots(0)]
        assert leg._sound(0.0) is None


async def test_dismissed_page_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(module, "LAST_WORDS_S", 0.0)
    async with connected() as (leg, channel, _upstream):
        call = leg._call
        leg.dismiss()
        await hangs_up(leg)
        channel.says({"type": "hangup"})

        assert not call.over


async def test_connection_that_never_opens_is_given_up(monkeypatch):
    monkeypatch.setattr(module, "JOIN_LIMIT_S", 0.0)
    ended = asyncio.Event()
    call = Call(Settings(practice=True), Conversation(), Refused(), lambda _: ended.set())
    leg = Leg()
    leg.hung_up = asyncio.Event()
    leg.belong(call, "session", leg.hung_up.set)
    await hangs_up(leg)
    await leg.shutdown()

    assert ended.is_set()


async def test_handler_that_belongs_to_no_call_ends_quietly():
    leg = Leg()
    leg.set_channel(Channel())
    leg.dismiss()
    await leg.shutdown()


async def test_fastrtc_asks_for_nothing():
    leg = Leg()

    # Typed to return nothing, and that is what is tested.
    assert await leg.receive(None) is None  # type: ignore[func-returns-value]
    assert await leg.emit() is None  # type: ignore[func-returns-value]
