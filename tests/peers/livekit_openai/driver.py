"""Holds one conversation by `livekit-plugins-openai`, and prints what came of each part as JSON.

`driver.py URL SPEECH`: the base URL of a Realtime server, and a file of 24 kHz PCM16 that asks for
the time. It runs in an environment of its own, with nothing of this repository in it, and without a
LiveKit server: it does to the plugin's `RealtimeSession` what LiveKit's agent does. Whatever the
plugin calls an error, or logs from a warning up, is listed in the last line.
"""

import asyncio
import json
import logging
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.plugins.openai.realtime import RealtimeModel

RATE = 24_000
FRAME = 960
"""Bytes."""
FRAME_S = 0.02
LIMIT_S = 25

problems: list[str] = []


@llm.function_tool
async def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: The name of the city.
    """
    return f"It is sunny in {city}."


class Problems(logging.Handler):
    """Keeps what the plugin complains of."""

    def emit(self, record: logging.LogRecord) -> None:
        problems.append(f"{record.name}: {record.getMessage()}")


def say(part: str, **what: Any) -> None:
    sys.stdout.write(json.dumps({"part": part, **what}) + "\n")
    sys.stdout.flush()


class Reply:
    """What a generation brings, while it comes."""

    def __init__(self, generation: llm.GenerationCreatedEvent) -> None:
        self.text = ""
        self.sound_ms = 0.0
        self.began = 0.0
        self.message_id = ""
        self.calls: list[llm.FunctionCall] = []
        self.sounds = asyncio.Event()
        self.whole = asyncio.gather(self._messages(generation), self._calls(generation))

    async def _messages(self, generation: llm.GenerationCreatedEvent) -> None:
        async for message in generation.message_stream:
            self.message_id = message.message_id
            await asyncio.gather(self._words(message), self._sound(message))

    async def _words(self, message: llm.MessageGeneration) -> None:
        async for words in message.text_stream:
            self.text += words

    async def _sound(self, message: llm.MessageGeneration) -> None:
        async for frame in message.audio_stream:
            self.began = self.began or time.monotonic()
            self.sound_ms += frame.duration * 1000
            self.sounds.set()

    async def _calls(self, generation: llm.GenerationCreatedEvent) -> None:
        self.calls = [call async for call in generation.function_stream]


class Talk:
    """One session, and what it tells."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.heard = ""
        self.generations: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
        self.speech = asyncio.Event()
        self.done: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.truncated: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        session.on("error", lambda error: problems.append(str(error.error)))
        session.on("generation_created", self.generations.put_nowait)
        session.on("input_speech_started", lambda _: self.speech.set())
        session.on("input_audio_transcription_completed", self._transcribed)
        session.on("openai_server_event_received", self._received)

    def _transcribed(self, event: llm.InputTranscriptionCompleted) -> None:
        if event.is_final:
            self.heard = event.transcript

    def _received(self, event: dict[str, Any]) -> None:
        if event["type"] == "response.done":
            self.done.put_nowait(event["response"])
        elif event["type"] == "conversation.item.truncated":
            self.truncated.put_nowait(event)

    async def next(self) -> Reply:
        return Reply(await self.generations.get())

    async def type(self, words: str) -> Reply:
        context = self.session.chat_ctx.copy()
        context.add_message(role="user", content=words)
        await self.session.update_chat_ctx(context)
        return await self.asked()

    async def asked(self) -> Reply:
        """The reply that is asked for."""
        await self.session.generate_reply()
        return await self.next()

    async def speak(self, pcm: bytes) -> None:
        """As a microphone would: in real time."""
        for start in range(0, len(pcm), FRAME):
            data = pcm[start : start + FRAME]
            self.session.push_audio(rtc.AudioFrame(data, RATE, 1, len(data) // 2))
            await asyncio.sleep(FRAME_S)


async def typed(talk: Talk) -> None:
    reply = await talk.type("what is 12 + 30?")
    await reply.whole
    say("typed", answer=reply.text)


async def spoken(talk: Talk, speech: bytes) -> None:
    await talk.speak(speech)
    reply = await talk.next()
    await reply.whole
    say("spoken", heard=talk.heard, answer=reply.text, sound_ms=round(reply.sound_ms))


async def function(talk: Talk) -> None:
    asked = await talk.type("what is the weather in Bern?")
    await asked.whole
    (call,) = asked.calls
    output = await get_weather(**json.loads(call.arguments))
    context = talk.session.chat_ctx.copy()
    context.items.append(
        llm.FunctionCallOutput(name=call.name, call_id=call.call_id, output=output, is_error=False)
    )
    await talk.session.update_chat_ctx(context)
    reply = await talk.asked()
    await reply.whole
    say("function", answer=reply.text, called=[json.loads(call.arguments)])


async def interruption(talk: Talk, speech: bytes) -> None:
    reply = await talk.type("count to thirty")
    await reply.sounds.wait()
    talk.speech.clear()
    while not talk.done.empty():
        talk.done.get_nowait()
    await asyncio.sleep(1)  # somebody listens before he cuts in
    speaking = asyncio.create_task(talk.speak(speech))
    await talk.speech.wait()
    heard_ms = round((time.monotonic() - reply.began) * 1000)
    talk.session.interrupt()
    talk.session.truncate(
        message_id=reply.message_id, modalities=["audio", "text"], audio_end_ms=heard_ms
    )
    await reply.whole
    await speaking
    answer = await talk.next()
    await answer.whole
    cut = await talk.done.get()
    say(
        "interruption",
        status=cut["status"],
        reason=cut["status_details"]["reason"],
        heard_ms=(await talk.truncated.get())["audio_end_ms"],
        noticed=talk.speech.is_set(),
        answer=answer.text,
    )


async def main(url: str, speech: bytes) -> None:
    logging.getLogger("livekit").addHandler(Problems(logging.WARNING))
    say("peer", version=version("livekit-plugins-openai"))
    model = RealtimeModel(model="gpt-realtime", api_key="none", base_url=url)
    session = model.session()
    talk = Talk(session)
    await session.update_instructions("Be brief.")
    await session.update_tools([get_weather])
    async with asyncio.timeout(2 * LIMIT_S):
        await typed(talk)
        await spoken(talk, speech)
        await function(talk)
        await interruption(talk, speech)
    await session.aclose()
    await model.aclose()
    say("end", problems=problems)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes()))
