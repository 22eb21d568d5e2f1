"""How often a visitor may ask, whoever else does."""

from components.core.pace import AT_ONCE, EVERY_S, Pace

ADA, BOB = "192.0.2.1", "192.0.2.2"


def admitted(pace, visitor, now, tries=100):
    return sum(pace.admit(visitor, now) for _ in range(tries))


def test_some_come_at_once_and_then_one_after_the_other():
    pace = Pace()

    assert admitted(pace, ADA, 100.0) == AT_ONCE
    assert admitted(pace, ADA, 100.0 + EVERY_S / 2) == 0
    assert admitted(pace, ADA, 100.0 + EVERY_S) == 1
    assert admitted(pace, ADA, 100.0 + 4 * EVERY_S) == 3


def test_one_visitor_uses_up_nothing_of_another():
    pace = Pace()
    admitted(pace, ADA, 0.0)

    assert admitted(pace, BOB, 0.0) == AT_ONCE


def test_who_has_rested_may_do_what_a_new_visitor_may_and_is_forgotten():
    pace = Pace()
    admitted(pace, ADA, 0.0)
    assert admitted(pace, BOB, AT_ONCE * EVERY_S) == AT_ONCE
    assert list(pace._paid_until) == [BOB]

    assert admitted(pace, ADA, AT_ONCE * EVERY_S) == AT_ONCE


def test_an_hour_of_trying_gives_no_more_than_the_pace():
    pace = Pace()
    seconds = 3600

    asked = sum(pace.admit(ADA, step / 10) for step in range(10 * seconds))

    assert asked <= AT_ONCE + seconds / EVERY_S
