"""Turns speech into words with pocketsphinx, in a process of its own: it holds the GIL throughout.

Run as `python -m components.practice.speech.ears_worker`; `framing` says what goes over its pipes.
A TRANSCRIBED frame carries JSON: `text` (the words) and `mean` (of this speaker, for the next
utterance).

The cepstral mean of a new speaker and their microphone is unknown, and a wrong one doubles the
errors. So it is first estimated from the start of what they say, which is kept so long.
"""

import itertools
import re
from typing import Final

from pocketsphinx import Decoder

from components.practice.brain.grammar import grammar
from components.practice.speech import framing
from components.practice.speech.framing import EARS_RATE, TRANSCRIBED, Frame
from components.practice.speech.serving import Answer, serve
from components.practice.speech.transcript import Hypothesis, choose

_NOTHING: Final = Hypothesis("", 0.0)
_ESTIMATE_BYTES: Final = EARS_RATE * 2 * 3 // 2
"""1.5 s: later, the words of a short utterance would have to wait for the decoding of all of it."""
_TYPICAL_MEAN: Final = "49.2,0.3,9.6,22.1,-1.1,-0.6,4.7,-4.4,-2.5,-2.2,5.7,3.4,2.9"
"""Of three people in a quiet room: nearer to anyone's than what the model starts with."""


class Recogniser:
    """Two decoders side by side: one knows English, the other our few phrases."""

    def __init__(self) -> None:
        # A third of the default's work for one percent more errors, and bounded in noise.
        tuned = {"fwdflat": False, "maxhmmpf": 3000, "topn": 2, "loglevel": "FATAL"}
        self._language = Decoder(**tuned)
        self._grammar = Decoder(lm=None, dict=None, **tuned)
        phrases = grammar()
        _teach(self._grammar, self._language, phrases)
        self._grammar.add_jsgf_string("phrases", phrases)
        self._grammar.activate_search("phrases")
        self._decoders = (self._language, self._grammar)
        self._kept: bytes | None = None
        self._listening = False

    def begin(self, mean: str) -> None:
        """A new utterance, of a speaker with this cepstral mean; any unfinished one is dropped."""
        self.cancel()
        if mean:
            self._start(mean)
        else:
            self._kept = b""

    def feed(self, pcm: bytes) -> None:
        """The next part of the utterance, 16 kHz PCM of any length."""
        if self._kept is not None:
            self._kept += pcm
            if len(self._kept) >= _ESTIMATE_BYTES:
                self._release()
        elif self._listening:
            self._decode(pcm)

    def end(self) -> tuple[str, str]:
        """The words of the utterance, and its speaker's mean for the next one."""
        if self._kept:
            self._release()
        if not self._listening:
            self._kept = None
            return "", ""
        self.cancel()
        frames = self._language.n_frames()
        words = choose(_hypothesis(self._language), _hypothesis(self._grammar), frames)
        return words, self._language.get_cmn(True)

    def cancel(self) -> None:
        """Forget the utterance."""
        if self._listening:
            for decoder in self._decoders:
                decoder.end_utt()
        self._listening = False
        self._kept = None

    def _start(self, mean: str) -> None:
        for decoder in self._decoders:
            decoder.set_cmn(mean)
            decoder.start_utt()
        self._listening = True

    def _decode(self, pcm: bytes) -> None:
        for decoder in self._decoders:
            decoder.process_raw(pcm)

    def _release(self) -> None:
        """Decode what was kept, with a mean that it moved from the typical one."""
        kept, self._kept = self._kept or b"", None
        # The grammar's decoder does it with a third of the work.
        self._grammar.set_cmn(_TYPICAL_MEAN)
        self._grammar.start_utt()
        self._grammar.process_raw(kept)
        self._grammar.end_utt()
        self._start(self._grammar.get_cmn(True))
        self._decode(kept)


def _teach(learner: Decoder, teacher: Decoder, words: str) -> None:
    """Give a decoder the pronunciations of these words alone: all 134,000 take it 0.1 s to read."""
    for word in sorted(set(re.findall(r"[a-z']+", words))):
        variants = (f"{word}({number})" for number in itertools.count(2))
        for known in itertools.chain([word], variants):
            if (phones := teacher.lookup_word(known)) is None:
                break
            learner.add_word(known, phones, False)


def _hypothesis(decoder: Decoder) -> Hypothesis:
    found = decoder.hyp()
    return Hypothesis(found.hypstr, found.score) if found else _NOTHING


def begin(_: str) -> Answer:
    """What answers the frames of one utterance after the other."""
    recogniser = Recogniser()

    def answer(frame: Frame) -> Frame | None:
        match frame.kind:
            case framing.BEGIN:
                recogniser.begin(frame.payload.decode())
            case framing.AUDIO:
                recogniser.feed(frame.payload)
            case framing.END:
                words, mean = recogniser.end()
                return framing.pack_json(TRANSCRIBED, {"text": words, "mean": mean})
            case framing.CANCEL:
                recogniser.cancel()
        return None

    return answer


if __name__ == "__main__":
    serve(begin)
