from dataclasses import dataclass
from importlib import import_module

import pytest

from tests.practice.local_packages import require_local

require_local("faster_whisper")
words = import_module("components.practice.speech.whisper_worker").words


@dataclass
class Heard:
    text: str = " Hello."
    no_speech_prob: float = 0.1
    avg_logprob: float = -0.3
    compression_ratio: float = 1.0


def test_what_was_said_is_joined() -> None:
    assert words([Heard(" One,"), Heard(" two.")]) == "One, two."
    assert words([]) == ""


@pytest.mark.parametrize(
    "invented",
    [
        Heard(no_speech_prob=0.7),
        Heard(avg_logprob=-1.1),
        Heard(compression_ratio=2.5),
    ],
)
def test_what_whisper_doubts_is_left_out(invented: Heard) -> None:
    assert words([invented]) == ""
    assert words([Heard(), invented]) == "Hello."
