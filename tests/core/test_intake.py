"""Which frames of the microphone are sent, and when."""

from hypothesis import given
from hypothesis import strategies as st

from components.audio import FRAME_BYTES
from components.core.intake import (
    DEAD_FRAMES,
    EARLY_FRAMES,
    GAP_FRAMES,
    Intake,
)

SILENCE = bytes(FRAME_BYTES)


def frame(number):
    return (100 + number).to_bytes(2, "little") * (FRAME_BYTES // 2)


def take(intake, count, first=0):
    return [sent for n in range(first, first + count) for sent in intake.take(frame(n))]


def opened():
    intake = Intake()
    assert intake.open() == []
    return intake


def test_frames_pass_once_the_session_is_configured():
    assert take(opened(), 3) == [frame(0), frame(1), frame(2)]


def test_first_frames_wait_and_then_go_out_in_order():
    intake = Intake()
    assert take(intake, EARLY_FRAMES + 5) == []

    assert intake.open() == [frame(n) for n in range(5, EARLY_FRAMES + 5)]
    assert intake.open() == []


def test_only_fresh_frames_are_kept_while_the_connection_is_gone():
    intake = opened()
    intake.close()
    assert take(intake, GAP_FRAMES + 5) == []

    assert intake.open() == [frame(n) for n in range(5, GAP_FRAMES + 5)]


def test_microphone_without_any_sound_is_dead_until_there_is_some():
    intake = Intake()
    for _ in range(DEAD_FRAMES - 1):
        intake.check(SILENCE)
    assert not intake.dead

    intake.check(SILENCE)
    assert intake.dead

    intake.check(frame(1))
    assert not intake.dead
    for _ in range(2 * DEAD_FRAMES):
        intake.check(SILENCE)
    assert not intake.dead


@given(st.lists(st.sampled_from(["take", "open", "close"]), max_size=200))
def test_frames_come_out_in_order_and_never_twice(steps):
    intake = Intake()
    sent, number = [], 0
    for step in steps:
        if step == "take":
            sent += take(intake, 1, first=number)
            number += 1
        elif step == "open":
            sent += intake.open()
        else:
            intake.close()

    numbers = [int.from_bytes(pcm[:2], "little") for pcm in sent]
    assert numbers == sorted(set(numbers))
