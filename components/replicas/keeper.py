"""What is kept of calls for other replicas, by the keys of their tabs.

Rule: while the store is lost nothing is known of others, and what was to be kept is kept later.
"""

import logging
from typing import Final

from components.replicas.kept import Kept, name_of, opened, sealed
from components.replicas.store import Store

log = logging.getLogger(__name__)

KEPT_S: Final = 30 * 60.0
"""As long as a replica remembers an ended call itself."""


class Keeper:
    """Of one replica; each method may raise `StoreLostError`."""

    def __init__(self, store: Store, process: str) -> None:
        """`process` is a name that no other replica has."""
        self._store = store
        self._process = process

    async def claim(self, key: str) -> Kept | None:
        """What is kept of a tab, which is this replica's from now on."""
        value = await self._store.claim(name_of(key), self._process, KEPT_S)
        return opened(value, key) if value else None

    async def read(self, key: str) -> Kept | None:
        """What is kept of a tab."""
        value = await self._store.read(name_of(key))
        return opened(value, key) if value else None

    async def keep(self, key: str, kept: Kept) -> bool:
        """False, and nothing kept, if another replica has claimed the tab since."""
        return await self._store.put(name_of(key), self._process, sealed(kept, key), KEPT_S)

    async def drop(self, key: str) -> None:
        """Forget the tab."""
        await self._store.drop(name_of(key))
