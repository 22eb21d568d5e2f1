"""A link without a network: its clock, and the server's lines by hand."""

from components.core.link import (
    Link,
)
from components.core.outputs import Complain, Send
from components.protocol.errors import ServerError
from components.protocol.events import ErrorEvent, SessionCreated, SessionUpdated
from components.protocol.options import Refused
from tests.dialogue import UNIX_S, only, options
from tests.wire import validate_client_event

CREATED = SessionCreated(None, "")
UPDATED = SessionUpdated(None, interrupts=True)


class Wire:
    """A link, its clock, and the server's lines by hand."""

    def __init__(self, refused=None, **changes):
        self.link = Link(options(**changes), chance=lambda: 1.0, refused=refused or Refused())
        self.now = 100.0

    def opened(self):
        return self.link.opened(self.now, UNIX_S + self.now)

    def receive(self, event):
        return self.link.receive(event, self.now)

    def ready(self):
        """The session stands; the update that it was asked for."""
        update = sent(self.opened())
        assert self.receive(CREATED) == []
        assert self.receive(UPDATED) == []
        assert self.link.ready
        return update

    def refuse(self, event=None, param="", message="No.", code=""):
        event_id = event["event_id"] if event else ""
        error = ServerError(code, "invalid_request_error", message, param, event_id)
        return self.link.refuses(ErrorEvent(error))

    def change(self, **changes):
        return self.link.change(options(**changes))


def sent(outputs):
    """The one event that is sent, judged by the SDK."""
    output = only(outputs)
    assert isinstance(output, Send)
    validate_client_event(output.event)
    return output.event


def complaint(outputs):
    output = only(outputs)
    assert isinstance(output, Complain)
    return output
