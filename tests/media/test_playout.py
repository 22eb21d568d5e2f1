"""When each frame leaves."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.media.playout import FRAME_S, LATE_S, MEET_S, STEER_S, STRETCH_S, PlayoutClock


class Run:
    """Frames that leave as soon as they may; `work` is what each takes besides."""

    def __init__(self):
        self.clock = PlayoutClock()
        self.now = 50.0
        self.times = []

    def frame(self, silent=False, work=0.0, hurry_at=None):
        wait = self.clock.wait(self.now)
        if hurry_at is not None and hurry_at < wait:
            self.now += hurry_at
            self.clock.hurry(self.now)
            wait = self.clock.wait(self.now)
        self.now += wait
        self.times.append(round(self.now - 50.0, 6))
        self.clock.left(silent)
        self.now += work


def test_frames_leave_on_absolute_deadlines():
    run = Run()
    for work in (0.0, 0.013, 0.004) * 10:
        run.frame(work=work)

    assert run.times == pytest.approx([n * FRAME_S for n in range(30)])


def test_small_delay_is_caught_up():
    run = Run()
    run.frame(work=0.05)
    for _ in range(4):
        run.frame()

    assert run.times == pytest.approx([0.0, 0.05, 0.05, 0.06, 0.08])


def test_large_delay_starts_the_clock_anew():
    run = Run()
    run.frame(work=5.0)
    for _ in range(3):
        run.frame()

    assert run.times == pytest.approx([0.0, 5.0, 5.02, 5.04])


def test_reply_after_a_silence_leaves_at_once_and_the_next_frames_follow_it():
    run = Run()
    run.frame(silent=True)
    run.frame(hurry_at=0.005)
    run.frame()

    assert run.times == pytest.approx([0.0, 0.005, 0.025])


def test_silence_gives_back_what_a_reply_was_early_by():
    run = Run()
    run.frame(silent=True)
    run.frame(hurry_at=0.005)
    for _ in range(100):
        run.frame(silent=True)

    assert run.times[3] - run.times[2] == pytest.approx(FRAME_S + STRETCH_S)
    assert run.times[-1] == pytest.approx(101 * FRAME_S)


def test_hurry_before_the_start_or_after_the_deadline_changes_nothing():
    clock = PlayoutClock()
    clock.hurry(0.0)
    assert clock.wait(1.0) == 0.0

    clock.left(True)
    clock.hurry(1.05)
    assert clock.wait(1.05) == 0.0
    clock.left(True)
    assert clock.wait(1.05) == 0.0


def meet(run, first, count, silent=False):
    """So many frames, with a packet of the microphone every 20 ms from `first` on; the shares of
    frames that left with one, of the first and of the last fifty."""
    met = []
    packet = first
    for _ in range(count):
        while run.now + run.clock.wait(run.now) >= packet:
            run.now = max(run.now, packet)
            packet += FRAME_S
            if run.clock.meet(run.now):
                met.append(len(run.times))
                break
        else:
            run.now += run.clock.wait(run.now)
        run.times.append(round(run.now - 50.0, 6))
        run.clock.left(silent)
    last = len(run.times)
    return (
        sum(n < last - count + 50 for n in met) / 50,
        sum(n >= last - 50 for n in met) / 50,
    )


@pytest.mark.parametrize("phase_ms", range(0, 20, 2))
def test_frames_come_to_leave_with_the_packets_of_the_microphone(phase_ms):
    run = Run()
    run.frame()
    _, last = meet(run, 50.0 + phase_ms / 1000, 150)
    steps = [b - a for a, b in pairwise(run.times)]

    assert last == 1.0
    assert run.times[-1] == pytest.approx(150 * FRAME_S, abs=(FRAME_S + MEET_S) / 2 + 0.001)
    assert max(abs(step - FRAME_S) for step in steps) <= MEET_S + STEER_S + 1e-6


def test_frames_follow_the_clock_of_the_microphone():
    run = Run()
    run.frame()
    meet(run, 50.0, 100)
    _, last = meet(run, run.now + 0.0001, 50)  # a little late

    assert last == 1.0


def test_frames_meet_packets_again_after_a_reply_that_left_at_once():
    run = Run()
    run.frame(silent=True)
    _, before = meet(run, 50.0015, 100)
    packets = run.now
    run.frame(hurry_at=0.008)
    first, last = meet(run, packets + FRAME_S, 200)

    assert (before, last) == (1.0, 1.0)
    assert first < 0.6
    assert run.times[-1] == pytest.approx(301 * FRAME_S, abs=2 * MEET_S)


def test_packet_before_the_first_frame_changes_nothing():
    clock = PlayoutClock()

    assert not clock.meet(1.0)
    assert clock.wait(1.0) == 0.0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.03)), max_size=200))
def test_clock_is_never_late_nor_ahead_of_the_sound_by_more_than_its_hurries(frames):
    run = Run()
    hurried = 0.0
    for count, (silent, at) in enumerate(frames):
        before = run.clock.wait(run.now)
        run.frame(silent=silent, hurry_at=at)
        hurried += max(0.0, before - at)

        assert run.times[-1] <= count * FRAME_S + 1e-6
        assert run.times[-1] >= count * FRAME_S - hurried - 1e-6


def test_limits_are_those_of_the_field():
    assert 0 < STEER_S < STRETCH_S < MEET_S < FRAME_S < LATE_S
