"""What a session tells its shell to do.

Rule: the outputs that a method of the session returns are performed at once and in order.
`Complain` alone stays inside the core: the part that meets a failure hands it to the session.
"""

from dataclasses import dataclass

from components.core.conversation import Conversation
from components.protocol.failures import Failure
from components.protocol.fields import Json


@dataclass(frozen=True, slots=True)
class Send:
    """Send a client event."""

    event: Json


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
class RunTool:
    """Run this function, then tell the session by `ran`."""

    call_id: str
    name: str
    arguments: str
    """A JSON object, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Complain:
    """The server has refused or failed something."""

    failure: Failure
    instead: str = ""
    """What to show in the place of the failure's own sentence."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The call is over: close the socket, free everything. Always the last output."""


Output = Send | SendAudio | StopPlayback | Show | Reconnect | Renew | RunTool | Complain | Hangup
