"""One count of places for all replicas.

Rule: a place of this process counts for all as long as this process says so every few seconds, so
the places of a replica that has died are free a moment later. While the store is lost, each replica
counts its own.
"""

import asyncio
import logging
import time
from contextlib import suppress
from math import inf
from typing import Final

from components.core.places import NoPlaceError, Place, Places, full, share
from components.replicas.store import Store, StoreLostError, Taken

log = logging.getLogger(__name__)

HELD_S: Final = 10.0
"""A place whose process says nothing any more is taken for so long."""
BEAT_S: Final = 3.0
"""So often a process says of its places that they are taken."""


class SharedPlaces:
    """Tells the store of the places of this process; belongs to the event loop of the calls."""

    def __init__(self, places: Places, store: Store, process: str) -> None:
        """`process` is a name that no other replica has."""
        self._places = places
        self._store = store
        self._process = process
        self._named = 0
        self._names: dict[Place, str] = {}
        self._freeing: set[asyncio.Task[None]] = set()
        self._beating: asyncio.Task[None] | None = None
        places.freed = self._freed

    def name(self, place: Place) -> str:
        """What the store knows a place by; empty if it does not."""
        return self._names.get(place, "")

    async def confirm(self, place: Place, instead_of: str = "") -> None:
        """Have a place that was taken here counted for all replicas.

        `instead_of` is the place of a call that goes on in this one. `NoPlaceError` if there is
        none, and then the place is given back here as well.
        """
        if place in self._names or not self._store.shared:
            return
        self._named += 1
        name = f"{place.visitor} {self._process}-{self._named}"
        seconds = HELD_S if place.until == inf else place.until - time.monotonic()
        most, most_of_one = self._places.most, self._places.most_of_one
        taken = Taken.YES
        try:
            taken = await self._store.take(name, most, most_of_one, seconds, instead_of)
        except StoreLostError:
            log.debug("a place is counted here alone")
        if taken is Taken.YES:
            self._names[place] = name
            if self._beating is None or self._beating.done():
                self._beating = asyncio.create_task(self._beat())
            return
        self._places.give_back(place)
        if taken is Taken.SHARE_TAKEN:
            raise NoPlaceError(share(most_of_one), all_taken=False)
        raise NoPlaceError(full(most), all_taken=True)

    async def _beat(self) -> None:
        """As long as there is a place here, say so."""
        while self._names:
            await asyncio.sleep(BEAT_S)
            now = time.monotonic()
            self._names = {place: name for place, name in self._names.items() if place.until > now}
            held = [name for place, name in self._names.items() if place.until == inf]
            with suppress(StoreLostError):
                await self._store.hold(held, HELD_S)

    def _freed(self, place: Place) -> None:
        if name := self._names.pop(place, ""):
            task = asyncio.get_running_loop().create_task(self._free(name))
            self._freeing.add(task)
            task.add_done_callback(self._freeing.discard)

    async def _free(self, name: str) -> None:
        try:
            await self._store.free(name)
        except StoreLostError:  # it expires
            log.debug("a place could not be given back to all")
