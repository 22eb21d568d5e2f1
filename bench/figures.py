"""Figures out of raw observations: percentiles, delays of marks, gaps in a flow."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.signals import API_RATE, FRAME_S, Mark


@dataclass(frozen=True)
class Sent:
    """A mark that a microphone handed over: when (ns), which frame, and whether it was lost."""

    ns: int
    number: int
    frame: int
    lost: bool = False


@dataclass(frozen=True)
class Delay:
    """A mark that arrived: when it was handed over (ns), its way (ms), how the time line lies.

    `offset_ms` is its place in the appended audio less its place in the microphone; it is the same
    for all marks as long as nothing is missing from the appended audio.
    """

    ns: int
    ms: float
    offset_ms: float


def percentile(values: Sequence[float], percent: float) -> float:
    """Linear between the nearest ranks; NaN of nothing."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    place = (len(ranked) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def delays(
    sent: Sequence[Sent], found: Sequence[Mark], arrivals: Sequence[tuple[int, int]]
) -> list[Delay]:
    """The delay of each mark found; `arrivals` are (samples appended so far, ns), in order.

    A mark found is the last of its number that was handed over before it arrived.
    """
    ends = [end for end, _ in arrivals]
    way = []
    for mark in found:
        index = bisect_right(ends, mark.sample)
        if index == len(ends):
            continue
        arrived = arrivals[index][1]
        candidates = [s for s in sent if s.number == mark.number and not s.lost and s.ns <= arrived]
        if candidates:
            origin = candidates[-1]
            offset = mark.sample / API_RATE - origin.frame * FRAME_S
            way.append(Delay(origin.ns, (arrived - origin.ns) / 1e6, 1000 * offset))
    return way


def drift(values: Sequence[float]) -> float:
    """How far the median of the last third lies above that of the first third."""
    third = max(1, len(values) // 3)
    return median(values[-third:]) - median(values[:third]) if values else float("nan")


def longest_gap(times: Sequence[int], windows: Sequence[tuple[int, int]]) -> float:
    """The longest time without an event inside any of the windows; all in ns, the answer in ms."""
    longest = 0
    for begin, end in windows:
        inside = [begin, *(t for t in times if begin < t < end), end]
        longest = max(longest, *(b - a for a, b in pairwise(inside)))
    return longest / 1e6
