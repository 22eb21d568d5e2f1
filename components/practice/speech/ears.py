"""Writes down what is said, with a pool of worker processes: one for each who speaks just now.

Rule: ears that are missing, dead or slow cost the words, never the turn: a transcript is then None,
and every wait has a limit. A worker knows nothing of who speaks; what helps to understand a person
again, their cepstral mean, goes from one `Utterance` of theirs to the next.
"""

import asyncio
import contextlib
import importlib.util
import json
import logging
import os
from collections.abc import Callable
from typing import Final

from components.audio import SAMPLE_RATE, duration_ms
from components.practice.speech.framing import (
    AUDIO,
    BEGIN,
    CANCEL,
    EARS_RATE,
    END,
    TRANSCRIBED,
    Frame,
)
from components.practice.speech.resample import Resampler
from components.practice.speech.transcript import sentence
from components.practice.speech.worker import Worker, WorkerError

logger = logging.getLogger(__name__)

_MODULE: Final = "components.practice.speech.ears_worker"
_IDLE_S: Final = 60.0
"""After this long without work a worker ends, except the last."""
_LONGEST_MS: Final = 300_000
"""What is said beyond is not written down."""
_ABANDONED_S: Final = 600.0
_ANSWER_LIMIT_S: Final = 12.0
_TRANSCRIPT_LIMIT_S: Final = 14.0
"""Longer than an answer's limit, as others may have to be answered first."""
_MOST_FAILURES: Final = 3

_MISSING: Final = (
    "Speech recognition (pocketsphinx) is not installed, so the practice server hears that you "
    "speak, but not what you say."
)
_BROKEN: Final = (
    "Speech recognition (pocketsphinx) does not run here, so the practice server hears that you "
    "speak, but not what you say."
)


class Utterance:
    """One turn of speech on its way to words. Ends with `transcript` or `cancel`, once."""

    def __init__(self, mean: str) -> None:
        self.mean = mean
        """The speaker's cepstral mean; empty for a new speaker."""
        self._resampler = Resampler(SAMPLE_RATE, EARS_RATE)
        self._duration_ms = 0
        self._pending = bytearray()
        self._worker: Worker | None = None
        self._ended = asyncio.Event()
        self._text: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    def feed(self, pcm: bytes) -> None:
        """The next audio (24 kHz), as it comes in; cheap, and never blocks."""
        if self._ended.is_set() or self._duration_ms >= _LONGEST_MS:
            return
        self._duration_ms += duration_ms(pcm)
        resampled = self._resampler.feed(pcm)
        if self._worker is None:
            self._pending += resampled
        else:
            self._worker.send(Frame(AUDIO, resampled))

    def pause(self) -> None:
        """Nothing to begin: these ears work while one speaks."""

    def resume(self) -> None:
        """Nothing was begun."""

    async def transcript(self, heard: Callable[[str], None] | None = None) -> str | None:
        """The words, as a sentence: "" if none can be made out, None if there are no ears.

        They come at once, so that nothing is `heard` before.
        """
        self._ended.set()
        try:
            async with asyncio.timeout(_TRANSCRIPT_LIMIT_S):
                return await asyncio.shield(self._text)
        except TimeoutError:
            self.cancel()
            return None

    def cancel(self) -> None:
        """Nobody wants the words any more."""
        self.resolve(None)
        self._ended.set()

    def resolve(self, text: str | None) -> None:
        """These are the words; only the first call counts."""
        if not self._text.done():
            self._text.set_result(text)

    async def recognise(self, worker: Worker) -> None:
        """Give the audio to a worker until the utterance ends; `WorkerError` if that fails."""
        if self._text.done():
            return
        worker.send(Frame(BEGIN, self.mean.encode()))
        worker.send(Frame(AUDIO, bytes(self._pending)))
        self._pending.clear()
        self._worker = worker
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ABANDONED_S):
                await self._ended.wait()
        if self._text.done() or not self._ended.is_set():
            self.cancel()
            worker.send(Frame(CANCEL))
            return
        worker.send(Frame(END))
        frame = await worker.receive(_ANSWER_LIMIT_S)
        if frame.kind != TRANSCRIBED:
            raise WorkerError(f"an answer of kind {frame.kind!r}")
        answer = json.loads(frame.payload)
        self.mean = answer["mean"] or self.mean
        self.resolve(sentence(answer["text"]))


class Ears:
    """The ears of a server process; all of its connections share them."""

    name: Final = "PocketSphinx"

    def __init__(self, most_workers: int | None = None) -> None:
        self.degraded = ""
        """One sentence for the page; empty if the ears work."""
        self._most = most_workers or (os.cpu_count() or 1) + 1
        self._waiting: asyncio.Queue[Utterance] = asyncio.Queue()
        self._serving: set[asyncio.Task[None]] = set()
        self._free = 0
        """Workers that wait for an utterance, those that still start included."""
        self._failures = 0
        self._decided = asyncio.Event()
        """Set once the first worker runs or is given up."""

    async def start(self) -> None:
        """Start the first worker, so that the first turn need not wait. Never raises."""
        if importlib.util.find_spec("pocketsphinx") is None:
            self.degraded = _MISSING
            return
        self._add_worker()
        await self._decided.wait()

    async def close(self) -> None:
        """End all workers; utterances under way get None."""
        self.degraded = self.degraded or _BROKEN
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._refuse_waiting()

    def listen(self, after: Utterance | None = None, language: str = "") -> Utterance:
        """A new utterance; `after` is the same person's last one, which helps to understand them.

        It is heard as English, whatever `language` says.
        Call it on the event loop, when the person begins to speak.
        """
        utterance = Utterance(after.mean if after else "")
        if self.degraded:
            utterance.resolve(None)
            return utterance
        self._waiting.put_nowait(utterance)
        self._match_demand()
        return utterance

    def _match_demand(self) -> None:
        if self._waiting.qsize() > self._free and len(self._serving) < self._most:
            self._add_worker()

    def _add_worker(self) -> None:
        self._free += 1
        task = asyncio.create_task(self._serve())
        self._serving.add(task)
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        if not task.cancelled():
            self._match_demand()

    async def _serve(self) -> None:
        """One worker's life, replaced by `_gone` if anyone still waits for it."""
        busy = False
        utterance: Utterance | None = None
        worker: Worker | None = None
        try:
            worker = await Worker.start(_MODULE)
            self._decided.set()
            while (utterance := await self._next()) is not None:
                self._free, busy = self._free - 1, True
                await utterance.recognise(worker)
                self._failures = 0
                self._free, busy = self._free + 1, False
        except (WorkerError, ValueError, LookupError) as error:
            logger.warning("! speech recognition: %s", error)
            self._failed()
        finally:
            self._free -= not busy
            if utterance is not None:
                utterance.resolve(None)
            if worker is not None:
                await worker.close()
            self._decided.set()

    async def _next(self) -> Utterance | None:
        """The utterance that has waited longest; None if this worker is not needed any more."""
        while True:
            try:
                async with asyncio.timeout(_IDLE_S):
                    return await self._waiting.get()
            except TimeoutError:
                if self._free > 1:
                    return None

    def _failed(self) -> None:
        """One utterance may kill a worker; but one that never runs will not do so later."""
        self._failures += 1
        if not self._decided.is_set() or self._failures >= _MOST_FAILURES:
            self.degraded = _BROKEN
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait().resolve(None)
