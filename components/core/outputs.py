"""What a session tells its shell to do.

Rule: the outputs that a method of the session returns are performed at once and in order.
"""

from dataclasses import dataclass

from components.core.conversation import Conversation
from components.protocol.fields import Event


@dataclass(frozen=True, slots=True)
class Send:
    """Send a client event."""

    event: Event


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Append microphone audio."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Empty every queue between the session and the listener's ear."""


@dataclass(frozen=True, slots=True)
class Show:
    """The conversation has changed."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Close the socket, if there is one; after a pause open another, then call `connected`, or
    `lost` again."""

    pause_s: float


@dataclass(frozen=True, slots=True)
class Renew:
    """Open another socket beside this one; when it stands, close this one and call `connected`."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The call is over: close the socket, free everything. Always the last output."""


Output = Send | SendAudio | StopPlayback | Show | Reconnect | Renew | Hangup
