"""When to ask a busy server again."""

import pytest

from components.protocol.rate_limits import LONGEST_PAUSE_S, MOST_LIMITS, PAUSE_S, pause_s


def report(*limits):
    return {"type": "rate_limits.updated", "rate_limits": list(limits)}


def test_the_limit_that_is_reached_and_lasts_longest_counts():
    limits = [
        {"name": "requests", "remaining": 0, "reset_seconds": 12},
        {"name": "tokens", "remaining": 0, "reset_seconds": 20.5},
        {"name": "other", "remaining": 7, "reset_seconds": 50},
    ]

    assert pause_s(report(*limits)) == 20.5


@pytest.mark.parametrize("seconds", [None, "9", -3, 0.5, float("nan"), [1]])
def test_without_a_usable_time_there_is_a_usual_pause(seconds):
    assert pause_s(report({"remaining": 0, "reset_seconds": seconds})) == PAUSE_S


@pytest.mark.parametrize("limits", [None, "x", [], ["x"], [None]])
def test_broken_report_means_the_usual_pause(limits):
    assert pause_s({"rate_limits": limits}) == PAUSE_S


def test_nobody_waits_for_ever():
    far = {"remaining": 0, "reset_seconds": 10**400}

    assert pause_s(report(far)) == LONGEST_PAUSE_S
    assert pause_s(report(*[{}] * MOST_LIMITS, far)) == PAUSE_S
