"""The practice server with its real ears and voice: speech goes in, an answer comes out."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

from components.audio import BYTES_PER_MS, decode, encode, level_dbfs
from components.practice.server.server import serve
from tests.practice.drive import judged

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg with flite"),
]


def spoken(text: str, folder: Path) -> bytes:
    """A sentence in a human-like voice, with half a second before and a second after."""
    path = folder / "speech.pcm"
    subprocess.run(
        [
            *("ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i", f"flite=text='{text}':voice=slt"),
            *("-f", "s16le", "-ac", "1", "-ar", "24000", str(path)),
        ],
        check=True,
    )
    return bytes(500 * BYTES_PER_MS) + path.read_bytes() + bytes(1000 * BYTES_PER_MS)


async def turn(socket: ClientConnection, pcm: bytes) -> list[dict[str, Any]]:
    """All events of a spoken turn and its answer; the audio is sent faster than real time."""
    for start in range(0, len(pcm), 20 * BYTES_PER_MS):
        frame = encode(pcm[start : start + 20 * BYTES_PER_MS])
        event = {"type": "input_audio_buffer.append", "audio": frame}
        await socket.send(orjson.dumps(event).decode())
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != "rate_limits.updated":
        events.append(judged(orjson.loads(await asyncio.wait_for(socket.recv(), 20))))
    return events


async def test_a_question_is_recognised_and_answered_aloud(tmp_path: Path) -> None:
    pcm = spoken("what time is it", tmp_path)
    async with (
        serve() as server,
        connect(f"{server.url}/realtime?model=practice-engine", max_size=None) as socket,
    ):
        created = judged(orjson.loads(await socket.recv()))
        session = {
            "type": "realtime",
            "audio": {
                "input": {
                    "transcription": {"model": "gpt-transcribe"},
                    "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
                }
            },
        }
        update = {"type": "session.update", "session": session}
        await socket.send(orjson.dumps(update).decode())
        events = await turn(socket, pcm)

    def of(type_: str) -> list[dict[str, Any]]:
        return [event for event in events if event["type"] == type_]

    (transcribed,) = of("conversation.item.input_audio_transcription.completed")
    (said,) = of("response.output_audio_transcript.done")
    deltas = "".join(event["delta"] for event in of("response.output_audio_transcript.delta"))
    sound = b"".join(decode(event["delta"]) for event in of("response.output_audio.delta"))

    assert created["session"]["practice"]["notes"] == []
    assert transcribed["transcript"].lower().rstrip(".?") == "what time is it"
    assert said["transcript"] == deltas
    assert said["transcript"].startswith("It is ")
    assert len(sound) > 500 * BYTES_PER_MS
    assert -30 < level_dbfs(np.frombuffer(sound, np.int16)) < -10
