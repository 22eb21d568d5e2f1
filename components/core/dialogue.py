"""What is said in a call and said about it: messages, usage, limits, notices, and how it ends.

Rule: the same for every route. It is told who speaks, and does not decide it.
"""

from dataclasses import replace
from typing import Final

from components.core import conversation as talk
from components.core.allowance import Allowance, Limits
from components.core.conversation import Assistant, Connection, Conversation, Status, User
from components.core.history import replay, sent_as
from components.core.notices import Notices, Subject
from components.core.outputs import Complain, Output
from components.core.transcript import reduce
from components.protocol.events import (
    AudioDelta,
    AudioDone,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    TranscriptionDone,
    Words,
)
from components.protocol.failures import Failure, Severity
from components.protocol.fields import Json
from components.protocol.images import Image
from components.protocol.prices import Cost, cost
from components.protocol.usage import Usage

RENEWED: Final = "session renewed"
RECONNECTED: Final = "reconnected"
_OVER: Final = (Connection.FAILED, Connection.ENDED)
"""In these a goodbye stands, whatever else there is to say."""


class Dialogue:
    """One call's conversation, and what may end it."""

    def __init__(
        self,
        model: str,
        limits: Limits,
        past: Conversation | None = None,
        surcharge: float = 1.0,
    ) -> None:
        """`past` is what was said in an earlier call, which this one goes on with; the model's
        prices are multiplied by `surcharge`."""
        self.conversation = Conversation()
        self.complaint = ""
        """What the server has last complained of, until a response begins."""
        self.cost: Cost | None = cost(Usage(), model, "")
        """So far; None if nobody knows the model's price."""
        self._model = model
        self._transcription_model = ""
        self._surcharge = surcharge
        self._allowance = Allowance(limits)
        self._notices = Notices()
        self._active = False
        self._ids = 0
        if past:
            self.conversation = replace(self.conversation, messages=talk.settle(past).messages)
            self.note("continued")
        self._shown = self._timed = self.conversation

    @property
    def last_words(self) -> str:
        """Why the call must end though none of its own limits is reached; empty if it need not."""
        return self._allowance.last_words

    @property
    def spent(self) -> bool:
        """Whether the call has cost all that it may: no more responses."""
        return self._allowance.spent

    @property
    def counted(self) -> float:
        """What the call has cost here, in US dollars, as it counts towards a limit."""
        return self._allowance.counted

    def answer_no_more(self, why: str) -> None:
        """The call ends after the answer under way; `why` is the sentence that says so."""
        self._allowance.answer_no_more(why)

    @property
    def capped(self) -> float | None:
        """What the user has limited the cost of the call to, in US dollars."""
        return self._allowance.capped

    # What happens.

    def begin(self, now: float) -> None:
        """The call stands, or stands again."""
        self._allowance.begin(now)

    def active(self) -> None:
        """Somebody has typed or pressed something."""
        self._active = True

    def cap(self, dollars: object) -> str:
        """The user limits what the call may cost: why that cannot be; empty if it is so."""
        self._active = True
        return self._allowance.cap(dollars, self.cost)

    def receive(self, event: ServerEvent) -> None:
        """A server event that does not come too late."""
        match event:
            case SessionCreated(notes=notes, transcription_model=model):
                self._transcription_model = model
                if notes:
                    self._notices.tell(Subject.HINT, notes)
            case SessionUpdated(transcription_model=model):
                self._transcription_model = model
            case ResponseCreated():
                self._withdraw_complaint()
            case ResponseDone(usage=usage):
                self._spend(usage, answer=True)
            case TranscriptionDone(usage=usage):
                self._spend(usage, answer=False)
        self.conversation = reduce(self.conversation, event)

    def is_interrupted(self, event: ServerEvent) -> bool:
        """Whether these are words or sound of a message that the user has spoken over."""
        if not isinstance(event, Words | AudioDelta | AudioDone):
            return False
        message = self.conversation.message(event.item_id)
        return message is not None and message.status is Status.INTERRUPTED

    def tick(self, now: float) -> str:
        """Time has passed: why the call must end now; empty if it may go on."""
        conversation = self.conversation
        speaking = conversation.assistant is Assistant.SPEAKING
        if self._active or speaking or conversation.user is User.SPEAKING:
            self._allowance.active(now)
            self._active = False
        verdict = self._allowance.verdict(now, conversation.assistant is not Assistant.IDLE)
        if verdict and verdict.over:
            return verdict.sentence
        self._notices.tell(Subject.ENDING, verdict.sentence if verdict else "")
        return ""

    def time(self, now: float) -> None:
        """Note when each message came, and when it last said more."""
        if self.conversation.messages is not self._timed.messages:
            self.conversation = talk.timed(self.conversation, self._timed, now)
            self._timed = self.conversation

    # What is told.

    def tell(self, subject: Subject, sentence: str) -> None:
        """What there is to say on a subject now; nothing, if it is empty."""
        self._notices.tell(subject, sentence)

    def complain(self, failure: Failure, instead: str = "") -> bool:
        """The server has refused or failed something; whether the call cannot go on."""
        if failure.severity is Severity.BENIGN:
            return False
        self.complaint = failure.sentence
        self._notices.tell(Subject.COMPLAINT, instead or failure.sentence)
        return failure.severity is Severity.PERMANENT

    def judge(self, outputs: list[Output]) -> tuple[list[Output], str]:
        """The outputs without complaints, which are told; and why the call cannot go on, if one of
        them says so: what came after that one is dropped."""
        kept: list[Output] = []
        for output in outputs:
            if not isinstance(output, Complain):
                kept.append(output)
            elif self.complain(output.failure, output.instead):
                return kept, output.failure.sentence
        return kept, ""

    def clear_notices(self) -> None:
        """Nothing said so far holds any more."""
        self._notices.clear()

    def states(self, connection: Connection, user: User, assistant: Assistant) -> None:
        """What the three sides do now."""
        now = self.conversation
        if (now.connection, now.user, now.assistant) != (connection, user, assistant):
            self.conversation = replace(now, connection=connection, user=user, assistant=assistant)

    def end(self, connection: Connection, sentence: str) -> None:
        """The call is over; `sentence` says why, if there is something to say."""
        if connection is Connection.FAILED:
            self.conversation = talk.lose(self.conversation)
        self.conversation = talk.settle(self.conversation)
        self.conversation = replace(
            self.conversation,
            connection=connection,
            user=User.LISTENING,
            assistant=Assistant.IDLE,
            notice=sentence,
        )

    def show(self) -> Conversation | None:
        """The conversation, if it has changed since the last time."""
        conversation, notice = self.conversation, self._notices.sentence
        if conversation.notice != notice and conversation.connection not in _OVER:
            self.conversation = replace(conversation, notice=notice)
        if self.conversation is self._shown or self.conversation == self._shown:
            return None
        self._shown = self.conversation
        return self.conversation

    # Messages of our own, and what becomes of the server's.

    def typed(self, line: str, image: Image | None = None) -> str:
        """The user has typed a line, or shown an image: the id of its item."""
        item_id = self._new_id("item_typed")
        self.conversation = talk.typed(self.conversation, item_id, line, image)
        return item_id

    def refuse_image(self, item_id: str) -> None:
        """The server has refused this item: an image of it is not sent to another session."""
        self.conversation = talk.without_image(self.conversation, item_id)

    def refuse_images(self) -> None:
        """The server takes no messages as long as an image: none is sent to another session."""
        self.conversation = talk.without_images(self.conversation)

    def note(self, words: str) -> None:
        """Mark where what was said before ends and something new begins."""
        self.conversation = talk.note(self.conversation, self._new_id("note"), words)

    def interrupt(self, item_id: str) -> None:
        """The user has spoken over this message."""
        self.conversation = talk.interrupt(self.conversation, item_id)

    def interrupt_streaming(self) -> None:
        """The user has spoken over replies without sound, or whose sound has not come yet."""
        for message in self.conversation.messages:
            if message.role == "assistant" and message.status is Status.STREAMING:
                self.interrupt(message.item_id)

    def lose(self) -> None:
        """The connection has broken: words that were still to come never will."""
        self.conversation = talk.lose(self.conversation)

    def archive(self, sounding: frozenset[str]) -> None:
        """Another session of the server: what was said so far gets ids that it cannot use."""
        self.conversation = talk.archive(self.conversation, sounding)

    def replay(self) -> list[Json]:
        """What a new session has to be told of what was said, oldest first."""
        events = replay(self.conversation)
        sent = {event["item"]["id"]: sent_as(event) for event in events}
        self.conversation = talk.replayed(self.conversation, sent)
        return events

    def _spend(self, usage: Usage, answer: bool) -> None:
        """Each report at the price of the models that are in use when it comes."""
        more = cost(usage, self._model, self._transcription_model, self._surcharge)
        self.cost = None if self.cost is None or more is None else self.cost + more
        self._allowance.spend(self.cost, answer)

    def _withdraw_complaint(self) -> None:
        self.complaint = ""
        self._notices.tell(Subject.COMPLAINT, "")
        self._notices.tell(Subject.HINT, "")

    def _new_id(self, purpose: str) -> str:
        """An id that no message has, not even one of an earlier call."""
        while True:
            self._ids += 1
            item_id = f"{purpose}_{self._ids}"
            if self.conversation.message(item_id) is None:
                return item_id
