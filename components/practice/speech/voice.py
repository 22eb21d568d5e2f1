"""Speaks a text as chunks of sound with their words, through a worker process, or as a soft tone.

Rule: a missing or failing voice never costs the words. Every synthesiser is many times faster than
real time, so one worker serves all connections in turn, one piece of text at a time.
"""

import asyncio
import importlib.util
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.audio import SAMPLE_RATE
from components.practice.speech import chunks as speech
from components.practice.speech import framing
from components.practice.speech.chunks import Spoken
from components.practice.speech.framing import SPEAK, SPOKEN, Frame, Sound
from components.practice.speech.resample import Resampler
from components.practice.speech.worker import Worker, WorkerError

logger = logging.getLogger(__name__)

ESPEAK_VOICES: Final = {
    "alloy": "en-us",
    "ash": "en-us+m3",
    "ballad": "en-gb-x-rp",
    "cedar": "en-us+m1",
    "coral": "en-us+Annie",
    "echo": "en-us+m7",
    "marin": "en-us+f2",
    "sage": "en-us+steph",
    "shimmer": "en-us+f3",
    "verse": "en-us+rob",
}
"""Labels, not imitations: ten that can be told apart, half of them higher."""

_DEFAULT: Final = "alloy"
_ANSWER_LIMIT_S: Final = 20.0
_ATTEMPTS: Final = 2
_MOST_FAILURES: Final = 4
_PAUSE_MS: Final = 250
"""After a sentence, as synthesisers pause between sentences but not at the end of a text."""


@dataclass(frozen=True, slots=True)
class Synthesiser:
    """What a voice is made by: a worker process, and how it is asked."""

    name: str
    package: str
    """What has to be installed for it, by the name that one installs."""
    library: str
    """The same, by the name that Python imports."""
    module: str
    """The worker, which brings what it speaks to the common level."""
    request: Callable[[str, str, float], Mapping[str, Any]]
    """The fields of a SPEAK frame for a text, one of the API's voices, and a speed."""
    arguments: tuple[str, ...] = ()
    longest: int = speech.MAX_PIECE
    """Characters that are synthesised at one go."""

    @property
    def missing(self) -> str:
        return self._without("is not installed")

    @property
    def broken(self) -> str:
        return self._without("does not run here")

    def _without(self, what: str) -> str:
        return (
            f"The practice voice ({self.package}) {what}, so answers come as text and a soft tone."
        )


def _espeak_request(text: str, voice: str, speed: float) -> Mapping[str, Any]:
    words_per_minute, word_gap = speech.pace(speed)
    return {
        "text": text,
        "voice": ESPEAK_VOICES.get(voice, ESPEAK_VOICES[_DEFAULT]),
        "words_per_minute": words_per_minute,
        "word_gap": word_gap,
    }


ESPEAK: Final = Synthesiser(
    "eSpeak",
    "espeakng-loader",
    "espeakng_loader",
    "components.practice.speech.voice_worker",
    _espeak_request,
)


class Voice:
    """The voice of a server process; all of its connections share it."""

    def __init__(self, synthesiser: Synthesiser = ESPEAK) -> None:
        self.name = synthesiser.name
        self.degraded = ""
        """One sentence for the page; empty if the voice works."""
        self.problem = ""
        """Why it could not be started, as its worker says."""
        self._synthesiser = synthesiser
        self._worker: Worker | None = None
        self._turn = asyncio.Lock()
        self._requests: set[asyncio.Task[Sound | None]] = set()
        self._failures = 0

    async def start(self) -> None:
        """Start the worker, so that the first answer need not wait; once. Never raises."""
        if self._worker is not None:
            return
        if importlib.util.find_spec(self._synthesiser.library) is None:
            self.degraded = self._synthesiser.missing
            return
        try:
            self._worker = await self._start_worker()
        except WorkerError as error:
            logger.warning("! practice voice: %s", error)
            self.degraded, self.problem = self._synthesiser.broken, str(error)

    async def close(self) -> None:
        """End the worker. The voice speaks no more."""
        self.degraded = self.degraded or self._synthesiser.broken
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        await self._drop()

    async def speak(
        self, text: str, voice: str, speed: float = 1.0
    ) -> AsyncGenerator[Spoken, None]:
        """The text as chunks of some 200 ms, made as they are asked for.

        `voice` is one of the API's names, `speed` 0.25 to 1.5. The words of all chunks together are
        the text. Closing the iterator ends the synthesis.
        """
        resampler: Resampler | None = None
        texts = speech.pieces(text, self._synthesiser.longest)
        for index, piece in enumerate(texts):
            sound = await self._request(piece, voice, speed)
            if sound is None:
                for spoken in speech.tone(piece, speed):
                    yield spoken
                continue
            resampler = resampler or Resampler(sound.rate, SAMPLE_RATE)
            pauses = index < len(texts) - 1 and speech.ends_sentence(piece)
            for spoken in _chunks(piece, sound, _PAUSE_MS if pauses else 0, resampler):
                yield spoken

    async def _request(self, text: str, voice: str, speed: float) -> Sound | None:
        """A piece's sound; None if there is no voice for it."""
        if self.degraded:
            return None
        fields = self._synthesiser.request(speech.speakable(text), voice, speed)
        task = asyncio.create_task(self._ask(framing.pack_json(SPEAK, fields)))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        # A listener who turns away must not leave an answer in the pipe for the next one.
        return await asyncio.shield(task)

    async def _ask(self, request: Frame) -> Sound | None:
        async with self._turn:
            for _ in range(_ATTEMPTS):
                if self.degraded:
                    break
                try:
                    sound = await self._exchange(request)
                except (WorkerError, ValueError) as error:
                    logger.warning("! practice voice: %s", error)
                    await self._drop()
                    self._failed()
                    continue
                self._failures = 0
                return sound
        return None

    async def _exchange(self, request: Frame) -> Sound | None:
        if self._worker is None:
            self._worker = await self._start_worker()
        self._worker.send(request)
        frame = await self._worker.receive(_ANSWER_LIMIT_S)
        if frame.kind != SPOKEN:
            logger.warning("! practice voice: %s", frame.payload.decode(errors="replace"))
            return None
        return framing.unpack_sound(frame.payload)

    async def _start_worker(self) -> Worker:
        return await Worker.start(self._synthesiser.module, *self._synthesiser.arguments)

    def _failed(self) -> None:
        self._failures += 1
        # One text may kill a worker; but one that never even starts will not do so later.
        if self._failures >= _MOST_FAILURES:
            self.degraded = self._synthesiser.broken

    async def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()


def _chunks(text: str, sound: Sound, pause_ms: int, resampler: Resampler) -> Iterator[Spoken]:
    """A piece of text as chunks in our rate; one without a sound of its own is a pause."""
    if not sound.pcm:
        pause_ms = pause_ms or _PAUSE_MS
    pcm = sound.pcm + bytes(2 * (sound.rate * pause_ms // 1000))
    marks = speech.word_marks(text, sound.marks)
    start = 0
    for end, words in speech.chunks(text, marks, len(pcm) // 2, sound.rate):
        yield Spoken(resampler.feed(pcm[2 * start : 2 * end]), words)
        start = end
