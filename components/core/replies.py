"""Which response is wanted, under way, or no longer wanted; and which one is owed for functions.

Rule: one response at a time. A second one is refused by the API, so it is asked for when the first
has ended. Turn detection begins responses by itself, and the response owed for the outputs of
functions waits until the user has not the word: the server then answers the user, knowing them.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from components.core.functions import Functions
from components.core.outputs import Complain, Output, Send
from components.protocol.errors import ServerError
from components.protocol.events import (
    AudioDelta,
    AudioDone,
    BufferCleared,
    ErrorEvent,
    ItemAdded,
    ItemDone,
    OutputItemDone,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    TextDone,
    TranscriptDelta,
    TranscriptDone,
)
from components.protocol.failures import failure_of_error
from components.protocol.rate_limits import PAUSE_S

BEGIN_LIMIT_S: Final = 10.0
"""A response that was asked for and has not begun by then will not come."""
MOST_REPEATS: Final = 2
"""A response that fails is asked for again, so many times in a row."""
MOST_UNWANTED: Final = 64
"""Responses that are remembered as unwanted; a server that never ends one loses the oldest."""

_OF_A_RESPONSE: Final = (
    AudioDelta,
    TranscriptDelta,
    TextDelta,
    AudioDone,
    TranscriptDone,
    TextDone,
    OutputItemDone,
)
"""Sound and words of a response, which may come too late."""


@dataclass(slots=True)
class _Response:
    id: str = ""
    """Empty until it has begun."""
    request: str = ""
    """`event_id` of our `response.create`; empty if turn detection begins it."""
    until: float | None = None
    """When to give up waiting for it to begin; None once it has begun."""
    unwanted: bool = False
    """The user has moved on: what it still brings is neither played nor shown."""
    cancelled: bool = False
    """The server has been told so."""


class Replies:
    """Told of what the server does and the user wants; says what to do about it.

    `ask` is to be called after everything else that happened at a moment.
    """

    def __init__(self) -> None:
        self._current: _Response | None = None
        self._wanted = False
        self._again_at: float | None = None
        self._repeats = 0
        self._unwanted: dict[str, None] = {}
        self._functions = Functions()
        self._word_until = 0.0
        """To when the user has the word, and no response is owed to anyone else."""
        self._pause_s = PAUSE_S
        self._ids = 0

    @property
    def thinking(self) -> bool:
        """Whether an answer is on its way that the user still wants."""
        if self._current is not None:
            return not self._current.unwanted
        return self._functions.pending

    @property
    def busy(self) -> bool:
        """Whether a response is under way, asked for or owed, wanted or not."""
        waiting = self._wanted or self._again_at is not None or self._functions.pending
        return waiting or self._current is not None

    def is_late(self, event: ServerEvent) -> bool:
        """Whether the event belongs to a response that the user has already stopped.

        That an item is there is never late, as it has its place in the transcript; nor is a call.
        """
        if not self._unwanted or (isinstance(event, OutputItemDone) and event.item.role == "tool"):
            return False
        return isinstance(event, _OF_A_RESPONSE) and event.response_id in self._unwanted

    def receive(self, event: ServerEvent, now: float) -> list[Output]:
        """What a server event means for the responses; an error is for `refused`."""
        match event:
            case SpeechStarted():
                self.take_word()
            case SpeechStopped():
                self._word_until = now + BEGIN_LIMIT_S
                self._expect(now)
            case BufferCleared():
                self.give_word()
            case ResponseCreated(response_id):
                return self._created(response_id)
            case ItemAdded(item) | ItemDone(item):
                self._functions.remote(item, done=isinstance(event, ItemDone))
            case OutputItemDone(_, item):
                return self._functions.call([item])
            case ResponseDone():
                return self._done(event, now)
            case RateLimitsUpdated(pause_s):
                self._pause_s = pause_s
        return []

    def refused(self, event: ErrorEvent, now: float) -> list[Output] | None:
        """What an error means that is about our request of a response; None if it is not."""
        error = event.error
        current = self._current
        if current is None or not current.request:
            return None
        # A server that names no event can mean only the request by naming another response.
        named = error.event_id == current.request
        if not named and (error.event_id or not error.names_another_response):
            return None
        self._current = None
        if error.names_another_response:
            # It may have begun already, and been taken for the one that was asked for.
            until = None if current.id else now + BEGIN_LIMIT_S
            self._current = _Response(id=current.id, until=until)
            self._wanted = self._wanted or not current.unwanted
        if current.unwanted:
            return None
        return self._complain_or_repeat(error, now)

    def take_word(self) -> None:
        """The user begins to speak: what is owed waits."""
        self._word_until = inf

    def give_word(self) -> None:
        """The user has said nothing after all."""
        self._word_until = 0.0

    def want(self) -> None:
        """Something was said that has to be answered, whenever the server is free."""
        self._drop_wishes()
        self._wanted = True

    def ask(self, now: float) -> list[Output]:
        """Ask for a response, if one is wanted or owed and nothing stands against it."""
        owed = self._functions.owed and now >= self._word_until
        if self._current is not None or not (self._wanted or owed):
            return []
        self._wanted = self._functions.owed = False
        event_id = self._id("response")
        self._current = _Response(request=event_id, until=now + BEGIN_LIMIT_S)
        return [Send({"type": "response.create", "event_id": event_id})]

    def interrupt(self) -> bool:
        """The user speaks: what is under way is not wanted, what was only expected never comes.

        Whether a response had begun.
        """
        self._drop_wishes()
        if self._current is None:
            return False
        if not self._current.id and not self._current.request:
            self._current = None
            return False
        self._current.unwanted = True
        if self._current.id:
            self._forget(self._current.id)
        return bool(self._current.id)

    def release(self) -> None:
        """The user wants silence: what functions still find out is not to be told by itself."""
        self._functions.release()

    def cancel(self) -> list[Output]:
        """Cancel what runs unwanted, once; what is only asked for is cancelled when it begins."""
        current = self._current
        if current is None or not current.unwanted or not current.id or current.cancelled:
            return []
        current.cancelled = True
        event_id = self._id("cancel")
        event = {
            "type": "response.cancel",
            "event_id": event_id,
            "response_id": current.id,
        }
        return [Send(event)]

    def ran(self, call_id: str, output: str) -> list[Output]:
        """A function has run; `output` is what the model is told."""
        return self._functions.ran(call_id, output)

    def tick(self, now: float) -> None:
        """Stop waiting for a response that has not begun in time, or to ask for one again."""
        if self._current and self._current.until is not None and now >= self._current.until:
            self._current = None
        if self._again_at is not None and now >= self._again_at:
            self._again_at = None
            self._wanted = True

    def reset(self) -> None:
        """Another session of the server, which knows of none of them."""
        self._current = None
        self._drop_wishes()
        self._unwanted.clear()
        self._functions = Functions()
        self.give_word()

    def reattached(self) -> None:
        """The same session, of which some events were missed: nobody knows what is under way."""
        self._current = None
        self.give_word()

    def _expect(self, now: float) -> None:
        """The user has stopped speaking: turn detection will begin a response."""
        if self._current is None:
            self._current = _Response(until=now + BEGIN_LIMIT_S)

    def _created(self, response_id: str) -> list[Output]:
        """A response has begun; it knows all outputs sent so far."""
        self.give_word()
        self._functions.owed = False
        if self._current is None or self._current.id:
            self._current = _Response()
        self._current.id = response_id
        self._current.until = None
        self._unwanted.pop(response_id, None)
        if self._current.unwanted:
            self._forget(response_id)
        return self.cancel()

    def _done(self, event: ResponseDone, now: float) -> list[Output]:
        """A response has ended; one may end that never began, around an interruption."""
        cut_off = event.status in ("cancelled", "failed")
        outputs = [] if cut_off else self._functions.call(event.output)
        self._functions.response_ended(cut_off)
        awaited = self._ended(event.response_id)
        if event.status == "failed":
            if awaited:
                return [*outputs, *self._complain_or_repeat(event.error, now)]
            return [*outputs, Complain(failure_of_error(event.error))]
        if event.status == "completed":
            self._repeats = 0
        return outputs

    def _ended(self, response_id: str) -> bool:
        """Whether the response that has ended was the one that the user waits for."""
        self._unwanted.pop(response_id, None)
        current = self._current
        if current is None or (response_id and current.id not in ("", response_id)):
            return False
        self._current = None
        return not current.unwanted

    def _complain_or_repeat(self, error: ServerError, now: float) -> list[Output]:
        """The response that the user waits for did not come, or not whole.

        A server that had no room for it is asked once more, not before it has room again. What the
        user says meanwhile takes its place.
        """
        failure = failure_of_error(error)
        if not error.is_overload or self._repeats >= MOST_REPEATS:
            return [Complain(failure)]
        self._repeats += 1
        self._again_at = now + self._pause_s
        sentence = (
            f"The server is busy. The answer is asked for again in {self._pause_s:.0f} seconds."
        )
        return [Complain(failure, sentence)]

    def _drop_wishes(self) -> None:
        self._wanted = False
        self._again_at = None
        self._repeats = 0

    def _forget(self, response_id: str) -> None:
        self._unwanted[response_id] = None
        if len(self._unwanted) > MOST_UNWANTED:
            del self._unwanted[next(iter(self._unwanted))]

    def _id(self, purpose: str) -> str:
        """An id of our own: the server's errors come back with it."""
        self._ids += 1
        return f"{purpose}_{self._ids}"
