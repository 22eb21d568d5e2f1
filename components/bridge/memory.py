"""What is kept of ended calls, for a while.

Rule: nothing is kept for longer than its time, and never more than so many; the oldest goes first.
`now` is in seconds of any steady clock.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Memory(Generic[Kept]):
    """Values by the key of their browser."""

    def __init__(self, most: int, seconds: float) -> None:
        """At most `most` values, each for `seconds`."""
        self._most = most
        self._seconds = seconds
        self._values: OrderedDict[str, tuple[float, Kept]] = OrderedDict()

    def put(self, key: str, value: Kept, now: float) -> None:
        """Keep this from now on, in the place of what was kept under the key."""
        self._values.pop(key, None)
        self._values[key] = now + self._seconds, value
        self.purge(now)

    def get(self, key: str, now: float) -> Kept | None:
        """What is kept under a key."""
        self.purge(now)
        return self._values[key][1] if key in self._values else None

    def drop(self, key: str) -> None:
        """Let go of what is kept under a key."""
        self._values.pop(key, None)

    def purge(self, now: float) -> float | None:
        """Let go of what is too old, or too much; when that is due again, None for never."""
        while self._values:
            key, (due, _) = next(iter(self._values.items()))
            if due > now and len(self._values) <= self._most:
                return due
            del self._values[key]
        return None
