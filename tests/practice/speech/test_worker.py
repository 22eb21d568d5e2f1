import asyncio
import os
import sys

import pytest

from components.practice.speech import framing
from components.practice.speech.framing import REFUSED, SPEAK, SPOKEN, Frame
from components.practice.speech.worker import Worker, WorkerError

pytestmark = pytest.mark.integration

VOICE = "components.practice.speech.voice_worker"
REQUEST = {"text": "Hi.", "voice": "en-us", "words_per_minute": 165, "word_gap": 0}


async def test_a_worker_answers_and_ends() -> None:
    worker = await Worker.start(VOICE)
    worker.send(framing.pack_json(SPEAK, REQUEST))
    frame = await worker.receive(10)
    await worker.close()

    assert frame.kind == SPOKEN
    assert framing.unpack_sound(frame.payload).pcm
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"text": 1}'])
async def test_a_request_that_makes_no_sense_is_refused(payload: bytes) -> None:
    worker = await Worker.start(VOICE)
    worker.send(Frame(SPEAK, payload))
    frame = await worker.receive(10)
    await worker.close()

    assert frame.kind == REFUSED
    assert frame.payload


async def test_a_module_that_is_none_does_not_start() -> None:
    with pytest.raises(WorkerError, match="gone"):
        await Worker.start("components.practice.no_such_worker")


async def test_a_program_that_is_no_worker_does_not_start() -> None:
    # It prints text instead of frames.
    with pytest.raises(WorkerError):
        await Worker.start("this")


async def test_without_an_interpreter_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(WorkerError, match="does not start"):
        await Worker.start(VOICE)


async def test_a_dead_worker_takes_frames_but_gives_none() -> None:
    worker = await Worker.start(VOICE)
    await worker.close()
    worker.send(framing.pack_json(SPEAK, REQUEST))

    with pytest.raises(WorkerError):
        await worker.receive(10)


async def test_an_answer_is_not_waited_for_without_end() -> None:
    worker = await Worker.start(VOICE)
    with pytest.raises(WorkerError, match="no answer"):
        await worker.receive(0.01)
    await worker.close()


async def test_a_start_that_is_cancelled_leaves_no_process() -> None:
    # This module of Python's own says nothing before its input has ended.
    starting = asyncio.create_task(Worker.start("tokenize"))
    await asyncio.sleep(0.05)
    starting.cancel()

    # An unclosed process would be a warning, and warnings are errors.
    with pytest.raises(asyncio.CancelledError):
        await starting
