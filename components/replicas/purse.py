"""What each visitor has cost within a day, on all replicas.

Rule: what is spent is counted here and for all; while the store is lost, what was counted here
holds. What a visitor pays for himself does not count.
"""

import logging
from math import inf
from typing import Final

from components.replicas.store import MemoryStore, Store, StoreLostError

log = logging.getLogger(__name__)

DAY_S: Final = 24 * 3600.0
"""From the first answer that counted."""


class Purse:
    """Of all visitors."""

    def __init__(self, limit: float, store: Store) -> None:
        """`limit` is what one visitor may cost, in US dollars; 0 for no limit."""
        self._limit = limit
        self._store = store
        self._own = MemoryStore()

    @property
    def is_limited(self) -> bool:
        """Whether there is anything to count."""
        return bool(self._limit)

    @property
    def empty(self) -> str:
        """The sentence for who may have no more answers."""
        return (
            f"Calls from here have cost ${self._limit:.2f} within a day, which is the most for one "
            "visitor. Try again tomorrow."
        )

    async def left(self, visitor: str) -> float:
        """What this visitor's calls may still cost, in US dollars."""
        return await self.spend(visitor, 0.0)

    async def spend(self, visitor: str, dollars: float) -> float:
        """A call of this visitor has cost so much more; what is left then, 0 or less if nothing."""
        if not self._limit:
            return inf
        name = f"cost:{visitor}"
        spent = await self._own.add(name, dollars, DAY_S)
        if self._store.shared:
            try:
                spent = await self._store.add(name, dollars, DAY_S)
            except StoreLostError:
                log.debug("what a visitor has cost is counted here alone")
        return self._limit - spent
