"""On which terms a call is made: whose key opens the socket, what the call may cost.

Rule: a key is in the headers of the socket and nowhere else; when the call ends it is let go.
"""

from collections.abc import Mapping

from components.access.visitor import identifier
from components.core.allowance import Limits
from components.protocol.addresses import headers, realtime_url
from components.protocol.prices import surcharge_at
from components.settings import Settings


class Terms:
    """Of one call."""

    def __init__(self, settings: Settings, visitor: str) -> None:
        """`visitor` is the address of who began."""
        self._base_url = settings.base_url
        self._key = settings.api_key
        self._visitor = visitor
        self.surcharge = surcharge_at(settings.base_url)
        """What the prices are multiplied by."""
        self.limits = Limits(
            call_s=settings.max_call_seconds,
            idle_s=settings.max_idle_seconds,
            cost=settings.max_call_cost,
        )

    def address(self, model: str) -> tuple[str, Mapping[str, str]]:
        """Of the server, and the headers that authorise a socket."""
        url = realtime_url(self._base_url, model)
        return url, headers(url, self._key, identifier(self._visitor, self._key))

    def end(self) -> None:
        """No socket is opened any more."""
        self._key = ""
