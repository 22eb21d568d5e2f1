"""Where each frame of two voices lies in a recording."""

import numpy as np
import pytest

from components.audio import FRAME_BYTES, FRAME_SAMPLES
from components.recording.stereo import Slot, Stereo

BEGUN = 100.0
FRAME_S = 0.02


def frame(value: int) -> bytes:
    return np.full(FRAME_SAMPLES, value, np.int16).tobytes()


def values(slots: list[Slot], side: int) -> list[int]:
    """The first sample of each slot of a side; 0 for silence."""
    return [int(np.frombuffer(slot[side], np.int16)[0]) if slot[side] else 0 for slot in slots]


def at(place: int) -> float:
    return BEGUN + place * FRAME_S


@pytest.fixture
def stereo() -> Stereo:
    return Stereo(BEGUN)


def test_each_voice_lies_on_its_side_at_its_moment(stereo: Stereo) -> None:
    stereo.put("left", frame(1), at(2))
    stereo.put("right", frame(2), at(4))
    slots = stereo.rest(at(6))
    assert values(slots, 0) == [0, 0, 1, 0, 0, 0]
    assert values(slots, 1) == [0, 0, 0, 0, 2, 0]


def test_frames_that_come_unevenly_lie_one_after_the_other(stereo: Stereo) -> None:
    for number, late in enumerate((0.0, 0.03, 0.09, -0.02, 0.0)):
        stereo.put("left", frame(number + 1), at(number) + late)
    assert values(stereo.rest(at(6)), 0) == [1, 2, 3, 4, 5, 0]


def test_after_a_pause_a_voice_begins_at_its_moment(stereo: Stereo) -> None:
    stereo.put("right", frame(1), at(0))
    stereo.put("right", frame(2), at(9))
    assert values(stereo.rest(at(10)), 1) == [1, *[0] * 8, 2]


def test_pieces_of_any_length_become_frames(stereo: Stereo) -> None:
    sound = frame(1) + frame(2) + frame(3)
    stereo.put("left", sound[: FRAME_BYTES // 2], at(0))
    stereo.put("left", sound[FRAME_BYTES // 2 :], at(0) + FRAME_S / 2)
    assert values(stereo.rest(at(3)), 0) == [1, 2, 3]


@pytest.mark.parametrize("off", [3, -3])
def test_a_side_that_is_off_for_long_comes_back_to_its_moments(stereo: Stereo, off: int) -> None:
    stereo.put("left", frame(1), at(10))
    for number in range(11, 140):
        stereo.put("left", frame(number), at(number + off))
    slots = values(stereo.rest(at(150)), 0)
    assert slots[139 + off] == 139
    assert slots[15] == 15


def test_what_is_given_is_given_once_and_stays(stereo: Stereo) -> None:
    stereo.put("left", frame(1), at(0))
    assert stereo.take(at(10)) == []
    assert values(stereo.take(at(78)), 0) == [1, 0, 0]
    stereo.put("left", frame(2), at(0))
    stereo.put("left", frame(3), at(76))
    assert values(stereo.rest(at(77)), 0) == [*[0] * 73, 3]
    assert stereo.rest(at(77)) == []


def test_what_an_interruption_stops_is_not_in_it(stereo: Stereo) -> None:
    for number in range(10):
        stereo.put("right", frame(number + 1), at(number))
    stereo.cut(at(4))
    assert values(stereo.rest(at(10)), 1) == [1, 2, 3, 4, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("place", [3, 6, 20])
def test_an_answer_after_an_interruption_begins_at_its_moment(stereo: Stereo, place: int) -> None:
    stereo.put("right", frame(1), at(0))
    stereo.put("right", frame(2), at(1))
    stereo.cut(at(1))
    stereo.put("right", frame(3), at(place))
    assert values(stereo.rest(at(place + 1)), 1) == [1, *[0] * (place - 1), 3]
