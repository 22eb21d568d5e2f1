import numpy as np
import pytest

from components.audio import level_dbfs
from components.practice.speech.loudness import LEVEL_DBFS, amplified, gain

SAMPLES = np.random.default_rng(1).normal(0, 100, 24_000).astype(np.int16)


@pytest.mark.parametrize("times", [1, 4, 16])
def test_loud_and_soft_voices_come_to_one_level(times: int) -> None:
    pcm = (SAMPLES * times).tobytes()
    level = level_dbfs(np.frombuffer(amplified(pcm, gain(pcm)), np.int16))
    assert level == pytest.approx(LEVEL_DBFS, abs=0.1)


def test_silence_is_not_amplified() -> None:
    assert gain(bytes(100)) == gain(b"") == 1.0


def test_what_would_be_too_loud_is_clipped() -> None:
    pcm = np.array([30_000, -30_000, 10], np.int16).tobytes()
    assert np.frombuffer(amplified(pcm, 2.0), np.int16).tolist() == [32_767, -32_768, 20]
