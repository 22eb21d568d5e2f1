import asyncio
import importlib.util
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from components.practice.speech.ears import Ears, Utterance
from components.practice.speech.transcript import edit_distance
from tests.practice.speech_samples import SILENCE, VOICES, record, require_flite

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PHRASES = ("what time is it", "count to ten", "what is twelve plus thirty", "flip a coin")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bytes]:
    """What each voice says, by voice and phrase."""
    require_flite()
    folder = tmp_path_factory.mktemp("speech")
    return {(v, phrase): record(folder, phrase, v) for v in VOICES for phrase in PHRASES}


@pytest_asyncio.fixture(loop_scope="module")
async def ears() -> AsyncIterator[Ears]:
    """Fresh ears, for a test that counts or hurts their workers."""
    ears = Ears()
    await ears.start()
    yield ears
    await ears.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_ears() -> AsyncIterator[Ears]:
    """Ears for every test that only wants words; a worker takes half a second to start."""
    ears = Ears(most_workers=1)
    await ears.start()
    yield ears
    await ears.close()


def said(ears: Ears, pcm: bytes, after: Utterance | None = None) -> Utterance:
    """An utterance that has been spoken, in frames of 20 ms."""
    utterance = ears.listen(after)
    for start in range(0, len(pcm), 960):
        utterance.feed(pcm[start : start + 960])
    return utterance


def words(transcript: str | None) -> list[str]:
    assert transcript is not None
    return transcript.lower().rstrip(".?").split()


async def until(true: Callable[[], bool]) -> None:
    """Let the others run until this has come to pass; pytest limits the wait."""
    for pause in itertools.repeat(0.01):
        if true():
            return
        await asyncio.sleep(pause)


def workers(ears: Ears) -> int:
    return len(ears._serving)


async def first_worker_pid(ears: Ears, pcm: bytes) -> int:
    """The process that recognises this utterance, found by letting it begin one."""
    utterance = said(ears, pcm)
    await until(lambda: utterance._worker is not None)
    utterance.cancel()
    assert utterance._worker is not None
    return utterance._worker.pid


async def test_what_a_person_says_is_written_down(
    ears: Ears, samples: dict[tuple[str, str], bytes]
) -> None:
    utterance: Utterance | None = None
    transcripts = []
    for phrase in PHRASES:
        utterance = said(ears, samples["slt", phrase], utterance)
        transcripts.append(await utterance.transcript())

    assert ears.degraded == ""
    assert transcripts == [
        "What time is it?",
        "Count to ten.",
        "What is twelve plus thirty?",
        "Flip a coin.",
    ]
    assert workers(ears) == 1


async def test_three_people_speak_at_once(
    ears: Ears, samples: dict[tuple[str, str], bytes]
) -> None:
    async def person(voice: str) -> int:
        utterance, wrong = None, 0
        for phrase in PHRASES[:2]:
            utterance = said(ears, samples[voice, phrase], utterance)
            wrong += edit_distance(phrase.split(), words(await utterance.transcript()))
        return wrong

    wrong = await asyncio.gather(*(person(voice) for voice in VOICES))
    assert sum(wrong) <= 2
    assert 1 < workers(ears) <= 3


async def test_more_people_than_workers_wait_for_their_turn(
    samples: dict[tuple[str, str], bytes],
) -> None:
    ears = Ears(most_workers=1)
    await ears.start()
    spoken = [said(ears, samples[voice, "what time is it"]) for voice in VOICES]
    transcripts = [await utterance.transcript() for utterance in spoken]
    assert workers(ears) == 1
    await ears.close()

    assert transcripts == ["What time is it?"] * 3


async def test_a_persons_mean_goes_with_them(
    shared_ears: Ears, samples: dict[tuple[str, str], bytes]
) -> None:
    first = said(shared_ears, samples["slt", "what time is it"])
    assert first.mean == ""
    await first.transcript()
    second = said(shared_ears, samples["slt", "count to ten"], first)
    assert second.mean == first.mean != ""

    await second.transcript()
    assert second.mean != first.mean
    newcomer = shared_ears.listen()
    newcomer.cancel()
    assert newcomer.mean == ""


@pytest.mark.parametrize("pcm", [b"", bytes(20), SILENCE])
async def test_where_there_are_no_words_none_are_written(shared_ears: Ears, pcm: bytes) -> None:
    assert await said(shared_ears, pcm).transcript() == ""


async def test_of_a_known_phrase_and_more_nothing_is_left_out(
    shared_ears: Ears, samples: dict[tuple[str, str], bytes]
) -> None:
    pcm = samples["slt", "what time is it"] + samples["slt", "what is twelve plus thirty"]
    transcripts = words(await said(shared_ears, pcm).transcript())
    assert transcripts[:4] == ["what", "time", "is", "it"]
    assert {"twelve", "plus", "thirty"} & set(transcripts)


async def test_cancelled_utterances_make_room_for_the_next(
    samples: dict[tuple[str, str], bytes],
) -> None:
    ears = Ears(most_workers=1)
    await ears.start()
    begun = said(ears, samples["slt", "count to ten"])
    await until(lambda: begun._worker is not None)
    waiting = said(ears, samples["slt", "count to ten"])
    waiting.cancel()
    begun.cancel()
    begun.feed(SILENCE)

    assert await said(ears, samples["slt", "flip a coin"]).transcript() == "Flip a coin."
    assert await waiting.transcript() is None
    assert await begun.transcript() is None
    await ears.close()


async def test_a_worker_that_dies_costs_one_utterance(
    ears: Ears, samples: dict[tuple[str, str], bytes]
) -> None:
    pid = await first_worker_pid(ears, samples["slt", "flip a coin"])
    utterance = said(ears, samples["slt", "what time is it"])
    os.kill(pid, signal.SIGTERM)

    assert await utterance.transcript() is None
    assert await said(ears, samples["slt", "flip a coin"]).transcript() == "Flip a coin."
    assert ears.degraded == ""


async def test_a_worker_that_hangs_costs_one_utterance(
    ears: Ears, samples: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = await first_worker_pid(ears, samples["slt", "flip a coin"])
    monkeypatch.setattr("components.practice.speech.ears._ANSWER_LIMIT_S", 0.2)
    os.kill(pid, signal.SIGSTOP)
    assert await said(ears, samples["slt", "what time is it"]).transcript() is None

    monkeypatch.undo()
    assert await said(ears, samples["slt", "flip a coin"]).transcript() == "Flip a coin."
    await ears.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_transcript_is_not_waited_for_without_end(
    shared_ears: Ears, samples: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.speech.ears._TRANSCRIPT_LIMIT_S", 0.0)
    assert await said(shared_ears, samples["slt", "what time is it"]).transcript() is None


async def test_an_abandoned_utterance_gives_its_worker_back(
    ears: Ears, samples: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.speech.ears._ABANDONED_S", 0.05)
    abandoned = said(ears, samples["slt", "what time is it"])
    await until(abandoned._ended.is_set)
    monkeypatch.undo()

    assert await said(ears, samples["slt", "flip a coin"]).transcript() == "Flip a coin."
    assert workers(ears) == 1


async def test_of_an_endless_utterance_the_beginning_is_transcribed(
    shared_ears: Ears, samples: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pcm = samples["slt", "flip a coin"]
    monkeypatch.setattr("components.practice.speech.ears._LONGEST_MS", len(pcm) // 48 - 20)
    utterance = said(shared_ears, pcm + 5 * samples["slt", "count to ten"])
    assert await utterance.transcript() == "Flip a coin."


async def test_idle_workers_end_but_the_last(
    samples: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.speech.ears._IDLE_S", 0.3)
    ears = Ears(most_workers=2)
    await ears.start()
    spoken = [said(ears, samples[voice, "flip a coin"]) for voice in VOICES[:2]]
    assert workers(ears) == 2
    for utterance in spoken:
        await utterance.transcript()
    await until(lambda: workers(ears) == 1)

    assert await said(ears, samples["slt", "flip a coin"]).transcript() == "Flip a coin."
    await ears.close()


async def test_without_its_package_nothing_is_transcribed_and_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ears = Ears()
    await ears.start()

    assert "not installed" in ears.degraded
    assert await said(ears, SILENCE).transcript() is None
    await ears.close()


async def test_a_worker_that_never_starts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "components.practice.speech.ears._MODULE", "components.practice.no_such_worker"
    )
    ears = Ears()
    await ears.start()

    assert "does not run" in ears.degraded
    assert await said(ears, SILENCE).transcript() is None
    await ears.close()
    assert workers(ears) == 0


async def test_workers_that_keep_dying_are_given_up(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.speech.ears._ANSWER_LIMIT_S", 0.0)
    transcripts = [await said(ears, SILENCE).transcript() for _ in range(4)]

    assert transcripts == [None] * 4
    assert "does not run" in ears.degraded


async def test_closed_it_answers_none(samples: dict[tuple[str, str], bytes]) -> None:
    ears = Ears(most_workers=1)
    await ears.start()
    pid = await first_worker_pid(ears, samples["slt", "flip a coin"])
    under_way = [said(ears, SILENCE) for _ in range(2)]
    await asyncio.sleep(0)
    await ears.close()

    assert [await utterance.transcript() for utterance in under_way] == [None, None]
    assert await said(ears, SILENCE).transcript() is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
