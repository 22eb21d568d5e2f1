import json
from typing import Any

import pytest

pytest.importorskip("espeakng_loader")

from components.practice.speech import framing
from components.practice.speech.framing import REFUSED, SPOKEN, Sound
from components.practice.speech.voice_worker import Synthesiser, answer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def synthesiser() -> Synthesiser:
    return Synthesiser()


def request(**changed: Any) -> bytes:
    fields = {"text": "", "voice": "en-us", "words_per_minute": 165, "word_gap": 0, **changed}
    return json.dumps(fields).encode()


def spoken(synthesiser: Synthesiser, text: str) -> Sound:
    frame = answer(synthesiser, request(text=text))
    assert frame.kind == SPOKEN
    return framing.unpack_sound(frame.payload)


@pytest.mark.parametrize("text", ["One two three", "Größe naïve café", "\U0001f600 ok fine"])
def test_marks_count_characters_not_bytes(synthesiser: Synthesiser, text: str) -> None:
    sound = spoken(synthesiser, text)
    starts = {text.index(word) for word in text.split()}

    assert starts <= {mark.character for mark in sound.marks}
    samples = [mark.sample for mark in sound.marks]
    assert samples == sorted(samples)
    assert max(samples) < len(sound.pcm) // 2


def test_marks_are_of_this_text_only(synthesiser: Synthesiser) -> None:
    spoken(synthesiser, "a long text with many words in it")
    assert len(spoken(synthesiser, "short").marks) == 1


def test_an_unknown_voice_is_refused_and_the_next_works(synthesiser: Synthesiser) -> None:
    frame = answer(synthesiser, request(text="hi", voice="en-gb"))

    assert frame.kind == REFUSED
    assert b"voice" in frame.payload
    assert spoken(synthesiser, "hi").pcm


def test_a_sound_without_end_is_stopped(
    synthesiser: Synthesiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.practice.speech.voice_worker._MAX_SAMPLES", 10_000)
    sound = spoken(synthesiser, "word " * 50)
    assert 10_000 < len(sound.pcm) // 2 < 20_000
