"""Events that a person has written by hand, on their way to the server.

Rule: only a page that nobody but this machine can open may send any; none holds a key. Whatever
becomes of one, the page is told so.
"""

from collections.abc import Callable
from typing import Any, Final

from components.bridge.terms import Terms
from components.protocol.fields import Json
from components.protocol.raw_events import raw_event
from components.settings import Settings

NOT_HERE: Final = "Only a page that nobody but this machine can open may send events."
NO_SOCKET: Final = "There is no connection to the server just now. Nothing was sent."


def may_send_raw(settings: Settings) -> bool:
    """Whether pages of this app may."""
    return not settings.reachable and "events" in settings.visitors_may


class RawEvents:
    """Of one call."""

    def __init__(self, settings: Settings, terms: Terms, send: Callable[[Json], bool]) -> None:
        """`send` sends an event, and answers whether there was a socket for it."""
        self._allowed = may_send_raw(settings)
        self._terms = terms
        self._send = send
        self._count = 0

    def send(self, text: str) -> dict[str, Any]:
        """Send an event: its number, for the page, and why it was not sent, or nothing."""
        self._count += 1
        return {"number": self._count, "problem": self._problem(text)}

    def _problem(self, text: str) -> str:
        if not self._allowed:
            return NOT_HERE
        try:
            event = raw_event(text, f"raw_{self._count}", self._terms.keys)
        except ValueError as problem:
            return str(problem)
        return "" if self._send(event) else NO_SOCKET
