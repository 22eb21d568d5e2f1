"""What each turn of a call has used, by the server's own account.

Rule: what is used belongs to the turn in which its response or its sound began, however late the
report of it comes. Nothing that was reported is ever lost from the sum: the oldest turns become
one. `now` is in seconds of any steady clock.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from components.protocol.events import (
    BufferCommitted,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    TranscriptionDone,
)
from components.protocol.usage import Usage

MOST_ROWS: Final = 100
"""Turns that are kept apart, the newest ones."""
MOST_EARLIER_MODELS: Final = 5
"""Transcription models that are kept apart in what became one; others have no name, and so no
price."""
MOST_OPEN: Final = 64
"""Responses and sounds whose report is awaited; a server that never reports loses the oldest."""
EARLIER: Final = 0
"""The number under which the turns are that are no longer kept apart, and what came before all."""


@dataclass(slots=True)
class Spent:
    """One turn, by one transcription model; there is another one for each more."""

    turn: int
    """Of the call, from 1, or `EARLIER`."""
    transcription_model: str
    usage: Usage
    at: float
    """When the last of it was reported."""


class Spending:
    """Follows one call. It is told of what happens, and decides nothing."""

    def __init__(self) -> None:
        self.rows: list[Spent] = []
        """In the order of their turns."""
        self.revision = 0
        """Grows with every change."""
        self._transcription_model = ""
        self._begun_in: OrderedDict[str, int] = OrderedDict()
        """The turns of what is under way, by its id."""

    def receive(self, event: ServerEvent, turn: int, now: float) -> None:
        """A server event in this turn, 0 before the first."""
        match event:
            case SessionCreated(transcription_model=model):
                self._transcription_model = model
            case SessionUpdated(transcription_model=model):
                self._transcription_model = model
            case BufferCommitted(item_id=begun) | ResponseCreated(response_id=begun):
                self._begin(begun, turn)
            case ResponseDone(response_id=ended, usage=usage):
                self._add(self._begun_in.pop(ended, turn), usage, now)
            case TranscriptionDone(item_id=ended, usage=usage):
                self._add(self._begun_in.pop(ended, turn), usage, now)

    def _begin(self, begun: str, turn: int) -> None:
        self._begun_in[begun] = turn
        if len(self._begun_in) > MOST_OPEN:
            self._begun_in.popitem(last=False)

    def _add(self, turn: int, usage: Usage, now: float) -> None:
        self.revision += 1
        self._put(Spent(turn, self._transcription_model, usage, now))
        while len(self.rows) > MOST_ROWS:
            self._put(replace(self._oldest_apart(), turn=EARLIER))

    def _put(self, more: Spent) -> None:
        """Add to the row of the same turn and model, or to the rows."""
        same = self._like(more)
        earlier = sum(row.turn == EARLIER for row in self.rows)
        if same is None and more.turn == EARLIER and earlier >= MOST_EARLIER_MODELS:
            more.transcription_model = ""
            same = self._like(more)
        if same is None:
            self.rows.append(more)
            self.rows.sort(key=lambda row: row.turn)
        else:
            same.usage += more.usage
            same.at = max(same.at, more.at)

    def _like(self, one: Spent) -> Spent | None:
        key = (one.turn, one.transcription_model)
        return next((row for row in self.rows if (row.turn, row.transcription_model) == key), None)

    def _oldest_apart(self) -> Spent:
        place = next(n for n, row in enumerate(self.rows) if row.turn != EARLIER)
        return self.rows.pop(place)
