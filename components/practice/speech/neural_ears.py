"""Writes down what is said with Whisper: one worker process, which its callers ask in turn.

Rule: as for the other ears, a worker that is dead or slow costs the words, never the turn. Work
begins when the speaker pauses, as it takes a second. Who goes on is heard again as a whole, unless
it was so long already that a part of it can stand by itself.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from components.audio import SAMPLE_RATE, duration_ms
from components.practice.speech.framing import EARS_RATE, HEAR, TRANSCRIBED, Frame
from components.practice.speech.resample import Resampler
from components.practice.speech.worker import Worker, WorkerError

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 4
"""Utterances that wait for the worker; a further one gets no words."""
_MODULE: Final = "components.practice.speech.whisper_worker"
EARS_BYTES_PER_MS: Final = 2 * EARS_RATE // 1000
_LONGEST_MS: Final = 120_000
"""What is said beyond is not written down: the wait for it would be too long."""
_LEAST_PIECE_MS: Final = 8_000
"""A part of an utterance that is understood by itself: long enough to make sense."""
_ANSWER_LIMIT_S: Final = 20.0
_TRANSCRIPT_LIMIT_S: Final = 24.0
_MOST_FAILURES: Final = 3
_BROKEN: Final = "The neural ears do not run here"

Hear = Callable[[bytes, str], Coroutine[Any, Any, str | None]]


class NeuralUtterance:
    """One turn of speech on its way to words. Ends with `transcript` or `cancel`, once."""

    def __init__(self, hear: Hear, language: str) -> None:
        self._hear = hear
        self._language = language
        self._resampler = Resampler(SAMPLE_RATE, EARS_RATE)
        self._pcm = bytearray()
        self._duration_ms = 0
        self._pieces: list[asyncio.Task[str | None]] = []
        """What was understood, or will be, before the sound that is kept here."""
        self._guess: asyncio.Task[str | None] | None = None
        """What was begun at the last pause."""
        self._guessed_bytes = 0

    def feed(self, pcm: bytes) -> None:
        """The next audio (24 kHz), as it comes in; cheap, and never blocks."""
        if self._duration_ms < _LONGEST_MS:
            self._duration_ms += duration_ms(pcm)
            self._pcm += self._resampler.feed(pcm)

    def pause(self) -> None:
        """The speaker may have finished: begin with what there is."""
        self._forget_guess()
        self._guessed_bytes = len(self._pcm)
        self._guess = asyncio.create_task(self._hear(bytes(self._pcm), self._language))

    def resume(self) -> None:
        """The speaker goes on: it was too soon, or one piece is complete."""
        if self._guess is not None and self._guessed_bytes >= _LEAST_PIECE_MS * EARS_BYTES_PER_MS:
            self._pieces.append(self._guess)
            self._guess = None
            del self._pcm[: self._guessed_bytes]
        self._forget_guess()

    async def transcript(self, heard: Callable[[str], None] | None = None) -> str | None:
        """The words: "" if none can be made out, None if there are no ears.

        Of a long utterance they come piece by piece: `heard` is told of each.
        """
        if self._guess is None:
            self.pause()
        assert self._guess is not None
        text = ""
        try:
            async with asyncio.timeout(_TRANSCRIPT_LIMIT_S):
                for piece in (*self._pieces, self._guess):
                    words = await self._words_of(piece)
                    if words is None:
                        return None
                    if words:
                        words = f" {words}" if text else words
                        text += words
                        if heard is not None:
                            heard(words)
        except TimeoutError:
            self.cancel()
            return None
        return text

    @staticmethod
    async def _words_of(piece: "asyncio.Task[str | None]") -> str | None:
        await asyncio.wait([piece])
        return None if piece.cancelled() else piece.result()

    def cancel(self) -> None:
        """Nobody wants the words any more."""
        self._forget_guess()
        for piece in self._pieces:
            piece.cancel()

    def _forget_guess(self) -> None:
        if self._guess is not None:
            self._guess.cancel()
            self._guess = None


class NeuralEars:
    """The ears of a server process; all of its connections share them."""

    def __init__(self, folder: Path | None = None, model: str = "base") -> None:
        """`folder` holds the weights of this model; None takes those of the packages."""
        self.name = f"Whisper {Path(model).name.removeprefix('faster-whisper-')}"
        self.degraded = ""
        """One sentence for the page; empty if the ears work."""
        self.problem = ""
        """Why they could not be started, as their worker says."""
        self._arguments = () if folder is None else (str(folder),)
        self._worker: Worker | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._failures = 0
        self._asked: set[asyncio.Task[str]] = set()

    async def start(self) -> None:
        """Start the worker, so that the first turn need not wait; once. Never raises."""
        if self._worker is not None:
            return
        try:
            self._worker = await Worker.start(_MODULE, *self._arguments)
        except WorkerError as error:
            logger.warning("! neural ears: %s", error)
            self.degraded, self.problem = f"{_BROKEN}.", str(error)

    async def close(self) -> None:
        """End the worker; utterances under way get None."""
        self.degraded = self.degraded or f"{_BROKEN}."
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await self._drop()

    def listen(self, after: object = None, language: str = "") -> NeuralUtterance:
        """A new utterance; who has spoken `after` does not matter to these ears."""
        return NeuralUtterance(self._words, language)

    async def _words(self, pcm: bytes, language: str) -> str | None:
        """The words in 16 kHz PCM; None if they cannot be had."""
        if self.degraded or self._waiting > MOST_WAITING:
            logger.warning("! neural ears: %s", self.degraded or "too many speak at once")
            return None
        self._waiting += 1
        try:
            async with self._turn:
                # Whoever turns away must not leave an answer in the pipe for the next one.
                task = asyncio.create_task(self._ask(pcm, language))
                self._asked.add(task)
                task.add_done_callback(self._asked.discard)
                try:
                    return await asyncio.shield(task)
                except asyncio.CancelledError:
                    await asyncio.wait([task])
                    raise
        except (WorkerError, ValueError, LookupError) as error:
            logger.warning("! neural ears: %s", error)
            await self._failed(error)
            return None
        finally:
            self._waiting -= 1

    async def _ask(self, pcm: bytes, language: str) -> str:
        if self._worker is None:
            self._worker = await Worker.start(_MODULE, *self._arguments)
        self._worker.send(Frame(HEAR, language.encode() + b"\0" + pcm))
        frame = await self._worker.receive(_ANSWER_LIMIT_S)
        if frame.kind != TRANSCRIBED:
            raise WorkerError(f"an answer of kind {frame.kind!r}")
        text: str = json.loads(frame.payload)["text"]
        self._failures = 0
        return text

    async def _failed(self, error: Exception) -> None:
        """One utterance may kill a worker; but one that never runs will not do so later."""
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            self.degraded = f"{_BROKEN}: {error}"
        await self._drop()

    async def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()
