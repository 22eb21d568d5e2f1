"""When another session takes the place of an old one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.link import (
    RENEW_AFTER_S,
    RENEW_BEFORE_S,
    SHORTEST_SESSION_S,
)
from components.core.outputs import Renew
from components.protocol.events import SessionCreated, SessionUpdated
from tests.dialogue import UNIX_S
from tests.link import Wire


def renewed_after_s(wire):
    """How long after its opening the session would be renewed."""
    begun, now = wire.now, wire.now
    while not (outputs := wire.link.renew(now)):
        now += 1.0
    assert outputs == [Renew()]
    return now - begun


def expires_in(seconds):
    return UNIX_S + 100.0 + seconds


def test_a_session_is_renewed_before_it_is_an_hour_old_and_once():
    wire = Wire()
    assert wire.link.renew(10**9) == [], "there is no session yet"
    wire.ready()

    assert renewed_after_s(wire) == RENEW_AFTER_S
    assert wire.link.renew(10**9) == []


@pytest.mark.parametrize("event", [SessionCreated, SessionUpdated])
@pytest.mark.parametrize(
    ("expires_at", "after_s"),
    [
        (expires_in(3600), RENEW_AFTER_S),
        (expires_in(7200), RENEW_AFTER_S),
        (expires_in(1800), 1800 - RENEW_BEFORE_S),
        (expires_in(400), 200),
        (expires_in(130), 65),
        (expires_in(100), SHORTEST_SESSION_S),
        (expires_in(1), SHORTEST_SESSION_S),
        (expires_in(0), RENEW_AFTER_S),
        (expires_in(-500), RENEW_AFTER_S),
        (1.0, RENEW_AFTER_S),
        (expires_in(10**11), RENEW_AFTER_S),
        (None, RENEW_AFTER_S),
    ],
)
def test_a_session_is_renewed_before_the_server_ends_it(event, expires_at, after_s):
    wire = Wire()
    wire.opened()
    wire.receive(event(expires_at, False) if event is SessionUpdated else event(expires_at, ""))

    assert renewed_after_s(wire) == after_s


def test_the_end_of_a_session_counts_from_when_it_was_told():
    wire = Wire()
    wire.ready()
    wire.now += 1000
    wire.receive(SessionUpdated(expires_in(1800), interrupts=True))
    wire.now -= 1000

    assert renewed_after_s(wire) == 1800 - RENEW_BEFORE_S


def test_an_end_told_after_the_renewal_begins_no_second_one():
    wire = Wire()
    wire.ready()
    wire.link.renew(wire.now + RENEW_AFTER_S)

    wire.receive(SessionUpdated(expires_in(1), interrupts=True))

    assert wire.link.renew(10**9) == []


def test_a_broken_session_is_not_renewed():
    wire = Wire()
    wire.ready()
    wire.link.broken()

    assert wire.link.renew(10**9) == []


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 1000), max_size=4))
def test_no_server_has_its_sessions_renewed_in_a_loop(ends):
    """Each of these sessions says of itself, again and again, that it ends soon."""
    wire = Wire()
    for end in ends:
        begun = wire.now
        wire.ready()
        while not wire.link.renew(wire.now):
            wire.now += 20
            wire.receive(SessionUpdated(UNIX_S + wire.now + end, interrupts=True))
        assert wire.now - begun >= SHORTEST_SESSION_S
