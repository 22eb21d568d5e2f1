"""How often, and how soon, a lost session is taken up again.

Rule: a few times, each after a longer pause, and not all calls at the same moment. Only a session
that has held for a while earns its tries back: one that is dropped as soon as it stands does not.
"""

from typing import Final

MOST_TRIES: Final = 5
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
STEADY_S: Final = 10.0
"""A session that has been configured for so long counts as healed."""


class Retries:
    """The tries of one call."""

    def __init__(self) -> None:
        self._tries = 0
        self._ready_at: float | None = None

    @property
    def left(self) -> bool:
        """Whether to try once more."""
        return self._tries < MOST_TRIES

    def pause_s(self, chance: float) -> float:
        """The pause before the next try, which this counts as; `chance` is from 0 to 1."""
        pause = min(FIRST_PAUSE_S * (1 << self._tries), LONGEST_PAUSE_S)
        self._tries += 1
        self._ready_at = None
        return pause * (1 - chance / 4)

    def ready(self, now: float) -> None:
        """A session is configured."""
        self._ready_at = now

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self._ready_at is not None and now >= self._ready_at + STEADY_S:
            self._tries = 0
