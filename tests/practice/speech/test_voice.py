import asyncio
import importlib.util
import os
import signal
from contextlib import aclosing
from dataclasses import replace

import numpy as np
import pytest

from components import settings
from components.audio import duration_ms, level_dbfs
from components.practice.speech.chunks import Spoken
from components.practice.speech.voice import ESPEAK, ESPEAK_VOICES, Voice
from tests.practice.spoken import pid_of, sound, words

pytestmark = pytest.mark.integration

SENTENCE = "The time is now a quarter past nine, and here is one more sentence."


async def spoken(voice: Voice, text: str, name: str = "alloy", speed: float = 1.0) -> list[Spoken]:
    return [chunk async for chunk in voice.speak(text, name, speed)]


async def test_a_sentence_is_spoken_in_chunks_with_its_words(voice: Voice) -> None:
    chunks = await spoken(voice, SENTENCE)

    assert voice.degraded == ""
    assert words(chunks) == SENTENCE
    assert 3000 < duration_ms(sound(chunks)) < 6000
    assert all(0 < duration_ms(chunk.pcm) <= 201 for chunk in chunks)


async def test_words_come_in_step_with_their_sound(voice: Voice) -> None:
    chunks = await spoken(voice, "One, two, three, four, five, six, seven, eight.")
    at = [index for index, chunk in enumerate(chunks) if chunk.words.strip()]

    assert len(at) == 8
    gaps = np.diff(at)
    assert gaps.max() <= 2 * gaps.min() + 1


@pytest.mark.parametrize(
    "text",
    [
        "Größe naïve café \u2013 5 € ok 😀 fine then.",
        "日本 語 привет мир",
        "<speak><break time='5s'/>hi</speak> &amp; [[h@'loU]] {x}",
        "a\0b \ud800 c\x07\ufffe",
        "…",
        " \n ",
        "One.\n\nTwo!  Three?  ",
        "x" * 1000,
        "It's 12:45, 1,234.5 km at 100% - e.g. Dr. Smith's.",
        "%s %n $HOME `ls` \\",
    ],
)
async def test_any_text_is_spoken_and_its_words_are_kept(voice: Voice, text: str) -> None:
    pid = pid_of(voice)
    chunks = await spoken(voice, text)

    assert words(chunks) == text
    assert all(chunk.pcm for chunk in chunks)
    assert pid_of(voice) == pid


async def test_an_empty_text_has_no_sound(voice: Voice) -> None:
    assert await spoken(voice, "") == []


def test_the_voices_are_those_of_the_api() -> None:
    assert set(ESPEAK_VOICES) == set(settings.VOICES)
    assert len(set(ESPEAK_VOICES.values())) == len(settings.VOICES)


async def test_all_voices_differ_but_not_in_level(voice: Voice) -> None:
    spectra = {}
    for name in settings.VOICES:
        samples = np.frombuffer(sound(await spoken(voice, SENTENCE, name)), np.int16)
        spectra[name] = np.abs(np.fft.rfft(samples, 2**17))[:20_000]
        assert level_dbfs(samples) == pytest.approx(-20, abs=1.5)

    assert await spoken(voice, "Hi", "no such voice")
    alloy = spectra.pop("alloy")
    likeness = [float(np.corrcoef(alloy, other)[0, 1]) for other in spectra.values()]
    assert max(likeness) < 0.95


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5])
async def test_the_speed_is_kept(voice: Voice, speed: float) -> None:
    usual = duration_ms(sound(await spoken(voice, SENTENCE)))
    length = duration_ms(sound(await spoken(voice, SENTENCE, speed=speed)))
    assert length == pytest.approx(usual / speed, rel=0.15)


async def test_several_speak_at_once(voice: Voice) -> None:
    texts = [f"This is speaker number {number}. And more." for number in range(6)]
    chunks = await asyncio.gather(*(spoken(voice, text) for text in texts))
    assert [words(each) for each in chunks] == texts


async def test_a_long_text_starts_at_once_and_can_be_left(voice: Voice) -> None:
    async with aclosing(voice.speak(f"{SENTENCE} " * 3000, "ash")) as chunks:
        first = await anext(chunks)

    assert first.words
    assert voice._requests == set()
    assert words(await spoken(voice, "Next.")) == "Next."


async def test_a_listener_who_leaves_in_the_middle_harms_no_other(voice: Voice) -> None:
    leaving = asyncio.create_task(spoken(voice, SENTENCE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()

    assert words(await spoken(voice, "I am still here.")) == "I am still here."


async def test_a_worker_that_dies_is_replaced(voice: Voice) -> None:
    pid = pid_of(voice)
    os.kill(pid, signal.SIGTERM)
    chunks = await spoken(voice, SENTENCE)

    assert words(chunks) == SENTENCE
    assert pid_of(voice) != pid
    assert voice.degraded == ""


async def test_without_its_package_it_hums_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    voice = Voice()
    await voice.start()
    chunks = await spoken(voice, SENTENCE)

    assert "not installed" in voice.degraded
    assert words(chunks) == SENTENCE
    assert 2000 < duration_ms(sound(chunks)) < 8000


async def test_a_worker_that_never_starts_is_given_up() -> None:
    voice = Voice(replace(ESPEAK, module="components.practice.no_such_worker"))
    await voice.start()

    assert "does not run" in voice.degraded
    assert words(await spoken(voice, SENTENCE)) == SENTENCE


async def test_a_worker_that_stops_starting_is_given_up(
    voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(ESPEAK, module="components.practice.no_such_worker")
    monkeypatch.setattr(voice, "_synthesiser", broken)
    os.kill(pid_of(voice), signal.SIGTERM)
    chunks = await spoken(voice, f"{SENTENCE} {SENTENCE}")

    assert words(chunks) == f"{SENTENCE} {SENTENCE}"
    assert "does not run" in voice.degraded


async def test_a_refused_request_hums(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ESPEAK_VOICES, "alloy", "no such voice")
    chunks = await spoken(voice, "Still these words.")

    assert words(chunks) == "Still these words."
    assert voice.degraded == ""


async def test_closed_it_leaves_no_process() -> None:
    voice = Voice()
    await voice.start()
    pid = pid_of(voice)
    await voice.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert words(await spoken(voice, "Closed.")) == "Closed."
