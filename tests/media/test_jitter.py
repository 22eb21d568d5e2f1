"""Every packet at once, in order, or never; and what is missing between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.media.jitter import LATE_IN_A_ROW, MAX_MISORDER, PacketOrder, TimeLine

WRAP = 1 << 16
CLOCK_WRAP = 1 << 32


def released(numbers):
    """The sequence numbers that are taken, packet by packet; None where one is not."""
    order = PacketOrder()
    return [number if order.takes(number % WRAP) else None for number in numbers]


def test_every_packet_is_released_when_it_comes():
    assert released(range(50)) == list(range(50))


def test_lost_packet_holds_nothing_back():
    assert released([1, 2, 4, 5, 9]) == [1, 2, 4, 5, 9]


def test_late_packet_and_duplicate_are_dropped():
    assert released([1, 3, 2, 3, 4]) == [1, 3, None, None, 4]


def test_sequence_number_wraps_around():
    numbers = list(range(WRAP - 3, WRAP + 3))

    assert released(numbers) == numbers
    assert released([WRAP - 1, WRAP + 1, WRAP, WRAP + 2]) == [WRAP - 1, WRAP + 1, None, WRAP + 2]


def test_new_stream_with_far_numbers_starts_at_once():
    assert released([5000, 100, 101]) == [5000, 100, 101]
    assert released([5000, 5000 - MAX_MISORDER]) == [5000, 5000 - MAX_MISORDER]


def test_new_stream_with_near_numbers_starts_after_a_few_packets():
    numbers = [5000, *range(4950, 4950 + LATE_IN_A_ROW + 3)]

    out = released(numbers)

    assert out[1:LATE_IN_A_ROW] == [None] * (LATE_IN_A_ROW - 1)
    assert out[LATE_IN_A_ROW:] == numbers[LATE_IN_A_ROW:]


def test_late_packets_among_new_ones_start_no_new_stream():
    numbers = []
    for new in range(1000, 1020):
        numbers += [new, new - 5]

    out = released(numbers)

    assert [number for number in out if number is not None] == list(range(1000, 1020))


@given(
    st.integers(0, WRAP - 1),
    st.lists(st.integers(-6, 6), max_size=100),
    st.sets(st.integers(0, 99)),
)
def test_loss_and_reordering_never_bring_disorder_nor_a_stall(start, shifts, lost):
    order = sorted(range(len(shifts)), key=lambda n: n + shifts[n])
    numbers = [start + n for n in order if n not in lost]

    out = [number for number in released(numbers) if number is not None]

    assert out == sorted(set(out))
    # Whatever is newer than all before it comes out at once.
    newest = [n for i, n in enumerate(numbers) if all(n > before for before in numbers[:i])]
    assert out == newest


@given(st.lists(st.integers(0, WRAP - 1), min_size=1, max_size=60))
def test_any_stream_is_heard_again_after_a_few_packets(garbage):
    stream = range(20_000, 20_000 + 2 * LATE_IN_A_ROW)

    out = released([*garbage, *stream])[len(garbage) :]

    assert all(number is not None for number in out[LATE_IN_A_ROW:])


@pytest.mark.parametrize("count", [0, 1])
def test_short_streams(count):
    assert released(range(count)) == list(range(count))


def gaps(*packets, longest=10_000):
    line = TimeLine(longest)
    return [line.missing(timestamp % CLOCK_WRAP, samples) for timestamp, samples in packets]


def test_nothing_is_missing_from_an_unbroken_stream():
    assert gaps((7, 960), (967, 960), (1927, 480), (2407, 960)) == [0, 0, 0, 0]


def test_lost_packets_leave_a_gap_of_their_length():
    assert gaps((0, 960), (2880, 960), (3840, 960)) == [0, 1920, 0]


def test_clock_wraps_around():
    assert gaps((-960, 960), (960, 960)) == [0, 960]


def test_step_back_and_a_very_long_gap_are_a_new_stream():
    assert gaps((9600, 960), (0, 960), (960, 960)) == [0, 0, 0]
    assert gaps((0, 960), (10_961, 960), (11_921, 960)) == [0, 0, 0]
    assert gaps((0, 960), (10_960, 960)) == [0, 10_000]


@given(st.integers(0, CLOCK_WRAP), st.lists(st.booleans(), min_size=1, max_size=200))
def test_time_line_never_drifts(start, kept):
    """However many packets are lost, sound and gaps together last as long as the stream."""
    stream = [(start + 960 * n, 960) for n, keep in enumerate(kept) if keep]
    lost_at_the_ends = len(kept) - ((stream[-1][0] - stream[0][0]) // 960 + 1 if stream else 0)

    total = sum(gaps(*stream, longest=CLOCK_WRAP // 2)) + 960 * len(stream)

    assert total == 960 * (len(kept) - lost_at_the_ends)
