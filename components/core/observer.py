"""What is known of a call between a browser and the server, of which only the events are seen.

Rule: the same parts decide as in a call of our own. Nobody here has the sound, so the server's
`output_audio_buffer` events say when the assistant speaks, and words count as heard when they come.
"""

from dataclasses import dataclass

from components.core import conversation as talk
from components.core.allowance import Limits
from components.core.conversation import Assistant, Connection, Conversation, User
from components.core.dialogue import Dialogue
from components.core.outputs import Complain, Hangup, Output, Send, Show
from components.core.replies import Replies
from components.core.turns import ServerTurns
from components.protocol.events import (
    ErrorEvent,
    ItemTruncated,
    OutputBufferStarted,
    OutputBufferStopped,
    ResponseCreated,
    ServerEvent,
    SessionCreated,
    SpeechStarted,
    SpeechStopped,
    TranscriptDelta,
)
from components.protocol.failures import failure_of_error
from components.protocol.prices import Cost

SPENT = "This call has reached its cost limit. You can start another."


@dataclass(frozen=True, slots=True)
class Seen:
    """A watched call at one moment."""

    conversation: Conversation
    answer_s: float | None
    """From the end of the user's last words, as the server found it, to the answer's sound."""
    cost: Cost | None
    """So far; None if nobody knows the model's price."""


class Observer:
    """One watched call. Outputs are to be performed at once and in order, as those of a session."""

    def __init__(
        self,
        model: str,
        limits: Limits,
        surcharge: float = 1.0,
        past: Conversation | None = None,
    ) -> None:
        """The model's prices are multiplied by `surcharge`; `past` is what was said before, with
        which the call goes on."""
        self.reason = ""
        """Why it had to end; empty as long as it goes on, or if it has ended by itself."""
        self._dialogue = Dialogue(model, limits, past, surcharge)
        self._tells_past = bool(past and past.messages)
        """Whether the session is still to be told what was said before."""
        self._replies = Replies()
        self._turns = ServerTurns()
        self._connection = Connection.CONNECTING
        self._sounding = False
        self._asked_at: float | None = None
        """When the user's words ended that have no answer yet."""
        self._answer_s: float | None = None
        self._dialogue.states(self._connection, User.LISTENING, Assistant.IDLE)

    @property
    def over(self) -> bool:
        return self._connection is Connection.ENDED

    @property
    def seen(self) -> Seen:
        """All that is known now."""
        return Seen(self._dialogue.conversation, self._answer_s, self._dialogue.cost)

    @property
    def dialogue(self) -> Dialogue:
        """Messages, and what may end the call."""
        return self._dialogue

    def begin(self, now: float) -> list[Output]:
        """The server has taken the call."""
        self._dialogue.begin(now)
        self._dialogue.archive(frozenset())
        return self._finish([], now)

    def receive(self, event: ServerEvent, now: float) -> list[Output]:
        """A server event."""
        if self.over:
            return []
        if isinstance(event, ResponseCreated) and self._dialogue.spent:
            # The last answer that was paid for has been heard.
            return self.end(self._dialogue.last_words or SPENT)
        outputs: list[Output] = []
        if isinstance(event, ErrorEvent):
            refused = self._replies.refused(event, now)
            outputs += [Complain(failure_of_error(event.error))] if refused is None else refused
        self._turns.receive(event)
        outputs += self._replies.receive(event, now)
        self._dialogue.receive(event)
        if isinstance(event, SessionCreated):
            outputs += self._remind()
        self._notice(event, now)
        return self._finish(outputs, now)

    def ran(self, call_id: str, output: str, now: float) -> list[Output]:
        """A function has run (`RunTool`); `output` is what the model is told."""
        if self.over:
            return []
        return self._finish(self._replies.ran(call_id, output), now)

    def tick(self, now: float, attached: bool) -> list[Output]:
        """Time has passed; where nobody is attached to the call, it may be that somebody speaks."""
        if self.over:
            return []
        if not attached:
            self._dialogue.active()
        self._replies.tick(now)
        if sentence := self._dialogue.tick(now):
            return self.end(sentence)
        return self._finish([], now)

    def end(self, reason: str = "") -> list[Output]:
        """The call is over: it has ended by itself, or has to, for a reason."""
        if self.over:
            return []
        self.reason = reason
        self._connection = Connection.ENDED
        self._dialogue.end(self._connection, reason)
        return [*self._shown(), Hangup()]

    def _remind(self) -> list[Output]:
        """Tell the session, once, what was said before: ahead of all that is said in it already."""
        if not self._tells_past:
            return []
        self._tells_past = False
        outputs: list[Output] = []
        previous = "root"
        for event in self._dialogue.replay():
            outputs.append(Send({**event, "previous_item_id": previous}))
            previous = event["item"]["id"]
        return outputs

    def _notice(self, event: ServerEvent, now: float) -> None:
        """What the events of the connection, of sound and of words say."""
        match event:
            case SessionCreated():  # on another socket: what the last one missed is unknown
                self._connection = Connection.CONNECTED
                self._sounding = False
                self._replies.reattached()
                self._turns.drop()
            case SpeechStarted():
                self._asked_at = None
            case SpeechStopped():
                self._asked_at = now
            case OutputBufferStarted():
                self._sounding = True
                if self._asked_at is not None:
                    self._answer_s, self._asked_at = now - self._asked_at, None
            case OutputBufferStopped():
                self._sounding = False
            case TranscriptDelta(item_id=item_id):
                self._all_heard(item_id)
            case ItemTruncated(item_id):
                self._all_heard(item_id)
                self._dialogue.interrupt(item_id)

    def _all_heard(self, item_id: str) -> None:
        message = self._dialogue.conversation.message(item_id)
        if message is not None:
            self._dialogue.conversation = talk.heard_up_to(
                self._dialogue.conversation, item_id, len(message.text)
            )

    def _finish(self, outputs: list[Output], now: float) -> list[Output]:
        if not self._dialogue.spent:
            outputs += self._replies.ask(now)
        self._dialogue.time(now)
        told, fatal = self._dialogue.judge(outputs)
        if fatal:
            return [*told, *self.end(fatal)]
        user = User.SPEAKING if self._turns.speaking else User.LISTENING
        self._dialogue.states(self._connection, user, self._assistant)
        return [*told, *self._shown()]

    @property
    def _assistant(self) -> Assistant:
        if self._sounding:
            return Assistant.SPEAKING
        return Assistant.THINKING if self._replies.thinking else Assistant.IDLE

    def _shown(self) -> list[Output]:
        conversation = self._dialogue.show()
        return [] if conversation is None else [Show(conversation)]
