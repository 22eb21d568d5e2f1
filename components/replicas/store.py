"""What replicas share, as the rest of the app sees it; and its form for a single process.

Rule: values are bytes or numbers under names, forgotten in time. Whatever keeps the store from
answering is one error, after which everybody goes by what he knows himself.
"""

import time
from collections.abc import Collection
from enum import IntEnum
from typing import Protocol


class StoreLostError(Exception):
    """The store cannot be asked at present."""


class Taken(IntEnum):
    """What came of asking for a place."""

    YES = 0
    ALL_TAKEN = 1
    SHARE_TAKEN = 2
    """The visitor has as many as one may have."""


class Store(Protocol):
    """Every method may raise `StoreLostError`.

    A place is `visitor name`, with a space between; its holder says again and again that he is
    alive. A value has an owner, the replica that has claimed it last, and only he may replace it.
    """

    @property
    def shared(self) -> bool:
        """Whether anybody else sees what is put here."""

    async def take(
        self, place: str, most: int, most_of_one: int, seconds: float, instead_of: str = ""
    ) -> Taken:
        """Take a place for so long, in one step for all replicas; `instead_of` is free then."""

    async def hold(self, places: Collection[str], seconds: float) -> None:
        """Say of these places that they are still taken, for so long from now on."""

    async def free(self, place: str) -> None:
        """Give a place back."""

    async def claim(self, name: str, owner: str, seconds: float) -> bytes:
        """The value under a name, this owner's from now on; empty if there is none."""

    async def read(self, name: str) -> bytes:
        """The value under a name, empty if there is none."""

    async def put(self, name: str, owner: str, value: bytes, seconds: float) -> bool:
        """Replace a value; False, and nothing done, if it is another owner's by now."""

    async def drop(self, name: str) -> None:
        """Forget what is under a name."""

    async def add(self, name: str, amount: float, seconds: float) -> float:
        """Add to a sum, which is forgotten so long after its first amount; what it is now."""

    async def close(self) -> None:
        """Let go of what leads to the store; the next question gets it anew."""


class MemoryStore:
    """Of one process, for the calls in it; replicas within a process can share it as well."""

    def __init__(self, *, shared: bool = False) -> None:
        self.shared = shared
        self._places: dict[str, float] = {}
        self._values: dict[str, tuple[str, bytes, float]] = {}
        self._sums: dict[str, tuple[float, float]] = {}

    async def take(
        self, place: str, most: int, most_of_one: int, seconds: float, instead_of: str = ""
    ) -> Taken:
        """As `Store` says."""
        now = time.monotonic()
        self._places = {p: until for p, until in self._places.items() if until > now}
        self._places.pop(instead_of, None)
        visitor = place.partition(" ")[0]
        others = [p for p in self._places if p != place]
        own = sum(p.partition(" ")[0] == visitor for p in others)
        if own >= most_of_one and most_of_one < most:
            return Taken.SHARE_TAKEN
        if len(others) >= most:
            return Taken.ALL_TAKEN
        self._places[place] = now + seconds
        return Taken.YES

    async def hold(self, places: Collection[str], seconds: float) -> None:
        """As `Store` says."""
        until = time.monotonic() + seconds
        self._places.update(dict.fromkeys(places, until))

    async def free(self, place: str) -> None:
        """As `Store` says."""
        self._places.pop(place, None)

    async def claim(self, name: str, owner: str, seconds: float) -> bytes:
        """As `Store` says."""
        value = await self.read(name)
        if value:
            self._values[name] = (owner, value, time.monotonic() + seconds)
        return value

    async def read(self, name: str) -> bytes:
        """As `Store` says."""
        now = time.monotonic()
        self._values = {n: each for n, each in self._values.items() if each[2] > now}
        return self._values[name][1] if name in self._values else b""

    async def put(self, name: str, owner: str, value: bytes, seconds: float) -> bool:
        """As `Store` says."""
        await self.read(name)
        if name in self._values and self._values[name][0] != owner:
            return False
        self._values[name] = (owner, value, time.monotonic() + seconds)
        return True

    async def drop(self, name: str) -> None:
        """As `Store` says."""
        self._values.pop(name, None)

    async def add(self, name: str, amount: float, seconds: float) -> float:
        """As `Store` says."""
        now = time.monotonic()
        self._sums = {n: each for n, each in self._sums.items() if each[1] > now}
        total, until = self._sums.get(name, (0.0, now + seconds))
        if amount:
            self._sums[name] = (total + amount, until)
        return total + amount

    async def close(self) -> None:
        """There is nothing to let go of."""
