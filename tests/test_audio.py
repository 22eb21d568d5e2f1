"""PCM16 on the wire: coding, length, level."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audio import (
    BYTES_PER_MS,
    FLOOR_DBFS,
    FRAME_BYTES,
    FRAME_MS,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    decode,
    duration_ms,
    encode,
    is_digital_silence,
    level_dbfs,
    level_of,
)


def sine(amplitude, seconds=1.0):
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * 440 * time)).astype(np.int16)


def test_a_frame_is_20_ms_of_24_khz_mono_16_bit():
    assert (FRAME_MS, SAMPLE_RATE) == (20, 24_000)
    assert (FRAME_SAMPLES, FRAME_BYTES, BYTES_PER_MS) == (480, 960, 48)


@given(st.binary())
def test_what_is_encoded_can_be_decoded(pcm):
    assert decode(encode(pcm)) == pcm
    assert encode(pcm) == base64.b64encode(pcm).decode()


@pytest.mark.parametrize("text", ["AAA", "A===", "AA=A", "A A=", "AAA\n", "äöü", "%%%%", None, 7])
def test_what_is_not_base64_is_refused(text):
    with pytest.raises(ValueError, match=r"^not base64 audio: "):
        decode(text)


@pytest.mark.parametrize(
    ("size", "ms"), [(0, 0), (47, 0), (48, 1), (95, 1), (960, 20), (48_000, 1000)]
)
def test_the_duration_is_in_whole_milliseconds(size, ms):
    assert duration_ms(bytes(size)) == ms


@pytest.mark.parametrize(
    ("samples", "dbfs"),
    [
        (np.zeros(480, np.int16), FLOOR_DBFS),
        (np.zeros(0, np.int16), FLOOR_DBFS),
        (np.ones(480, np.int16), FLOOR_DBFS),
        (np.full(480, 2, np.int16), -84.29),
        (np.full(480, -32768, np.int16), 0.0),
        (np.full(480, 32767, np.int16), 0.0),
        (sine(32767), -3.01),
        (sine(3276.7), -23.01),
        (np.tile(np.array([1, 0, 0], np.int16), 160), FLOOR_DBFS),
    ],
    ids=[
        "silence",
        "nothing",
        "one step",
        "two steps",
        "lowest",
        "highest",
        "sine",
        "sine-20",
        "below",
    ],
)
def test_the_level_is_rms_below_full_scale(samples, dbfs):
    level = level_dbfs(samples)

    assert level == pytest.approx(dbfs, abs=0.01)
    assert isinstance(level, float)


@given(st.lists(st.integers(-32768, 32767)))
def test_every_level_lies_between_the_floor_and_full_scale(values):
    assert FLOOR_DBFS <= level_dbfs(np.array(values, np.int16)) <= 0


@pytest.mark.parametrize(
    ("samples", "silent"),
    [([], True), ([0, 0, 0], True), ([1, -1, 0], True), ([0, 2], False), ([0, -2], False)],
)
def test_digital_silence_is_less_than_any_room_gives(samples, silent):
    assert is_digital_silence(np.array(samples, np.int16).tobytes()) is silent


def test_the_level_of_bytes_is_that_of_their_samples_in_tenths():
    samples = np.full(480, 1000, np.int16)
    assert level_of(samples.tobytes()) == round(level_dbfs(samples), 1)
    assert level_of(b"") == FLOOR_DBFS
