"""Speaks with Piper, in a process of its own: it is GPL, and keeps two cores busy.

Run as `python -m components.practice.speech.piper_worker`, with the `.onnx` of a voice (its
`.onnx.json` lies beside it) or none for that of the package; `framing` says what goes over its
pipes. A SPEAK frame carries JSON: `text`, `speaker`, `pitch` and `speed`.

Rule: no request takes long: what is pronounced in too many symbols is cut off.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import onnxruntime
from piper import PiperVoice, SynthesisConfig
from piper.config import PiperConfig

from components.practice.speech import alignment, framing, weights
from components.practice.speech.alignment import Symbol
from components.practice.speech.framing import REFUSED, Frame, Sound
from components.practice.speech.loudness import CALIBRATION, amplified, gain
from components.practice.speech.serving import Answer, serve

THREADS: Final = 2
SPEAKERS: Final = 10
MOST_SYMBOLS: Final = 600
"""Forty seconds of sound. A hundred letters are usually as many; each 日 alone is 14."""
_RAW: Final = ("[[", "((")
"""What Piper would take for phonemes, and what it does not."""
_DURATIONS: Final = re.compile(rb"/[\w./]*Ceil_output_0")
"""The inner result of a voice's network that says how long each symbol lasts."""


class BoundedVoice(PiperVoice):  # type: ignore[misc]
    """Piper's voice, which says no more than so much."""

    def phonemize(self, text: str) -> list[list[str]]:
        """The symbols of each sentence."""
        left, bounded = MOST_SYMBOLS, []
        for sentence in super().phonemize(text):
            bounded.append(sentence[:left])
            left -= len(bounded[-1])
        return bounded


class Speech:
    """Piper with one voice."""

    def __init__(self, model: str) -> None:
        """Load a voice; raises `WeightsError`, or whatever the libraries say of a file."""
        network, described = _content(model)
        config = PiperConfig.from_dict(json.loads(described))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        # Threads that spin between two sentences would take the ears' cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(
            with_durations(network), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._voice: Any = BoundedVoice(session=session, config=config)
        self._several = config.num_speakers >= SPEAKERS
        self._gain = gain(self._spoken(CALIBRATION, SynthesisConfig(normalize_audio=False))[0])

    def speak(self, text: str, speaker: int, pitch: float, speed: float) -> Sound:
        """The sound of a text. A higher pitch is a higher rate of sound that was made slower."""
        config = self._voice.config
        pitch = 1.0 if self._several else pitch
        how = SynthesisConfig(
            speaker_id=speaker if self._several else None,
            length_scale=config.length_scale * pitch / speed,
            normalize_audio=False,
        )
        pcm, symbols = self._spoken(text.replace(*_RAW), how)
        return Sound(
            amplified(pcm, self._gain),
            tuple(alignment.marks(text, symbols)),
            round(config.sample_rate * pitch),
        )

    def _spoken(self, text: str, how: SynthesisConfig) -> tuple[bytes, list[Symbol]]:
        pcm, symbols = b"", list[Symbol]()
        for chunk in self._voice.synthesize(text, how, include_alignments=True):
            pcm += chunk.audio_int16_bytes
            symbols += _symbols(chunk)
        return pcm, symbols


def _content(model: str) -> tuple[bytes, bytes]:
    """A voice's network and its description."""
    if model:
        return Path(model).read_bytes(), Path(f"{model}.json").read_bytes()
    network, described = weights.from_packages(weights.VOICE).values()
    return network, described


def with_durations(network: bytes) -> bytes:
    """The network with one more result, how long each symbol lasts, if it is plain where that is.

    What is appended to a message of Protocol Buffers is merged into it: here a name into the list
    of its graph's outputs.
    """
    names = set(_DURATIONS.findall(network))
    if len(names) != 1:
        return network
    name = names.pop()
    return network + _field(7, _field(12, _field(1, name)))


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes, shorter than 128, of a message of Protocol Buffers."""
    return bytes((number << 3 | 2, len(content))) + content


def _symbols(chunk: Any) -> Iterator[Symbol]:
    """How long each symbol of a sentence lasts; all equally long if the network does not say."""
    if chunk.phoneme_alignments is not None:
        for aligned in chunk.phoneme_alignments:
            yield Symbol(_plain(aligned.phoneme), int(aligned.num_samples))
        return
    each = len(chunk.audio_float_array) // max(len(chunk.phonemes), 1)
    for phoneme in chunk.phonemes:
        yield Symbol(phoneme, each)


def _plain(phoneme: str) -> str:
    """A sentence's beginning and end part words as spaces do."""
    return " " if phoneme in "^$" else phoneme


def answer(speech: Speech, request: bytes) -> Frame:
    """What to send back for a SPEAK frame."""
    try:
        return framing.pack_sound(speech.speak(**json.loads(request)))
    # Piper says in its own ways what it cannot pronounce.
    except Exception as error:
        return Frame(REFUSED, str(error).encode())


def begin(model: str) -> Answer:
    """What answers SPEAK frames."""
    speech = Speech(model)
    return lambda frame: answer(speech, frame.payload)


if __name__ == "__main__":
    # What is wrong with a file each library says in its own way; without a voice there is no work.
    serve(begin, (Exception,))
