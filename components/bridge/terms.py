"""On which terms a call is made: whose key opens the socket, what the call may cost.

Rule: a key is in the headers of the socket and nowhere else; when the call ends it is let go. What
a visitor's own key pays for is no business of the owner's limit of cost; the limits of time are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.access.visitor import identifier
from components.core.allowance import Limits
from components.protocol.addresses import headers, realtime_url
from components.protocol.failures import Failure, of_own_key
from components.protocol.prices import surcharge_at
from components.settings import Settings

_KEY: Final = re.compile(r"[!-~]{20,400}")
"""No provider's key has spaces; headers take nothing but these."""
NO_KEY: Final = (
    "That is no key: it has no spaces, and 20 characters or more. Copy it again from your provider."
)
NOT_HERE: Final = (
    "The practice server takes no key. Take it out of the settings, then start the call again."
)


class OwnKeyError(Exception):
    """A visitor's key cannot be used; the text is a sentence for him, without the key."""


def own_key(value: Any, settings: Settings) -> str:
    """The key that a visitor has brought along; empty if he has none, `OwnKeyError` if it is no
    key, or of no use."""
    if value in (None, ""):
        return ""
    if settings.practice:
        raise OwnKeyError(NOT_HERE)
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise OwnKeyError(NO_KEY)
    return value


@dataclass(frozen=True, slots=True)
class Used:
    """What a call has used of what is limited."""

    seconds: float = 0.0
    cost: float = 0.0
    """US dollars, as they count towards a limit."""

    def __add__(self, more: "Used") -> "Used":
        return Used(self.seconds + more.seconds, self.cost + more.cost)


NOTHING: Final = Used()


class Terms:
    """Of one call."""

    def __init__(
        self, settings: Settings, visitor: str, key: str = "", used: Used = NOTHING
    ) -> None:
        """`visitor` is the address of who began, `key` his own, if he has brought one; `used` what
        the call has used before it came here, from another replica of the app."""
        self._base_url = settings.base_url
        self._key = key or settings.api_key
        self.keys = tuple(filter(None, (key, settings.api_key)))
        """What nothing but the head of a socket may hold."""
        self.own = bool(key)
        """Whether the visitor pays."""
        self.visitor = visitor
        self.used = used
        self.surcharge = surcharge_at(settings.base_url)
        """What the prices are multiplied by."""
        self.limits = Limits(
            call_s=settings.max_call_seconds,
            idle_s=settings.max_idle_seconds,
            cost=0.0 if key else settings.max_call_cost,
            used_s=used.seconds,
            used_cost=used.cost,
        )

    def address(self, model: str) -> tuple[str, Mapping[str, str]]:
        """Of the server, and the headers that authorise a socket."""
        url = realtime_url(self._base_url, model)
        # Who pays for himself is known to his provider.
        name = "" if self.own else identifier(self.visitor, self._key)
        return url, headers(url, self._key, name)

    def judge(self, failure: Failure) -> Failure:
        """A failure, for who has brought his own key and cannot change the app's."""
        return of_own_key(failure) if self.own else failure

    def end(self) -> None:
        """No socket is opened any more."""
        self._key = ""
        self.keys = ()
