"""Which frames of the microphone wait, and when they go."""

from components.audio import FRAME_BYTES
from components.core.intake import DEAD_FRAMES, EARLY_FRAMES, GAP_FRAMES, Intake

SILENCE = bytes(FRAME_BYTES)


def frame(number):
    return (100 + number).to_bytes(2, "little") * (FRAME_BYTES // 2)


def take(intake, count):
    return [sent for n in range(count) for sent in intake.take(frame(n))]


def test_frames_pass_once_the_session_is_configured():
    intake = Intake()
    assert intake.open() == []

    assert take(intake, 3) == [frame(0), frame(1), frame(2)]


def test_first_frames_wait_and_then_go_out_in_order():
    intake = Intake()
    assert take(intake, EARLY_FRAMES + 5) == []

    assert intake.open() == [frame(n) for n in range(5, EARLY_FRAMES + 5)]
    assert intake.open() == []


def test_only_fresh_frames_are_kept_while_the_connection_is_gone():
    intake = Intake()
    intake.open()
    intake.close()
    assert take(intake, GAP_FRAMES + 5) == []

    assert intake.open() == [frame(n) for n in range(5, GAP_FRAMES + 5)]


def test_microphone_that_gives_nothing_at_all_is_dead_until_it_gives_something():
    intake = Intake()
    for _ in range(DEAD_FRAMES - 1):
        intake.check(SILENCE)
    assert not intake.dead

    intake.check(SILENCE)
    assert intake.dead

    intake.check(frame(1))
    assert not intake.dead


def test_microphone_that_has_lived_may_be_silent():
    intake = Intake()
    intake.check(frame(1))
    for _ in range(2 * DEAD_FRAMES):
        intake.check(SILENCE)

    assert not intake.dead
