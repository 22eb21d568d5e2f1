"""Half the rate, without a seam, an alias or a drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.media.decimate import Decimator

RATE = 48_000


def tone(hertz, seconds=0.5, amplitude=10_000):
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype(
        np.int16
    )


def level_db(samples):
    middle = samples[200:].astype(float)
    return 20 * np.log10(max(np.sqrt(np.mean(middle**2)), 1e-3) / (10_000 / np.sqrt(2)))


@pytest.mark.parametrize("hertz", [100, 440, 1000, 3000, 7000, 9000])
def test_voice_passes_unchanged(hertz):
    halved = Decimator().halve(tone(hertz))

    assert level_db(halved) == pytest.approx(0, abs=0.2)
    spectrum = np.abs(np.fft.rfft(halved[: RATE // 4]))
    assert np.argmax(spectrum) * 2 == pytest.approx(hertz, abs=4)


@pytest.mark.parametrize("hertz", [14_000, 16_000, 20_000, 23_000])
def test_what_would_fold_back_is_gone(hertz):
    assert level_db(Decimator().halve(tone(hertz))) < -60


def test_packets_leave_no_seam():
    whole = tone(440)
    decimator = Decimator()

    pieces = [decimator.halve(whole[at : at + 960]) for at in range(0, len(whole), 960)]

    assert np.array_equal(np.concatenate(pieces), Decimator().halve(whole))


def test_each_packet_gives_its_half_at_once():
    decimator = Decimator()

    assert [len(decimator.halve(tone(440)[:960])) for _ in range(5)] == [480] * 5


def test_loudest_sound_does_not_wrap_around():
    square = np.where(tone(300) >= 0, 32767, -32768).astype(np.int16)
    halved = Decimator().halve(square).astype(int)

    assert np.abs(np.diff(halved[100:])).max() < 65_000
    assert halved.max() == 32767
    assert halved.min() == -32768


@given(st.lists(st.integers(0, 50), max_size=30))
def test_pieces_of_any_length_give_the_same_stream(lengths):
    whole = tone(440)[: sum(lengths)]
    decimator, pieces, at = Decimator(), [np.zeros(0, np.int16)], 0
    for length in lengths:
        pieces.append(decimator.halve(whole[at : at + length]))
        at += length

    expected = Decimator().halve(whole)
    # The sum over the same window may round differently in a longer array.
    assert np.allclose(np.concatenate(pieces).astype(int), expected.astype(int), atol=1)
    assert len(np.concatenate(pieces)) == (len(whole) + 1) // 2
