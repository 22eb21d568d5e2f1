"""How the app waits for the calls under way before it ends."""

import os
import signal
import time
from threading import Thread, Timer
from typing import Any

import pytest

from components.core.places import NoPlaceError, Place, Places
from components.operating.draining import SLICE_S, STOPPING, drain

ENDS = (signal.SIGTERM, signal.SIGINT)
LONG_S = 30


@pytest.fixture
def places() -> Places:
    return Places(3, 3)


def drained(places: Places, limit_s: float = LONG_S) -> tuple[float, list[str]]:
    """How long it took, and what was announced."""
    said: list[str] = []
    begun = time.monotonic()
    drain(places, limit_s, ENDS, said.append)
    return time.monotonic() - begun, said


def soon(what: Any, *arguments: Any) -> None:
    Timer(2 * SLICE_S, what, arguments).start()


def taken(places: Places) -> Place:
    return places.take("192.0.2.1", 0.0)


def test_nothing_is_waited_for_without_calls(places: Places) -> None:
    took_s, said = drained(places)

    assert took_s < 1
    assert said == []


def test_a_call_that_nobody_here_sees_is_not_waited_for(places: Places) -> None:
    places.take("192.0.2.1", 0.0, until=1e9)

    assert drained(places)[0] < 1


def test_calls_under_way_may_finish_and_no_others_begin(places: Places) -> None:
    place = taken(places)

    def look() -> None:
        with pytest.raises(NoPlaceError) as refusal:
            taken(places)
        assert str(refusal.value) == STOPPING
        places.give_back(place)

    looking = Thread(target=look)
    soon(looking.start)
    took_s, (said,) = drained(places)
    looking.join()

    assert took_s < LONG_S / 2
    assert places.followed == 0
    assert said == "No new calls; those under way (1) may go on for 30 s."


def test_the_limit_ends_the_wait(places: Places) -> None:
    taken(places)

    assert drained(places, 3 * SLICE_S)[0] < 2
    assert places.followed == 1


@pytest.mark.parametrize("number", ENDS)
def test_a_second_signal_ends_the_wait_at_once(places: Places, number: int) -> None:
    before = signal.getsignal(number)
    taken(places)
    soon(os.kill, os.getpid(), number)

    assert drained(places)[0] < LONG_S / 2
    assert signal.getsignal(number) is before
