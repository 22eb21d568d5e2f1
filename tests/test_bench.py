"""What the bench reads out of sounds and numbers; the measuring itself is no test."""

import math
from typing import Any

import numpy as np
import pytest

from bench import signals
from bench.figures import Sent, delays, drift, longest_gap, percentile
from bench.report import Row, rows, table
from bench.signals import Mark

MS = 1_000_000


def appended() -> np.ndarray:
    """The microphone's cycle as an app would append it: half the rate."""
    return signals.microphone()[::2]


def test_every_mark_of_a_cycle_is_found_with_its_number() -> None:
    found = signals.find_marks(appended())

    assert [mark.number for mark in found] == list(range(signals.MARKS))
    spacing = round(signals.MARK_EVERY * signals.FRAME_S * signals.API_RATE)
    assert all(mark.sample // spacing == mark.number for mark in found)
    assert all(mark.sample % spacing < 24 for mark in found)


def test_marks_are_found_where_they_moved_to() -> None:
    samples = np.concatenate([np.zeros(777, np.int16), appended()[7200:]])

    first = signals.find_marks(samples)[0]

    assert first.number == 1
    assert 777 <= first.sample < 801


def test_a_quiet_room_has_no_marks() -> None:
    assert signals.find_marks(np.zeros(48_000, np.int16)) == []


def test_noise_is_no_mark() -> None:
    noise = np.random.default_rng(3).normal(0, 9000, 24_000).astype(np.int16)

    assert signals.find_marks(noise) == []


@pytest.mark.parametrize("frame", [0, 15, 225, 240, 255])
def test_the_frames_with_a_mark_are_told(frame: int) -> None:
    assert signals.mark_of_frame(frame) == frame // 15 % 16
    assert signals.mark_of_frame(frame + 1) is None


@pytest.mark.parametrize("at_ms", [100, 730, 1490])
def test_a_frame_of_a_chirp_tells_its_place(at_ms: int) -> None:
    chirp = signals.chirp(1.6, 1500)
    middle = at_ms * signals.API_RATE // 1000
    frame = chirp[middle - 120 : middle + 120]

    pitch = signals.frequency(frame, signals.API_RATE)

    assert signals.in_chirp(pitch, 1500, 1.6)
    assert not signals.in_chirp(pitch, 500, 1.6)
    assert signals.position_ms(pitch, 1500) == pytest.approx(at_ms, abs=3)


def test_a_whole_reply_misses_nothing_even_if_some_of_it_is_repeated() -> None:
    middles = [5.0 + 10 * number for number in range(100)]

    assert signals.missing_ms(sorted([*middles, 300.0, 301.0]), 1000) == 0


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        ([(0, 95)], 50),
        ([(20, 100)], 200),
        ([(0, 40), (55, 100)], 150),
        ([(0, 40), (41, 100)], 0),  # less than a frame more or less is the pitch's uncertainty
        ([], 1000),
    ],
)
def test_what_is_missing_of_a_reply_is_counted(
    parts: list[tuple[int, int]], missing: float
) -> None:
    middles = [5.0 + 10 * number for first, last in parts for number in range(first, last)]

    assert signals.missing_ms(middles, 1000) == pytest.approx(missing)


def test_a_delay_is_from_the_hand_over_to_the_append_that_holds_the_mark() -> None:
    sent = [Sent(1000 * MS, 3, 45), Sent(1300 * MS, 4, 60), Sent(5800 * MS, 3, 285)]
    found = [Mark(21_700, 3), Mark(28_900, 4)]
    arrivals = [(21_600, 990 * MS), (22_080, 1012 * MS), (28_900, 1300 * MS), (29_380, 1321 * MS)]

    way = delays(sent, found, arrivals)

    assert [(delay.ns, delay.ms) for delay in way] == [(1000 * MS, 12), (1300 * MS, 21)]
    assert [delay.offset_ms for delay in way] == pytest.approx([4.17, 4.17], abs=0.01)


def test_a_lost_mark_and_one_that_was_not_sent_have_no_delay() -> None:
    sent = [Sent(0, 1, 15, lost=True), Sent(900 * MS, 2, 30)]
    found = [Mark(10, 1), Mark(20, 2), Mark(9999, 2)]

    assert delays(sent, found, [(100, 500 * MS)]) == []


def test_of_equal_marks_the_last_before_the_arrival_is_meant() -> None:
    sent = [Sent(0, 1, 15), Sent(4800 * MS, 1, 255), Sent(9600 * MS, 1, 495)]

    way = delays(sent, [Mark(0, 1)], [(480, 4900 * MS)])

    (delay,) = way
    assert (delay.ns, delay.ms) == (4800 * MS, 100)
    assert delay.offset_ms == pytest.approx(-5100)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7], 95, 7), ([1, 2, 3, 4], 50, 2.5), ([4, 1, 3, 2], 100, 4), (list(range(101)), 95, 95)],
)
def test_percentiles(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_nothing_has_no_percentile() -> None:
    assert math.isnan(percentile([], 50))


def test_drift_is_between_the_ends() -> None:
    assert drift([1, 1, 1, 9, 9, 9, 4, 4, 4]) == 3
    assert drift([5]) == 0


def test_a_gap_counts_only_inside_a_window() -> None:
    times = [5 * MS, 20 * MS, 40 * MS, 300 * MS]

    assert longest_gap(times, [(0, 45 * MS), (290 * MS, 310 * MS)]) == 20
    assert longest_gap([], [(10 * MS, 15 * MS)]) == 5
    assert longest_gap(times, []) == 0


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("", "", 100, 10, at_most=15, ratio_at_most=0.15), True),
        (Row("", "", 100, 14, at_most=15, ratio_at_most=0.1), False),
        (Row("", "", 100, 16, at_most=15, ratio_at_most=0.2), False),
        (Row("", "", 8, 8, ratio_at_least=1), True),
        (Row("", "", 8, 7, ratio_at_least=1), False),
        (Row("", "", 8, 8), None),
        (Row("", "", math.nan, 8, ratio_at_most=1), None),
        (Row("", "", math.nan, 8, at_most=9), True),
        (Row("", "", math.nan, 28, at_least=28), True),
        (Row("", "", math.nan, 24, at_least=28), False),
        (Row("", "", 1, math.nan, at_most=9), None),
    ],
)
def test_targets_are_judged(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_the_table_shows_figures_ratio_target_and_verdict() -> None:
    text = table(
        [
            Row("way", "ms", 104, 10.44, at_most=15, ratio_at_most=0.15),
            Row("cost", "%", 5, 6, ratio_at_most=1, goal=0.6),
            Row("seen", "ms", math.nan, 31.5),
        ]
    )

    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[2] == "way ms 104 10.4 0.10 ≤ 15, ≤ 0.15 of plain yes"
    assert lines[3] == "cost % 5 6 1.20 ≤ 1 of plain, goal 0.6 NO"
    assert lines[4] == "seen ms - 31.5 -"


def test_local_parts_are_judged_by_the_first_sound_for_one_caller() -> None:
    part = {"ears_ms_per_s": 70, "voice_ms_per_s": 60}
    first, two = [1400.0, 1500.0, 1700.0], [1600.0, 2600.0]
    made = rows({"local": {**part, "first_sound_ms": first, "first_sound_of_two_ms": two}})

    assert [row.ours for row in made] == [70, 60, 1500, 1700, 2100, 2600]
    assert [row.met for row in made if row.met is not None] == [True]


def step(calls: int, *, holds: bool, full: bool = False) -> dict[str, Any]:
    figures = dict.fromkeys(
        ("cpu_per_call_percent", "microphone_p95_ms", "machine_idle_percent"), 1
    )
    return {"calls": calls, "holds": holds, "machine_full": full, **figures}


@pytest.mark.parametrize(
    ("last", "met"),
    [
        (step(28, holds=True), True),
        (step(28, holds=False), False),
        (step(28, holds=False, full=True), None),  # the machine is at its end, not the app
    ],
)
def test_two_processes_are_judged_by_the_calls_they_hold(
    last: dict[str, Any], met: bool | None
) -> None:
    held = [step(calls, holds=True) for calls in (1, 24)]

    made = rows({"replicas": {"2": [*held, last], "1": held}})

    two, one = [row for row in made if "calls that hold real time" in row.name]
    assert (one.ours, one.met) == (24, None)
    assert (two.ours, two.met) == (28 if met else 24, met)


def test_parts_that_were_not_run_have_no_rows() -> None:
    made = rows({"start": {"plain": 4.0, "ours": 3.0, "practice": 5.0}})

    assert [row.ours for row in made] == [3, 5]
    assert rows({}) == []
