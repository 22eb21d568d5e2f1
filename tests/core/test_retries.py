"""A lost session is taken up again a few times."""

from components.core.retries import FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_TRIES, STEADY_S, Retries


def test_pauses_grow_up_to_a_limit_and_then_there_are_no_more():
    retries = Retries()
    pauses = []
    while retries.left:
        pauses.append(retries.pause_s(0.0))

    assert pauses == [FIRST_PAUSE_S, 1.0, 2.0, 4.0, LONGEST_PAUSE_S]
    assert len(pauses) == MOST_TRIES


def test_chance_takes_up_to_a_quarter_off():
    assert Retries().pause_s(1.0) == 0.75 * FIRST_PAUSE_S


def test_session_that_holds_earns_its_tries_back():
    retries = Retries()
    retries.pause_s(0.0)
    retries.ready(10.0)
    retries.tick(10.0 + STEADY_S)

    assert retries.pause_s(0.0) == FIRST_PAUSE_S


def test_session_that_is_dropped_as_soon_as_it_stands_does_not():
    retries = Retries()
    for now in range(MOST_TRIES):
        retries.pause_s(0.0)
        retries.tick(now + STEADY_S)
        retries.ready(now)
        retries.tick(now + STEADY_S - 0.1)

    assert not retries.left
