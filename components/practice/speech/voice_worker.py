"""Speaks with eSpeak NG, in a process of its own: it is GPL, and not safe to use from two threads.

Run as `python -m components.practice.speech.voice_worker`; `framing` says what goes over its pipes.
A SPEAK frame carries JSON: `text`, `voice` (eSpeak NG's name), `words_per_minute` and `word_gap`.
"""

import ctypes
import json
import os
from typing import Any, Final

import espeakng_loader

from components.practice.speech import framing
from components.practice.speech.framing import REFUSED, VOICE_RATE, Frame, Mark, Sound
from components.practice.speech.loudness import CALIBRATION, amplified, gain
from components.practice.speech.serving import Answer, serve

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS: Final = 2
_DO_NOT_EXIT: Final = 0x8000
_UTF8: Final = 1
_BY_CHARACTER: Final = 1
_WORD: Final = 1
_RATE_PARAMETER, _GAP_PARAMETER = 1, 7
_BUFFER_MS: Final = 100
_USUAL_RATE: Final = 165
"""Words a minute in which a voice's level is found."""
_MAX_SAMPLES: Final = 300 * VOICE_RATE
"""Of one request: 300 digits are long."""


class _Event(ctypes.Structure):
    """`espeak_EVENT`; the union at its end is as large as eight characters."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class Synthesiser:
    """eSpeak NG, with the library and data that espeakng-loader brings."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(espeakng_loader.get_data_path())
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data, _DO_NOT_EXIT)
        if rate != VOICE_RATE:
            raise RuntimeError(f"eSpeak NG did not start: {rate}")
        # Held here, or it would be collected while the library still calls it.
        self._callback = _Callback(self._on_sound)
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""
        self._sound = bytearray()
        self._marks: list[Mark] = []
        self._gains: dict[str, float] = {}

    def speak(self, text: str, voice: str, words_per_minute: int, word_gap: int) -> Sound:
        """The sound of a text; `RuntimeError` says what eSpeak NG refused."""
        if voice not in self._gains:
            self._gains[voice] = gain(self._spoken(CALIBRATION, voice, _USUAL_RATE, 0).pcm)
        sound = self._spoken(text, voice, words_per_minute, word_gap)
        return Sound(amplified(sound.pcm, self._gains[voice]), sound.marks)

    def _spoken(self, text: str, voice: str, words_per_minute: int, word_gap: int) -> Sound:
        self._sound.clear()
        self._marks.clear()
        self._choose(voice)
        self._check("rate", self._library.espeak_SetParameter(_RATE_PARAMETER, words_per_minute, 0))
        self._check("gap", self._library.espeak_SetParameter(_GAP_PARAMETER, word_gap, 0))
        data = ctypes.create_string_buffer(text.encode())
        self._check(
            "text",
            self._library.espeak_Synth(
                data, ctypes.c_size_t(len(data)), 0, _BY_CHARACTER, 0, _UTF8, None, None
            ),
        )
        return Sound(bytes(self._sound), tuple(self._marks))

    def _choose(self, voice: str) -> None:
        if voice != self._voice:
            self._check("voice", self._library.espeak_SetVoiceByName(voice.encode()))
            self._voice = voice

    @staticmethod
    def _check(what: str, status: int) -> None:
        if status != 0:
            raise RuntimeError(f"eSpeak NG refuses the {what}: {status}")

    def _on_sound(self, samples: int | None, count: int, events: Any) -> int:
        """Called by the library with each stretch of sound; 1 tells it to stop."""
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, 2 * count)
        index = 0
        while events[index].type:
            event = events[index]
            if event.type == _WORD and event.text_position > 0:
                self._marks.append(Mark(event.text_position - 1, max(event.sample, 0)))
            index += 1
        return int(len(self._sound) > 2 * _MAX_SAMPLES)


def answer(synthesiser: Synthesiser, request: bytes) -> Frame:
    """What to send back for a SPEAK frame."""
    try:
        return framing.pack_sound(synthesiser.speak(**json.loads(request)))
    except (RuntimeError, ValueError, TypeError) as error:
        return Frame(REFUSED, str(error).encode())


def begin(_: str) -> Answer:
    """What answers SPEAK frames."""
    synthesiser = Synthesiser()
    return lambda frame: answer(synthesiser, frame.payload)


if __name__ == "__main__":
    serve(begin)
