"""What passes over the socket to the Realtime server, for who keeps or writes it down."""

from dataclasses import dataclass
from typing import Literal, Protocol

from components.protocol.fields import Json

Direction = Literal["sent", "received"]


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An event as it is on the wire."""

    direction: Direction
    event: Json
    size: int
    """As JSON, in bytes."""
    at: float
    """Unix time, in seconds."""


class Record(Protocol):
    """Is told of every event but the microphone's sound."""

    def write(self, passed: WireEvent) -> None:
        """An event has passed; must not raise."""
