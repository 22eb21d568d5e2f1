"""How often a call is attached to again, and when that is no use any more."""

from itertools import pairwise

import pytest

from components.core.attachment import (
    LATER_PAUSE_S,
    PAUSES_S,
    SHORT_S,
    UNWATCHED_LIMIT_S,
    Attachment,
    End,
    Refusal,
)


class Sideband:
    """An attachment and its clock."""

    def __init__(self, *, cost_limited: bool = False) -> None:
        self.attachment = Attachment(cost_limited)
        self.now = 100.0

    def holds(self, seconds: float) -> float | End:
        """A connection that stands so long: what to do at its end."""
        self.attachment.attached(self.now)
        self.now += seconds
        return self.attachment.dropped(Refusal.TRANSIENT, self.now)

    def refused(self, refusal: Refusal) -> float | End:
        return self.attachment.dropped(refusal, self.now)

    def tried_in_vain(self, refusal: Refusal = Refusal.TRANSIENT) -> tuple[list[float], End]:
        """The pauses before each try, and how it ends."""
        pauses: list[float] = []
        while not isinstance(verdict := self.refused(refusal), End):
            pauses.append(verdict)
            self.now += verdict
        return pauses, verdict


@pytest.mark.parametrize("refusal", Refusal)
def test_a_call_that_was_just_taken_is_tried_a_few_times(refusal: Refusal) -> None:
    assert Sideband().tried_in_vain(refusal) == (list(PAUSES_S[1:]), End.NEVER_WATCHED)


def test_what_held_is_attached_again_at_once() -> None:
    sideband = Sideband()

    assert [sideband.holds(SHORT_S) for _ in range(10)] == [0.0] * 10


def test_a_watched_call_that_nobody_knows_any_more_has_ended() -> None:
    sideband = Sideband()
    sideband.holds(0.1)

    assert sideband.refused(Refusal.GONE) is End.GONE


def test_a_watched_call_that_may_not_be_watched_any_more_is_unwatched() -> None:
    sideband = Sideband()
    sideband.holds(5.0)

    assert sideband.refused(Refusal.PERMANENT) is End.UNWATCHED


def test_a_server_in_trouble_is_tried_for_a_minute() -> None:
    sideband = Sideband()
    assert sideband.holds(5.0) == 0.0
    pauses, end = sideband.tried_in_vain()

    assert pauses[: len(PAUSES_S) - 1] == list(PAUSES_S[1:])
    assert set(pauses[len(PAUSES_S) :]) == {LATER_PAUSE_S}
    assert UNWATCHED_LIMIT_S <= sum(pauses) <= UNWATCHED_LIMIT_S + LATER_PAUSE_S
    assert end is End.UNWATCHED


def test_what_a_call_costs_is_not_unknown_for_a_minute() -> None:
    sideband = Sideband(cost_limited=True)
    sideband.holds(5.0)

    assert sideband.tried_in_vain() == (list(PAUSES_S[1:]), End.UNWATCHED)


def test_connections_that_never_hold_are_none() -> None:
    sideband = Sideband()
    verdicts = [sideband.holds(0.1)]
    while not isinstance(verdicts[-1], End):
        sideband.now += verdicts[-1]
        verdicts.append(sideband.holds(0.1))

    pauses = [verdict for verdict in verdicts if not isinstance(verdict, End)]
    assert all(before <= after for before, after in pairwise(pauses))
    assert sum(pauses) < UNWATCHED_LIMIT_S + LATER_PAUSE_S
    assert verdicts[-1] is End.UNWATCHED
