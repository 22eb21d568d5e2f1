"""The practice server with its neural ears and voice, and a chat endpoint that answers in 200 ms.

A caller speaks with the server's own voice, in real time over a WebSocket, alone and then beside
another; how much work a second of speech is, is measured before.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

import numpy as np
import orjson
from websockets.asyncio.client import ClientConnection, connect

from components.audio import BYTES_PER_MS, SAMPLE_RATE
from components.practice.server.connection import Ears, Voice
from components.practice.server.server import serve
from components.practice.speech.choice import Wish, choose
from components.settings import ChatModel

TURNS: Final = 4
THINKS_S: Final = 0.2
QUESTION: Final = "What can you tell me about the weather in the mountains tomorrow?"
ANSWER: Final = "It will be sunny in the morning, with some clouds later."
_FRAME_MS: Final = 20
_FRAME_BYTES: Final = _FRAME_MS * BYTES_PER_MS
_AUDIBLE: Final = 300
"""Of 32,768."""
_ANY: Final = Wish("auto", "")


async def measure() -> dict[str, Any]:
    """Work per second of speech, and from the end of a voice to the first sound, each in ms."""
    ears, voice, _ = await choose(_ANY, _ANY, insist=True)
    async with _chat() as url:
        model = ChatModel(url, "scripted")
        async with serve(ears=ears, voice=voice, chat_model=model) as server:
            question, voice_ms = await _spoken(voice)
            ears_ms = await _heard(ears, question)
            alone = await _talk(server.url, question)
            one, other = await asyncio.gather(
                _talk(server.url, question), _talk(server.url, question)
            )
    return {
        "ears_ms_per_s": ears_ms,
        "voice_ms_per_s": voice_ms,
        "first_sound_ms": alone,
        "first_sound_of_two_ms": one + other,
    }


async def _spoken(voice: Voice) -> tuple[bytes, float]:
    """The question's sound without silence at its end, and how much work a second of it is."""
    begun = time.perf_counter()
    async with aclosing(voice.speak(QUESTION, "marin")) as chunks:
        pcm = b"".join([chunk.pcm async for chunk in chunks])
    work_ms = 1000 * (time.perf_counter() - begun)
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16)) > _AUDIBLE)
    return pcm[: 2 * int(loud[-1])], work_ms / (len(pcm) / 2 / SAMPLE_RATE)


async def _heard(ears: Ears, pcm: bytes) -> float:
    """How much work a second of this sound is."""
    utterance = ears.listen()
    utterance.feed(pcm)
    begun = time.perf_counter()
    await utterance.transcript(lambda words: None)
    return 1000 * (time.perf_counter() - begun) / (len(pcm) / 2 / SAMPLE_RATE)


async def _talk(url: str, question: bytes) -> list[float]:
    """One caller's turns: from the end of the voice to the first sound of each answer, in ms."""
    waits = []
    async with connect(f"{url}/realtime?model=practice-engine", max_size=None) as socket:
        for _ in range(TURNS):
            microphone = asyncio.create_task(_speak(socket, question))
            sounded = await _first_sound(socket)
            waits.append(1000 * (sounded - await microphone))
    return waits


async def _speak(socket: ClientConnection, pcm: bytes) -> float:
    """Send the sound in real time, and silence until the turn must be over; when it ended."""
    loop = asyncio.get_running_loop()
    frames = [pcm[at : at + _FRAME_BYTES] for at in range(0, len(pcm), _FRAME_BYTES)]
    silence = [bytes(_FRAME_BYTES)] * (1000 // _FRAME_MS)
    begun = loop.time()
    for index, frame in enumerate([*frames, *silence], start=1):
        audio = base64.b64encode(frame).decode()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await asyncio.sleep(begun + index * _FRAME_MS / 1000 - loop.time())
    return begun + len(frames) * _FRAME_MS / 1000


async def _first_sound(socket: ClientConnection) -> float:
    """When the first sound of an answer has come, once the whole answer has."""
    loop = asyncio.get_running_loop()
    first = 0.0
    async for message in socket:
        event = orjson.loads(message)
        if event["type"] == "response.output_audio.delta" and not first:
            samples = np.frombuffer(base64.b64decode(event["delta"]), np.int16)
            loud = np.flatnonzero(np.abs(samples) > _AUDIBLE)
            # What is silent at its beginning is played before.
            first = loop.time() + int(loud[0]) / SAMPLE_RATE if loud.size else 0.0
        if event["type"] == "response.done" and first:
            return first
    raise ConnectionError("no answer was heard")


@asynccontextmanager
async def _chat() -> AsyncIterator[str]:
    """A chat endpoint that answers each request with the same sentence."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        await asyncio.sleep(THINKS_S)
        chunk = json.dumps({"choices": [{"delta": {"content": ANSWER}}]})
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
        writer.write(b"Content-Type: text/event-stream\r\n\r\n")
        writer.write(f"data: {chunk}\n\ndata: [DONE]\n\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
