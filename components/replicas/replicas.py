"""This process as one of several replicas, or as the only one."""

import secrets

from components.core.places import NoPlaceError, Place, Places
from components.replicas.keeper import Keeper
from components.replicas.places import SharedPlaces
from components.replicas.purse import Purse
from components.replicas.redis_store import RedisStore
from components.replicas.store import MemoryStore, Store
from components.settings import MEMORY, Settings


class Replicas:
    """What the routes of a call ask of the other replicas, and tell them."""

    def __init__(self, places: Places, store: Store | None = None, visitor_cost: float = 0) -> None:
        """`places` are those of this process; `visitor_cost` is what one visitor may cost in a
        day, in US dollars, 0 for no limit."""
        store = store or MemoryStore()
        process = secrets.token_hex(8)
        self.are_many = store.shared
        self.close = store.close
        self.places = SharedPlaces(places, store, process)
        self.purse = Purse(visitor_cost, store)
        self.keeper = Keeper(store, process)

    async def admit(
        self, place: Place, *, visitor_pays: bool = False, instead_of: str = ""
    ) -> None:
        """Have a place counted for all; `NoPlaceError` if there is none, or its visitor has cost
        what he may, unless he pays for this call. `instead_of` is the place that it had elsewhere.
        """
        if not visitor_pays and await self.purse.left(place.visitor) <= 0:
            raise NoPlaceError(self.purse.empty, all_taken=False)
        await self.places.confirm(place, instead_of)


def replicas_of(settings: Settings, places: Places) -> Replicas:
    """As the settings say; `SettingsError` if what is shared cannot be used."""
    uri = settings.replica_storage
    store = None if uri == MEMORY else RedisStore(uri)
    return Replicas(places, store, settings.max_visitor_cost)
