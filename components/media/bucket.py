"""How much of something a peer may bring: a rate, and a reserve for what comes in a rush.

Rule: over any time, no more than the reserve and the rate times that time.
"""


class TokenBucket:
    """Refills by `rate` a second, up to `most`; times are in seconds."""

    def __init__(self, rate: float, most: float, first: float | None = None) -> None:
        """`first` is in it at the beginning; by default it is full."""
        self._rate = rate
        self._most = most
        self._left = most if first is None else first
        self._at: float | None = None

    def take(self, wanted: float, now: float) -> float:
        """Take so much, or as much as there is; what was taken."""
        passed = 0.0 if self._at is None else now - self._at
        self._at = now
        if passed > 0:
            self._left = min(self._most, self._left + self._rate * passed)
        taken = wanted if wanted <= self._left else self._left
        self._left -= taken
        return taken
