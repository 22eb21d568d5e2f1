"""What a server says went wrong: the error of an event, of a failed response, of a refused request.

Rule: what is missing or no text is empty; a server that leaves the code out is known by its words.
"""

from dataclasses import dataclass
from typing import Final

from components.protocol.fields import Json, text

MOST_READ: Final = 2000
"""Characters of a server's words that are looked at; searching through megabytes takes long."""

_OVERLOAD: Final = frozenset(
    ("rate_limit_exceeded", "rate_limit_error", "inference_rate_limit_exceeded")
)
_ANOTHER_RESPONSE: Final = "conversation_already_has_active_response"


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error object of the Realtime API."""

    code: str = ""
    type: str = ""
    message: str = ""
    param: str = ""
    event_id: str = ""
    """The client event that caused it, if the server says so."""

    @property
    def is_overload(self) -> bool:
        """Whether there were too many requests, so that the same one may succeed later."""
        return self.code in _OVERLOAD or self.type in _OVERLOAD

    @property
    def is_expiry(self) -> bool:
        """Whether the session has reached its greatest age."""
        return self.code == "session_expired"

    @property
    def names_another_response(self) -> bool:
        """Whether a response was refused because one is under way."""
        if self.code:
            return self.code == _ANOTHER_RESPONSE
        return "already has an active response" in self.message[:300]

    @property
    def close_reason(self) -> str:
        """The reason with which the API closes a socket after this error: `<type>.<code>`."""
        return f"{self.type}.{self.code}"


def server_error(error: Json) -> ServerError:
    """The error in an error object as it was received."""
    names = ("code", "type", "message", "param", "event_id")
    return ServerError(*(text(error, name)[:MOST_READ] for name in names))
