from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pytest

from tests.practice.local_packages import require_local

require_local("faster_whisper")
whisper_worker = import_module("components.practice.speech.whisper_worker")
words, frames_needed = whisper_worker.words, whisper_worker.frames_needed


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


@pytest.mark.parametrize(
    ("said", "needed"), [(0, 1500), (300, 1500), (1001, 1500), (1501, 2000), (2600, 3000)]
)
def test_it_works_on_what_was_said_and_a_margin(said: int, needed: int) -> None:
    features = np.zeros((80, 3000), np.float32)
    features[:, :said] = -1.0

    assert frames_needed(features) == needed
    assert frames_needed(features[np.newaxis]) == needed
