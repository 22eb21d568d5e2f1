"""Speaks a text as chunks of sound with their words, through a worker process, or as a soft tone.

Rule: a missing or failing voice never costs the words. eSpeak NG is some thousand times faster than
real time, so one worker serves all connections in turn, one piece of text at a time.
"""

import asyncio
import importlib.util
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import Final

import numpy as np

from components.audio import SAMPLE_RATE, Samples, level_dbfs
from components.practice.speech import chunks as speech
from components.practice.speech import framing
from components.practice.speech.chunks import Spoken
from components.practice.speech.framing import SPEAK, SPOKEN, VOICE_RATE, Frame, Sound
from components.practice.speech.resample import Resampler
from components.practice.speech.worker import Worker, WorkerError

logger = logging.getLogger(__name__)

LEVEL_DBFS: Final = -20.0

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
_MODULE: Final = "components.practice.speech.voice_worker"
_ANSWER_LIMIT_S: Final = 10.0
_ATTEMPTS: Final = 2
_MOST_FAILURES: Final = 4
_PAUSE_BYTES: Final = 2 * VOICE_RATE * 250 // 1000
"""Between pieces, as eSpeak NG pauses between sentences but not at the end of a text."""
_CALIBRATION: Final = "The quick brown fox jumps over the lazy dog."

_MISSING: Final = (
    "The practice voice (espeakng-loader) is not installed, so answers come as text and a soft "
    "tone."
)
_BROKEN: Final = (
    "The practice voice (espeakng-loader) does not run here, so answers come as text and a soft "
    "tone."
)


class Voice:
    """The voice of a server process; all of its connections share it."""

    name: Final = "eSpeak"

    def __init__(self) -> None:
        self.degraded = ""
        """One sentence for the page; empty if the voice works."""
        self._worker: Worker | None = None
        self._turn = asyncio.Lock()
        self._requests: set[asyncio.Task[Sound | None]] = set()
        self._gains: dict[str, float] = {}
        self._failures = 0

    async def start(self) -> None:
        """Start the worker, so that the first answer need not wait. Never raises."""
        if importlib.util.find_spec("espeakng_loader") is None:
            self.degraded = _MISSING
            return
        try:
            self._worker = await Worker.start(_MODULE)
        except WorkerError as error:
            logger.warning("! practice voice: %s", error)
            self.degraded = _BROKEN
        for voice in ESPEAK_VOICES.values():
            await self._gain(voice)

    async def close(self) -> None:
        """End the worker. The voice speaks no more."""
        self.degraded = self.degraded or _BROKEN
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
        espeak_voice = ESPEAK_VOICES.get(voice, ESPEAK_VOICES[_DEFAULT])
        resampler = Resampler(VOICE_RATE, SAMPLE_RATE)
        texts = speech.pieces(text)
        for index, piece in enumerate(texts):
            sound = await self._request(piece, espeak_voice, speed)
            if sound is None:
                for spoken in speech.tone(piece, speed):
                    yield spoken
                continue
            gain = await self._gain(espeak_voice)
            pause = bytes(_PAUSE_BYTES) if index < len(texts) - 1 else b""
            for spoken in _chunks(piece, sound, pause, gain, resampler):
                yield spoken

    async def _gain(self, voice: str) -> float:
        """What brings this voice to the common level: they differ by 13 dB."""
        if voice not in self._gains:
            sound = await self._request(_CALIBRATION, voice, 1.0)
            if sound is None or not sound.pcm:
                return 1.0
            level = level_dbfs(np.frombuffer(sound.pcm, np.int16))
            self._gains[voice] = 10 ** ((LEVEL_DBFS - level) / 20)
        return self._gains[voice]

    async def _request(self, text: str, voice: str, speed: float) -> Sound | None:
        """A piece's sound; None if there is no voice for it."""
        if self.degraded:
            return None
        task = asyncio.create_task(self._ask(text, voice, speed))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        # A listener who turns away must not leave an answer in the pipe for the next one.
        return await asyncio.shield(task)

    async def _ask(self, text: str, voice: str, speed: float) -> Sound | None:
        words_per_minute, word_gap = speech.pace(speed)
        request = framing.pack_json(
            SPEAK,
            {
                "text": speech.speakable(text),
                "voice": voice,
                "words_per_minute": words_per_minute,
                "word_gap": word_gap,
            },
        )
        async with self._turn:
            for _ in range(_ATTEMPTS):
                if self.degraded:
                    break
                try:
                    sound = await self._exchange(request)
                except WorkerError as error:
                    logger.warning("! practice voice: %s", error)
                    await self._drop()
                    self._failed()
                    continue
                self._failures = 0
                return sound
        return None

    async def _exchange(self, request: Frame) -> Sound | None:
        if self._worker is None:
            self._worker = await Worker.start(_MODULE)
        self._worker.send(request)
        frame = await self._worker.receive(_ANSWER_LIMIT_S)
        if frame.kind != SPOKEN:
            logger.warning("! practice voice: %s", frame.payload.decode(errors="replace"))
            return None
        return framing.unpack_sound(frame.payload)

    def _failed(self) -> None:
        self._failures += 1
        # One text may kill a worker; but one that never even starts will not do so later.
        if self._failures >= _MOST_FAILURES:
            self.degraded = _BROKEN

    async def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()


def _chunks(
    text: str, sound: Sound, pause: bytes, gain: float, resampler: Resampler
) -> Iterator[Spoken]:
    """A piece of text as chunks in our rate and level."""
    pcm = (sound.pcm or bytes(_PAUSE_BYTES)) + pause
    marks = speech.word_marks(text, sound.marks)
    start = 0
    for end, words in speech.chunks(text, marks, len(pcm) // 2, VOICE_RATE):
        source = np.frombuffer(pcm, np.int16, end - start, 2 * start)
        yield Spoken(resampler.feed(_amplified(source, gain).tobytes()), words)
        start = end


def _amplified(samples: Samples, gain: float) -> Samples:
    return np.asarray(np.clip(samples * gain, -32768, 32767), np.int16)
