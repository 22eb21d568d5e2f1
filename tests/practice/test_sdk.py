"""The official SDK as client of the practice server, for everything that the API offers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from components.audio import BYTES_PER_MS, decode, encode
from components.practice.server.server import PracticeServer, serve
from tests.practice.drive import judged
from tests.practice.fakes import SILENCE_MS, SPEECH_MS, FakeEars, FakeVad, FakeVoice

MODEL = "practice-engine"
VAD: dict[str, Any] = {"type": "server_vad", "silence_duration_ms": 300}
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Bern", "Paris"]}},
        "required": ["city"],
    },
}


class Client:
    """A connection of the SDK; every event that comes is judged."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.seen: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        event = await asyncio.wait_for(self.connection.recv(), 10)
        self.seen.append(judged(event.to_dict(mode="json")))
        return self.seen[-1]

    async def until(self, type_: str) -> dict[str, Any]:
        """The next event of this type; the ones before it are in `seen`."""
        while (event := await self.next())["type"] != type_:
            assert event["type"] != "error", event
        return event

    async def error(self) -> dict[str, Any]:
        while (event := await self.next())["type"] != "error":
            pass
        return dict(event["error"])

    async def configure(self, turn_detection: Any = VAD, **session: Any) -> dict[str, Any]:
        await self.until("session.created")
        audio = {
            "input": {
                "turn_detection": turn_detection,
                "transcription": {"model": "gpt-transcribe"},
            }
        }
        change: Any = {"type": "realtime", "audio": audio, **session}
        await self.connection.session.update(session=change)
        updated = await self.until("session.updated")
        return dict(updated["session"])

    async def speak(self, length_ms: int = 500, silence_ms: int = 300) -> None:
        """Speech, then silence, in frames of 20 ms."""
        pcm = SPEECH_MS * length_ms + SILENCE_MS * silence_ms
        for start in range(0, len(pcm), 20 * BYTES_PER_MS):
            frame = pcm[start : start + 20 * BYTES_PER_MS]
            await self.connection.input_audio_buffer.append(audio=encode(frame))

    async def type(self, text: str, **where: Any) -> str:
        content: Any = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}, **where
        )
        added = await self.until("conversation.item.added")
        await self.until("conversation.item.done")
        return str(added["item"]["id"])

    def types(self) -> list[str]:
        return [event["type"] for event in self.seen]


@asynccontextmanager
async def client(server: PracticeServer, **options: Any) -> AsyncIterator[Client]:
    async with (
        AsyncOpenAI(api_key="none", websocket_base_url=server.url) as sdk,
        sdk.realtime.connect(model=MODEL, **options) as connection,
    ):
        yield Client(connection)


@asynccontextmanager
async def conversation(
    texts: Sequence[str | None] = ("what time is it",),
    voice: FakeVoice | None = None,
    **settings: Any,
) -> AsyncIterator[Client]:
    """A client in a session of its own server."""
    parts = {"ears": FakeEars(texts), "voice": voice or FakeVoice(), "open_vad": FakeVad}
    async with serve(**{"pace": 1000.0, **parts, **settings}) as server, client(server) as one:
        yield one


async def test_a_spoken_turn() -> None:
    async with conversation() as user:
        await user.configure()

        await user.speak()
        await user.until("response.done")
        await user.until("rate_limits.updated")

    types = user.types()
    order = [
        "session.created",
        "conversation.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
    ]
    assert types[: len(order)] == order
    transcribed = next(e for e in user.seen if e["type"].endswith("transcription.completed"))
    assert transcribed["transcript"] == "what time is it"
    said = "".join(e["delta"] for e in user.seen if e["type"].endswith("audio_transcript.delta"))
    done = user.seen[-2]["response"]
    assert said.startswith("It is ")
    assert done["output"][0]["content"][0]["transcript"] == said
    assert done["usage"]["input_token_details"]["audio_tokens"] == 8
    assert done["usage"]["output_token_details"]["audio_tokens"] == 4 * len(said.split(" "))


async def test_barge_in_and_truncate() -> None:
    voice = FakeVoice(gate=asyncio.Event())
    async with conversation(("count to nine", "stop"), voice) as user:
        await user.configure()
        await user.speak()
        await user.until("response.output_audio.delta")
        second = await user.until("response.output_audio.delta")

        await user.speak(silence_ms=0)
        started = await user.until("input_audio_buffer.speech_started")
        done = await user.until("response.done")
        await user.connection.conversation.item.truncate(
            item_id=second["item_id"], content_index=0, audio_end_ms=200
        )
        truncated = await user.until("conversation.item.truncated")
        await user.connection.conversation.item.retrieve(item_id=second["item_id"])
        item = (await user.until("conversation.item.retrieved"))["item"]

    assert started["item_id"] != second["item_id"]
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    assert done["response"]["output"][0]["status"] == "incomplete"
    assert truncated["audio_end_ms"] == 200
    assert len(decode(item["content"][0]["audio"])) == 200 * BYTES_PER_MS
    assert item["content"][0]["transcript"].count(" ") == 1


async def test_push_to_talk() -> None:
    async with conversation() as user:
        await user.configure(turn_detection=None)

        await user.connection.input_audio_buffer.commit(event_id="early")
        early = await user.error()
        await user.speak(silence_ms=0)
        await user.connection.input_audio_buffer.clear()
        await user.until("input_audio_buffer.cleared")
        await user.speak(silence_ms=0)
        await user.connection.input_audio_buffer.commit()
        await user.until("input_audio_buffer.committed")
        await user.connection.response.create()
        done = await user.until("response.done")

    assert (early["code"], early["event_id"]) == ("input_audio_buffer_commit_empty", "early")
    assert done["response"]["status"] == "completed"
    assert not any("speech" in type_ for type_ in user.types())


async def test_semantic_turn_detection() -> None:
    async with conversation() as user:
        session = await user.configure({"type": "semantic_vad", "eagerness": "high"})

        await user.speak(silence_ms=400)
        await user.until("response.done")

    assert session["audio"]["input"]["turn_detection"]["eagerness"] == "high"


async def test_the_client_decides_about_responses() -> None:
    async with conversation() as user:
        await user.configure({**VAD, "create_response": False, "interrupt_response": False})

        await user.speak()
        await user.until("conversation.item.input_audio_transcription.completed")
        assert "response.created" not in user.types()
        await user.connection.response.create(response={"metadata": {"mine": "1"}})
        created = await user.until("response.created")
        done = await user.until("response.done")

    assert created["response"]["metadata"] == done["response"]["metadata"] == {"mine": "1"}


async def test_a_typed_turn_and_an_answer_in_text() -> None:
    async with conversation() as user:
        await user.configure(output_modalities=["text"])
        first = await user.type("what is two plus two")
        await user.connection.response.create()
        done = await user.until("response.done")
        second = await user.type("first of all", previous_item_id="root")
        await user.connection.conversation.item.delete(item_id=first)
        await user.until("conversation.item.deleted")
        await user.connection.conversation.item.retrieve(item_id=first)
        gone = await user.error()

    assert "4" in done["response"]["output"][0]["content"][0]["text"]
    assert second != first
    assert gone["code"] == "item_retrieve_invalid_item_id"
    assert "response.output_audio.delta" not in user.types()


async def test_a_function_call() -> None:
    async with conversation() as user:
        await user.configure(tools=[WEATHER])
        await user.type("what is the weather in Bern")
        await user.connection.response.create()
        call = await user.until("response.function_call_arguments.done")
        done = await user.until("response.done")
        await user.connection.conversation.item.create(
            item={
                "type": "function_call_output",
                "call_id": call["call_id"],
                "output": "Sunny in Bern.",
            }
        )
        await user.until("conversation.item.done")
        await user.connection.response.create()
        answer = await user.until("response.done")

    assert call["name"] == "get_weather"
    assert call["arguments"].replace(" ", "") == '{"city":"Bern"}'
    assert done["response"]["output"][0]["type"] == "function_call"
    assert "Sunny in Bern" in answer["response"]["output"][0]["content"][0]["transcript"]


async def test_cancelling() -> None:
    async with conversation(voice=FakeVoice(gate=asyncio.Event())) as user:
        await user.configure()
        await user.connection.response.cancel(event_id="nothing")
        nothing = await user.error()
        await user.type("what time is it")
        await user.connection.response.create()
        await user.until("response.output_audio.delta")
        await user.connection.response.create(event_id="twice")
        twice = await user.error()
        await user.connection.response.cancel()
        done = await user.until("response.done")

    assert (nothing["code"], nothing["event_id"]) == ("response_cancel_not_active", "nothing")
    assert twice["code"] == "conversation_already_has_active_response"
    assert twice["event_id"] == "twice"
    assert done["response"]["status_details"]["reason"] == "client_cancelled"


async def test_an_answer_beside_the_conversation() -> None:
    async with conversation() as user:
        await user.configure()
        content: Any = [{"type": "input_text", "text": "what is three plus four"}]
        await user.connection.response.create(
            response={
                "conversation": "none",
                "output_modalities": ["text"],
                "metadata": {"topic": "sum"},
                "input": [{"type": "message", "role": "user", "content": content}],
            }
        )
        done = await user.until("response.done")

    assert done["response"]["conversation_id"] is None
    assert done["response"]["metadata"] == {"topic": "sum"}
    assert "7" in done["response"]["output"][0]["content"][0]["text"]


async def test_a_token_limit() -> None:
    async with conversation() as user:
        await user.configure(max_output_tokens=5)
        await user.speak()
        done = await user.until("response.done")

    assert done["response"]["status"] == "incomplete"
    assert done["response"]["status_details"]["reason"] == "max_output_tokens"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((None,), "I missed that. Type: "),
        (("",), "I missed that. Try: "),
    ],
)
async def test_words_not_recognised_are_marked_and_answered(texts: Any, said: str) -> None:
    async with conversation(texts) as user:
        await user.configure()
        await user.speak()
        await user.until("conversation.item.input_audio_transcription.failed")
        done = await user.until("response.done")

    assert said in done["response"]["output"][0]["content"][0]["transcript"]


async def test_an_update_is_refused_whole() -> None:
    async with conversation() as user:
        await user.until("session.created")
        await user.connection.session.update(
            session={"type": "realtime", "instructions": "New.", "reasoning": {"effort": "low"}},
            event_id="cfg_1",
        )
        refused = await user.error()
        await user.connection.output_audio_buffer.clear(event_id="webrtc")
        webrtc = await user.error()

    assert (refused["param"], refused["event_id"]) == ("session.reasoning", "cfg_1")
    assert webrtc["event_id"] == "webrtc"


async def test_a_session_expires() -> None:
    async with conversation(session_seconds=0.05) as user:
        expired = await user.error()

    assert expired["code"] == "session_expired"


async def test_two_users_do_not_hear_each_other() -> None:
    parts: Any = {"ears": FakeEars(("one", "two")), "voice": FakeVoice(), "open_vad": FakeVad}
    async with (
        serve(pace=1000.0, **parts) as server,
        client(server) as first,
        client(server) as second,
    ):
        await first.configure()
        await second.configure()
        await first.speak()
        await first.until("conversation.item.input_audio_transcription.completed")
        await second.speak()
        await second.until("conversation.item.input_audio_transcription.completed")
        await first.until("response.done")
        await second.until("response.done")

    assert [e["transcript"] for e in first.seen if e["type"].endswith("tion.completed")] == ["one"]
    assert [e["transcript"] for e in second.seen if e["type"].endswith("tion.completed")] == ["two"]
