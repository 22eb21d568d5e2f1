"""Replies, a clock, and a server's events by hand."""

from components.core.outputs import Complain, RunTool, Send
from components.core.replies import Replies
from components.protocol.errors import ServerError
from components.protocol.events import (
    ErrorEvent,
    Item,
    OutputItemDone,
    ResponseCreated,
    ResponseDone,
)
from components.protocol.usage import Usage

CROSSED = "conversation_already_has_active_response"
BUSY = ServerError(code="rate_limit_exceeded", message="Too fast.")
ASK, OUTPUT = "response.create", "conversation.item.create"


def created(response="r1"):
    return ResponseCreated(response)


def done(*items, response="r1", status="completed", error=None):
    return ResponseDone(response, status, items, error or ServerError(), Usage())


def function(number=1):
    return Item(f"i{number}", "tool", call_id=f"c{number}", name="clock", arguments="{}")


def item_done(item, response="r1"):
    return OutputItemDone(response, item)


def types(outputs):
    return [output.event["type"] for output in outputs if isinstance(output, Send)]


class Server:
    """Feeds replies as a session does: `ask` after everything else."""

    def __init__(self):
        self.replies = Replies()
        self.now = 0.0
        self.outputs = []

    def do(self, outputs=()):
        self.outputs += outputs
        self.outputs += self.replies.ask(self.now)

    def hears(self, *events):
        for event in events:
            if isinstance(event, ErrorEvent):
                self.do(self.replies.refused(event, self.now) or [])
            else:
                self.do(self.replies.receive(event, self.now))

    def wants(self):
        self.replies.want()
        self.do()

    def runs(self, number=1, output="3 PM"):
        self.do(self.replies.ran(f"c{number}", output))

    def waits(self, seconds):
        self.now += seconds
        self.replies.tick(self.now)
        self.do()

    def interrupts(self):
        """Whether a response had begun; what runs is cancelled."""
        begun = self.replies.interrupt()
        self.do(self.replies.cancel())
        return begun

    def refuses(self, code=CROSSED, event_id=None, message=""):
        event_id = self.last["event_id"] if event_id is None else event_id
        self.hears(ErrorEvent(ServerError(code=code, event_id=event_id, message=message)))

    @property
    def sent(self):
        return [output.event for output in self.outputs if isinstance(output, Send)]

    @property
    def last(self):
        return self.sent[-1]

    @property
    def types(self):
        return types(self.outputs)

    @property
    def calls(self):
        return [output for output in self.outputs if isinstance(output, RunTool)]

    @property
    def complaints(self):
        return [output for output in self.outputs if isinstance(output, Complain)]
