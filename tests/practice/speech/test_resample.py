import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.speech.resample import Resampler

SECOND = (8000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.int16).tobytes()


@given(st.lists(st.integers(1, 5000), max_size=30))
def test_the_seams_between_pieces_cannot_be_heard(sizes: list[int]) -> None:
    whole = Resampler(24_000, 16_000)
    expected = whole.feed(SECOND) + whole.flush()
    pieces = Resampler(24_000, 16_000)
    out, at = b"", 0
    for size in [*sizes, len(SECOND)]:
        out += pieces.feed(SECOND[at : at + size])
        at += size

    assert out + pieces.flush() == expected


@pytest.mark.parametrize(("source", "target"), [(24_000, 16_000), (22_050, 24_000)])
def test_the_length_is_kept(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    out = resampler.feed(bytes(2 * source)) + resampler.flush()
    assert len(out) == pytest.approx(2 * target, abs=64)


def test_a_tone_keeps_its_pitch_and_level() -> None:
    resampler = Resampler(24_000, 16_000)
    out = np.frombuffer(resampler.feed(SECOND) + resampler.flush(), np.int16)[:16_000]
    spectrum = np.abs(np.fft.rfft(out))

    assert spectrum.argmax() == 440
    assert np.abs(out).max() == pytest.approx(8000, rel=0.02)


def test_half_a_sample_waits_for_its_other_half() -> None:
    resampler = Resampler(24_000, 16_000)
    assert resampler.feed(b"") == b""
    assert resampler.feed(b"\0") == b""
