"""When to attach to a watched call again, and when nobody can watch it any more.

Rule: no call goes on unwatched for longer than a minute, nor, where its cost is limited, for longer
than a few tries.
"""

from enum import StrEnum, auto
from typing import Final

PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Before each of the first tries; a call that has just been taken may not be known everywhere."""
LATER_PAUSE_S: Final = 5.0
UNWATCHED_LIMIT_S: Final = 60.0
"""So long a call that was watched may go on without anybody who holds its limits."""
SHORT_S: Final = 1.0
"""What lasts less was no connection."""


class Refusal(StrEnum):
    """Why there is no connection to a call, or no longer."""

    GONE = auto()
    """The server knows no such call."""
    PERMANENT = auto()
    """It does not let us watch it."""
    TRANSIENT = auto()


class End(StrEnum):
    """There is nothing to attach to."""

    GONE = auto()
    """The call has ended, as far as anybody knows."""
    UNWATCHED = auto()
    """It may go on, and cannot be watched any more."""
    NEVER_WATCHED = auto()
    """It may go on, and could not be watched from the beginning."""


class Attachment:
    """Of one call; told of each connection to it and of each end of one."""

    def __init__(self, cost_limited: bool) -> None:
        self._cost_limited = cost_limited
        self._tries = 0
        self._attached_at: float | None = None
        self._watched_until: float | None = None
        """When it was last known to be watched; None if it never was."""

    def attached(self, now: float) -> None:
        """A connection stands."""
        self._attached_at = now

    def dropped(self, refusal: Refusal, now: float) -> float | End:
        """There is no connection (any more): how long to wait before the next try, or the end."""
        self._tries += 1
        if self._attached_at is not None:
            self._was_attached(self._attached_at, now)
        if self._watched_until is None:
            return PAUSES_S[self._tries] if self._tries < len(PAUSES_S) else End.NEVER_WATCHED
        if refusal is Refusal.GONE:
            return End.GONE
        if refusal is Refusal.PERMANENT:
            return End.UNWATCHED
        if self._tries < len(PAUSES_S):
            return PAUSES_S[self._tries]
        if self._cost_limited or now >= self._watched_until + UNWATCHED_LIMIT_S:
            return End.UNWATCHED
        return LATER_PAUSE_S

    def _was_attached(self, attached_at: float, now: float) -> None:
        """A connection has ended; after one that held, the next try is made at once, or events are
        missed."""
        held = now - attached_at >= SHORT_S
        if held or self._watched_until is None:
            self._watched_until = now
        if held:
            self._tries = 0
        self._attached_at = None
