"""How a text becomes pieces to speak, chunks of sound with their words, and a tone without a voice.

Rule: whatever happens to the sound, the words of all chunks together are the text, to the letter.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from components.audio import SAMPLE_RATE, Samples
from components.practice.speech.framing import Mark

CHUNK_MS: Final = 200
LEAST_SPEED, MOST_SPEED = 0.25, 1.5
"""The API's `audio.output.speed`."""
MAX_PIECE: Final = 300
"""Characters synthesised at one go: 20 to 30 seconds, ready after some 30 ms."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A chunk of sound (PCM16, 24 kHz) and the words, with their spaces, that start in it."""

    pcm: bytes
    words: str


def pieces(text: str, longest: int = MAX_PIECE) -> list[str]:
    """The text cut at sentence ends, or where it must be, into at most `longest` characters."""
    return [part for sentence in _SENTENCE.findall(text) for part in _parts(sentence, longest)]


_SENTENCE: Final = re.compile(r"(?s).+?[.!?…]+[\"')\]]*\s+|.+")
_SENTENCE_END: Final = re.compile(r"[.!?…][\"')\]]*\s*\Z")
_BREATH: Final = re.compile(r"(?s).*[,;:] ")


def _parts(sentence: str, longest: int) -> Iterator[str]:
    """A sentence in parts that are short enough, cut where a speaker takes breath if that leaves
    half of what may be said at once, otherwise after a space where there is one."""
    while len(sentence) > longest:
        breath = _BREATH.match(sentence, 0, longest)
        cut = breath.end() if breath else 0
        if cut < longest // 2:
            cut = sentence.rfind(" ", 0, longest) + 1 or longest
        yield sentence[:cut]
        sentence = sentence[cut:]
    yield sentence


def ends_sentence(piece: str) -> bool:
    """Whether a speaker pauses after this piece."""
    return _SENTENCE_END.search(piece) is not None


def speakable(text: str) -> str:
    """The text, character for character, with those that no C string or UTF-8 takes as spaces."""
    return _UNSPEAKABLE.sub(" ", text)


_UNSPEAKABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


_WORDS_PER_MINUTE: Final = 165
_SLOWEST: Final = 80
"""eSpeak NG speaks no slower."""
_GAP_S: Final = 0.044
"""A unit of its word gap: 10 ms, stretched as it speaks slowly (measured)."""


def pace(speed: float) -> tuple[int, int]:
    """Words per minute and the gap between words, in eSpeak NG's units, that make this speed."""
    wanted = _WORDS_PER_MINUTE * min(max(speed, LEAST_SPEED), MOST_SPEED)
    rate = max(round(wanted), _SLOWEST)
    gap_s = 60 / wanted - 60 / rate
    return rate, max(round(gap_s / _GAP_S), 0)


def word_marks(text: str, marks: Sequence[Mark]) -> list[Mark]:
    """The marks that begin a word of the text, in order, the first moved to the text's start.

    A synthesiser marks parts of words and numbers, some of them twice, and passes over short words;
    those belong to the mark before.
    """
    starts = [found.start() for found in re.finditer(r"\S+", text)]
    out = [Mark(0, 0)]
    for mark in marks:
        start = max((s for s in starts if s <= mark.character), default=0)
        if start > out[-1].character and mark.sample >= out[-1].sample:
            out.append(Mark(start, mark.sample))
    return out


def chunks(text: str, marks: Sequence[Mark], samples: int, rate: int) -> Iterator[tuple[int, str]]:
    """Where each chunk ends (in samples) and the words that start in it; at least one chunk."""
    step = rate * CHUNK_MS // 1000
    ends = [*range(step, samples, step), samples]
    said = 0
    for end in ends:
        later = [mark.character for mark in marks if mark.sample >= end]
        until = len(text) if end == samples or not later else later[0]
        yield end, text[said:until]
        said = until


_WORD_S: Final = 0.12
_CHARACTER_S: Final = 0.055
_LONGEST_WORD: Final = 15
_TONE_HZ: Final = 330.0
_TONE_PEAK: Final = 2000


def tone(text: str, speed: float) -> Iterator[Spoken]:
    """A soft tone for each word, as long as saying it takes, for want of a voice."""
    for word in re.findall(r"\s*\S+\s*?(?=\s|$)|\s+$", text):
        letters = min(len(word.strip()), _LONGEST_WORD)
        seconds = (_WORD_S + _CHARACTER_S * letters) / speed
        yield Spoken(_swell(seconds).tobytes(), word)


def _swell(seconds: float) -> Samples:
    """A tone that comes and goes without a click, and a short rest after it."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = np.sin(np.pi * np.clip(time / (0.8 * seconds), 0, 1)) ** 2
    return (_TONE_PEAK * envelope * np.sin(2 * np.pi * _TONE_HZ * time)).astype(np.int16)
