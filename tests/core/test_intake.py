"""Which frames of the microphone are sent, and when."""

from hypothesis import given
from hypothesis import strategies as st

from components.audio import FRAME_BYTES
from components.core.intake import (
    DEAD_FRAMES,
    EARLY_FRAMES,
    GAP_FRAMES,
    LEAST_TURN_FRAMES,
    PRE_ROLL_FRAMES,
    Intake,
)

SILENCE = bytes(FRAME_BYTES)


def frame(number):
    return (100 + number).to_bytes(2, "little") * (FRAME_BYTES // 2)


def take(intake, count, first=0, muted=False):
    return [sent for n in range(first, first + count) for sent in intake.take(frame(n), muted)]


def opened(push_to_talk=False):
    intake = Intake(push_to_talk)
    assert intake.open() == []
    return intake


def test_frames_pass_once_the_session_is_configured():
    assert take(opened(), 3) == [frame(0), frame(1), frame(2)]


def test_first_frames_wait_and_then_go_out_in_order():
    intake = Intake(False)
    assert take(intake, EARLY_FRAMES + 5) == []

    assert intake.open() == [frame(n) for n in range(5, EARLY_FRAMES + 5)]
    assert intake.open() == []


def test_only_fresh_frames_are_kept_while_the_connection_is_gone():
    intake = opened()
    intake.close()
    assert take(intake, GAP_FRAMES + 5) == []

    assert intake.open() == [frame(n) for n in range(5, GAP_FRAMES + 5)]


def test_muted_frames_are_silence():
    assert take(opened(), 2, muted=True) == [SILENCE, SILENCE]


def test_talk_button_lets_the_turn_pass_with_what_came_just_before():
    intake = opened(push_to_talk=True)
    assert take(intake, PRE_ROLL_FRAMES + 5) == []
    assert not intake.pressed

    assert intake.press() == [frame(n) for n in range(5, PRE_ROLL_FRAMES + 5)]
    assert intake.pressed
    assert take(intake, 2, first=50) == [frame(50), frame(51)]

    assert intake.release()
    assert not intake.pressed
    assert take(intake, 1) == []


def test_turn_shorter_than_the_api_takes_is_none():
    intake = opened(push_to_talk=True)
    intake.press()
    take(intake, LEAST_TURN_FRAMES - 1)
    assert not intake.release()

    intake.press()
    take(intake, LEAST_TURN_FRAMES)
    assert intake.release()
    assert not intake.release()


def test_press_is_lost_with_the_connection():
    intake = opened(push_to_talk=True)
    intake.press()
    intake.close()

    assert not intake.pressed


def test_microphone_without_any_sound_is_dead_until_there_is_some():
    intake = opened()
    for _ in range(DEAD_FRAMES - 1):
        intake.take(SILENCE, False)
    assert not intake.dead

    intake.take(SILENCE, False)
    assert intake.dead

    intake.take(frame(1), False)
    assert not intake.dead
    for _ in range(2 * DEAD_FRAMES):
        intake.take(SILENCE, False)
    assert not intake.dead


def test_muted_microphone_is_not_dead():
    intake = opened()
    for _ in range(2 * DEAD_FRAMES):
        intake.take(SILENCE, True)

    assert not intake.dead


@given(st.lists(st.sampled_from(["take", "open", "close"]), max_size=200))
def test_frames_come_out_in_order_and_never_twice(steps):
    intake = Intake(False)
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
