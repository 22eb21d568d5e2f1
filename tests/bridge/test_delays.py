"""How far a page is believed that tells how long sound is under way."""

from math import inf, nan
from typing import Any

import pytest

from components.bridge.delays import delays_of


def playout(delay: Any, rtt: Any) -> dict[str, Any]:
    return {"type": "playout", "delay_ms": delay, "rtt_ms": rtt}


@pytest.mark.parametrize(
    ("delay", "rtt", "to_ear_s", "to_us_s"),
    [
        (50, 20, 0.06, 0.01),
        (50.5, 0, 0.0505, 0.0),
        (-900, 20, 0.0, 0.01),
        (1e9, 1e9, 1.0, 1.0),
        (inf, -inf, 0.0, 0.0),
        (nan, nan, 0.0, 0.0),
    ],
)
def test_sound_is_under_way_for_half_a_round_trip_and_in_the_browsers_buffer(
    delay: float, rtt: float, to_ear_s: float, to_us_s: float
) -> None:
    found = delays_of(playout(delay, rtt))

    assert found is not None
    assert (found.to_ear_s, found.to_us_s) == pytest.approx((to_ear_s, to_us_s))


@pytest.mark.parametrize(
    "message", [playout("much", 1), playout(1, None), {"type": "playout"}, {"type": "say"}, {}]
)
def test_other_messages_tell_nothing_of_it(message: dict[str, Any]) -> None:
    assert delays_of(message) is None
