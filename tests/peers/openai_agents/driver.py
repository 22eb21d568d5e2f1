"""Holds one conversation by `openai-agents`, and prints what came of each part as a line of JSON.

`driver.py URL SPEECH`: the base URL of a Realtime server, and a file of 24 kHz PCM16 that asks for
the time. It runs in an environment of its own, with nothing of this repository in it. Whatever the
SDK calls an error, or logs from a warning up, is listed in the last line.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agents import function_tool, set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimeRunner

MODEL = "gpt-realtime"
FRAME = 960
"""Bytes."""
FRAME_S = 0.02
LIMIT_S = 9

called: list[dict[str, str]] = []
problems: list[str] = []


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: The name of the city.
    """
    called.append({"city": city})
    return f"It is sunny in {city}."


class Problems(logging.Handler):
    """Keeps what the SDK complains of."""

    def emit(self, record: logging.LogRecord) -> None:
        problems.append(f"{record.name}: {record.getMessage()}")


def say(part: str, **what: Any) -> None:
    sys.stdout.write(json.dumps({"part": part, **what}) + "\n")
    sys.stdout.flush()


class Talk:
    """One session, and all that its server has sent."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.events: list[dict[str, Any]] = []
        self.interrupted = 0
        self.sound = 0
        self._more = asyncio.Event()

    async def follow(self) -> None:
        """Until the session ends; by the SDK's default its sound is played as it comes."""
        async for event in self.session:
            if event.type == "error":
                problems.append(str(event.error))
            elif event.type == "audio":
                self.sound += len(event.audio.data)
            elif event.type == "audio_interrupted":
                self.interrupted += 1
            elif event.type == "raw_model_event" and event.data.type == "raw_server_event":
                self.events.append(event.data.data)
            self._more.set()

    async def first(self, wanted: Callable[[dict[str, Any]], bool], start: int) -> dict[str, Any]:
        """The first event from `start` on of which `wanted` holds."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                for event in self.events[start:]:
                    if wanted(event):
                        return event
                self._more.clear()
                await self._more.wait()

    async def of_type(self, type_: str, start: int) -> dict[str, Any]:
        return await self.first(lambda event: bool(event["type"] == type_), start)

    async def answer(self, start: int) -> str:
        """What the first response from `start` on says that is complete and says something."""
        response = (await self.first(_says_something, start))["response"]
        parts = [part for item in response["output"] for part in item.get("content", ())]
        return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)

    async def speak(self, pcm: bytes) -> None:
        """As a microphone would: in real time."""
        for start in range(0, len(pcm), FRAME):
            await self.session.send_audio(pcm[start : start + FRAME])
            await asyncio.sleep(FRAME_S)


def _says_something(event: dict[str, Any]) -> bool:
    if event["type"] != "response.done" or event["response"]["status"] != "completed":
        return False
    return any(item["type"] == "message" for item in event["response"]["output"])


async def typed(talk: Talk) -> None:
    start = len(talk.events)
    await talk.session.send_message("what is 12 + 30?")
    say("typed", answer=await talk.answer(start))


async def spoken(talk: Talk, speech: bytes) -> None:
    start, before = len(talk.events), talk.sound
    await talk.speak(speech)
    answer = await talk.answer(start)
    heard = await talk.of_type("conversation.item.input_audio_transcription.completed", start)
    sound_ms = (talk.sound - before) // 48
    say("spoken", heard=heard["transcript"], answer=answer, sound_ms=sound_ms)


async def function(talk: Talk) -> None:
    start = len(talk.events)
    await talk.session.send_message("what is the weather in Bern?")
    say("function", answer=await talk.answer(start), called=called)


async def interruption(talk: Talk, speech: bytes) -> None:
    start, before = len(talk.events), talk.interrupted
    await talk.session.send_message("count to thirty")
    await talk.of_type("response.output_audio.delta", start)
    await asyncio.sleep(1)  # somebody listens before he cuts in
    await talk.speak(speech)
    cut = await talk.of_type("response.done", start)
    truncated = await talk.of_type("conversation.item.truncated", start)
    say(
        "interruption",
        status=cut["response"]["status"],
        reason=cut["response"]["status_details"]["reason"],
        heard_ms=truncated["audio_end_ms"],
        noticed=talk.interrupted > before,
        answer=await talk.answer(start),
    )


async def main(url: str, speech: bytes) -> None:
    set_tracing_disabled(True)
    logging.getLogger("openai.agents").addHandler(Problems(logging.WARNING))
    say("peer", version=version("openai-agents"))
    agent = RealtimeAgent(name="Tester", instructions="Be brief.", tools=[get_weather])
    runner = RealtimeRunner(agent)
    config = {
        "api_key": "none",
        "url": f"{url}/realtime?model={MODEL}",
        "initial_model_settings": {"model_name": MODEL},
    }
    async with await runner.run(model_config=config) as session:
        talk = Talk(session)
        following = asyncio.create_task(talk.follow())
        await typed(talk)
        await spoken(talk, speech)
        await function(talk)
        await interruption(talk, speech)
    await following
    say("end", problems=problems)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes()))
