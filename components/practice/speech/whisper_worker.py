"""Turns speech into words with Whisper, in a process of its own: it keeps two cores busy.

Run as `python -m components.practice.speech.whisper_worker`, with a folder of weights or none for
those of the packages; `framing` says what goes over its pipes. A HEAR frame carries the language
(a code, or nothing), a zero byte, and 16 kHz PCM; TRANSCRIBED answers it with JSON: `text`.

Rule: where nobody speaks no word is written. Whisper invents some there, and knows: its own figures
decide. And it does not work on half a minute for each utterance, as it would by itself.
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol

import numpy as np
from faster_whisper import WhisperModel

from components.practice.speech import framing, weights
from components.practice.speech.framing import TRANSCRIBED, Frame
from components.practice.speech.serving import Answer, serve

Features = np.ndarray[Any, np.dtype[np.float32]]
THREADS: Final = 2
DEFAULT_LANGUAGE: Final = "en"
"""To find out the language takes as long again as to write the words."""
_MOST_SILENT: Final = 0.6
_LEAST_LIKELY: Final = -1.0
"""Mean log probability of a word's parts; Whisper's own bounds, but each is enough here."""
_MOST_REPEATED: Final = 2.4
"""How much smaller the text becomes when it is compressed: what goes round in circles does."""


LEAST_FRAMES: Final = 1500
_MARGIN_FRAMES: Final = 500
"""Of 10 ms. Whisper has learned on 30 s: with fewer than 15, or too few after the last word, it
repeats and invents words; with these it errs as seldom, in a third of the time."""


class Segment(Protocol):
    """A stretch of speech as Whisper has understood it."""

    text: str
    no_speech_prob: float
    avg_logprob: float
    compression_ratio: float


def words(segments: Iterable[Segment]) -> str:
    """The text of those segments in which somebody spoke."""
    return " ".join(segment.text.strip() for segment in segments if _spoken(segment)).strip()


def _spoken(segment: Segment) -> bool:
    return (
        segment.no_speech_prob <= _MOST_SILENT
        and segment.avg_logprob >= _LEAST_LIKELY
        and segment.compression_ratio <= _MOST_REPEATED
    )


def frames_needed(features: Features) -> int:
    """How many frames are worth the work, of features that are filled up with zeros."""
    filled = np.flatnonzero(features.any(axis=tuple(range(features.ndim - 1))))
    used = int(filled[-1]) + 1 if filled.size else 0
    # The network's first layer takes two at a time.
    return min(max(used + _MARGIN_FRAMES, LEAST_FRAMES), int(features.shape[-1])) // 2 * 2


class ShortWhisper(WhisperModel):  # type: ignore[misc]
    """Whisper whose encoder works on as much as was said."""

    def encode(self, features: Features) -> Any:
        """What the network makes of the features of a stretch of sound."""
        return super().encode(features[..., : frames_needed(features)])


class Recogniser:
    """Whisper, with eight-bit weights."""

    def __init__(self, folder: str) -> None:
        """Load the weights of a folder, or of the packages; raises `WeightsError`."""
        self._model = ShortWhisper(
            folder or "packages",
            device="cpu",
            compute_type="int8",
            cpu_threads=THREADS,
            files=None if folder else weights.from_packages(weights.EARS),
            local_files_only=True,
        )

    def transcript(self, pcm: bytes, language: str) -> str:
        """What is said in 16 kHz PCM; a language that it does not know is heard as English."""
        code = language.lower().split("-")[0]
        known = code in self._model.supported_languages
        samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
        segments, _ = self._model.transcribe(
            samples,
            language=code if known else DEFAULT_LANGUAGE,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return words(segments)


def begin(folder: str) -> Answer:
    """What answers HEAR frames."""
    recogniser = Recogniser(folder)

    def answer(frame: Frame) -> Frame:
        language, _, pcm = frame.payload.partition(b"\0")
        text = recogniser.transcript(pcm, language.decode())
        return framing.pack_json(TRANSCRIBED, {"text": text})

    return answer


if __name__ == "__main__":
    serve(begin, (weights.WeightsError, OSError, RuntimeError, ValueError))
