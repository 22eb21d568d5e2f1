"""When each step of a turn happened, from the last sound of a voice to the first of the answer.

Rule: a step that was not seen is missing, and none is later than the one after it in `STEPS`. All
times are seconds of the clock that `now` is read from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from types import MappingProxyType
from typing import Final, Literal

from components.protocol.events import (
    AudioDelta,
    BufferCommitted,
    ResponseCreated,
    ServerEvent,
    SpeechStopped,
    TextDelta,
    TranscriptDelta,
)

MOST_TURNS: Final = 500
"""Of one call that are kept, the newest ones."""
VOICE_ABOVE_FLOOR_DB: Final = 12.0
"""A frame so much louder than the room is a voice."""
QUIETEST_VOICE_DBFS: Final = -55.0
"""On either side; what is fainter is no sound of it."""
NO_ROOM_DBFS: Final = -80.0
"""So quiet is a microphone that is off or muted; it says nothing of the room."""
FLOOR_RISE_DB: Final = 0.02
"""In each frame: one decibel a second, so that a voice does not pass for the room."""

Kind = Literal["spoken", "held", "typed"]


class Step(StrEnum):
    """What happens between a question and its answer, in this order."""

    DETECTED = "detected"
    """The server has found the end of the voice."""
    COMMITTED = "committed"
    """The turn is in the conversation."""
    CREATED = "created"
    """The response has begun."""
    TOKEN = "token"
    """The first word or sound of it is here."""
    AUDIO = "audio"
    """The first sound of it is here."""
    SENT = "sent"
    """The first of it that can be heard is on its way to the browser."""
    HEARD = "heard"
    """The browser plays that."""


STEPS: Final = tuple(Step)

WAITED_FOR: Final[Mapping[Step, str]] = MappingProxyType(
    {
        Step.DETECTED: "turn detection waited, to be sure that you had finished",
        Step.COMMITTED: "the server took the turn into the conversation",
        Step.CREATED: "the server began its response",
        Step.TOKEN: "the model thought",
        Step.AUDIO: "the model's words became sound",
        Step.SENT: "the sound waited here, or began with silence",
        Step.HEARD: "the sound travelled to the browser and waited in its buffer",
    }
)


@dataclass(slots=True)
class Turn:
    """One question and its answer, as far as it has come."""

    number: int
    """Of the call, from 1."""
    kind: Kind
    began: float
    """The last sound of the voice; the release of the talk button; the line was typed."""
    steps: dict[Step, float] = field(default_factory=dict)
    functions_s: float = 0.0
    """How long the functions ran that the answer waited for."""
    interrupted: bool = False

    @property
    def felt_s(self) -> float | None:
        """What a person waits: to the first sound of the answer; None while there is none."""
        end = self.steps.get(Step.HEARD, self.steps.get(Step.SENT))
        return None if end is None else end - self.began


class Voice:
    """Knows when the microphone last carried a voice, by its level alone."""

    def __init__(self) -> None:
        self.last = 0.0
        """When the newest frame with a voice in it ended."""
        self._floor = 0.0

    def frame(self, level_dbfs: float, now: float) -> None:
        """A frame of 20 ms that has just ended."""
        if level_dbfs <= NO_ROOM_DBFS:
            return
        self._floor = min(level_dbfs, self._floor + FLOOR_RISE_DB)
        if level_dbfs >= max(QUIETEST_VOICE_DBFS, self._floor + VOICE_ABOVE_FLOOR_DB):
            self.last = now


class Timing:
    """Follows one call. It is told of what happens, and decides nothing."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        """Oldest first; only the last one still changes."""
        self.revision = 0
        """Grows with every change."""
        self._voice = Voice()
        self.count = 0
        """Turns so far."""

    def microphone(self, level_dbfs: float, now: float) -> None:
        """A frame of the microphone."""
        self._voice.frame(level_dbfs, now)

    def typed(self, now: float) -> None:
        """A line was typed that is to be answered."""
        self._begin("typed", now)

    def released(self, now: float) -> None:
        """The talk button went up at the end of a turn."""
        self._begin("held", now)

    def receive(self, event: ServerEvent, now: float) -> None:
        """A server event."""
        match event:
            case SpeechStopped():
                self._begin("spoken", min(self._voice.last or now, now))
                self._reach(Step.DETECTED, now)
            case BufferCommitted():
                self._reach(Step.COMMITTED, now)
            case ResponseCreated():
                self._reach(Step.CREATED, now)
            case TextDelta() | TranscriptDelta():
                self._reach(Step.TOKEN, now)
            case AudioDelta():
                self._reach(Step.TOKEN, now)
                self._reach(Step.AUDIO, now)

    def ran(self, seconds: float) -> None:
        """A function has run for so long."""
        if self.turns:
            self.revision += 1
            self.turns[-1].functions_s += seconds

    @property
    def awaits_sound(self) -> bool:
        """Whether nothing of the newest turn's answer was sent yet that can be heard."""
        return self._has(Step.AUDIO) and not self._has(Step.SENT)

    def sent(self, level_dbfs: float, now: float, heard: float) -> None:
        """A frame of the assistant's sound is on its way to the browser, to be heard then."""
        if self.awaits_sound and level_dbfs >= QUIETEST_VOICE_DBFS:
            self._reach(Step.SENT, now)
            self._reach(Step.HEARD, max(now, heard))

    def _begin(self, kind: Kind, began: float) -> None:
        self.count += 1
        self.revision += 1
        self.turns = [*self.turns[1 - MOST_TURNS :], Turn(self.count, kind, began)]

    def _has(self, step: Step) -> bool:
        return bool(self.turns) and step in self.turns[-1].steps

    def _reach(self, step: Step, now: float) -> None:
        """The newest turn has come to a step; once, and not after a later one."""
        if not self.turns:
            return
        reached = self.turns[-1].steps
        if not any(later in reached for later in STEPS[STEPS.index(step) :]):
            reached[step] = now
            self.revision += 1


def waits(turn: Turn) -> list[tuple[Step, float]]:
    """The steps that were seen, in order, each with the seconds since the one before it."""
    found = []
    before = turn.began
    for step in STEPS:
        if step in turn.steps:
            found.append((step, turn.steps[step] - before))
            before = turn.steps[step]
    return found


def reason(turn: Turn) -> str:
    """Where most of a turn's time went, in one sentence; empty while there is no answer."""
    if turn.felt_s is None:
        return ""
    causes = {WAITED_FOR[step]: seconds for step, seconds in waits(turn)}
    # Functions run before the first word of an answer, possibly beside each other.
    thought = WAITED_FOR[Step.TOKEN]
    ran = min(turn.functions_s, causes.get(thought, 0.0))
    if ran:
        causes[thought] -= ran
        causes["functions ran"] = ran
    cause = max(causes, key=causes.__getitem__)
    return f"{turn.felt_s:.2f} s, of which {causes[cause]:.2f} s: {cause}."


def percentile(turns: Sequence[Turn], share: float) -> float | None:
    """What this share of the answered turns (0 to 1) did not exceed, in seconds felt."""
    felt = sorted(turn.felt_s for turn in turns if turn.felt_s is not None)
    return felt[max(0, ceil(share * len(felt)) - 1)] if felt else None
