"""What can be looked into and kept of one call: its events, the timing of its turns, its sound.

Rule: it is told of what happens and changes nothing; nothing of it crosses the network unless
somebody asks. Who asks again takes the place of who asked before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from components.audio import level_of
from components.bridge.delays import Delays, delays_of
from components.bridge.recorder import Recorder
from components.core.outputs import Output, Send
from components.core.spending import Spending, Spent
from components.core.timing import Timing, Turn, percentile, reason, waits
from components.operating.metrics import Meter
from components.protocol.events import ResponseDone, ServerEvent
from components.protocol.failures import Failure
from components.upstream.recent import RecentEvents, Row

PAUSE_S: Final = 0.1
"""Between two reports: an event is seen within 200 ms."""
BREATH_S: Final = 0.005
"""Between two reports when more is to be told than one of them takes, for everybody else."""
SIGN_OF_LIFE_S: Final = 15.0
"""Proxies close what is silent for long."""
LONGEST_MODEL: Final = 100
"""Characters of a model's name that are shown."""

Report = dict[str, Any]


class Inspection:
    """Of one call, from its beginning; it can still be read when the call is over."""

    def __init__(self, model: str = "", recorder: Recorder | None = None) -> None:
        """`model` is the name by which its price is known."""
        self.events = RecentEvents()
        self.timing = Timing()
        self.spending = Spending()
        self.told: Mapping[str, Any] = {}
        """What the page is to know of what it has asked for."""
        self.over = False
        self.recorder = recorder
        self.delays = Delays()
        """On the way of the sound, as the page has measured them last."""
        self.meter: Meter | None = None
        """Counts what happens, for who watches over the app."""
        self.model = model
        self._began = time.monotonic()
        self._reader = 0
        if recorder:
            recorder.look = self._seen

    def microphone(self, pcm: bytes, level_dbfs: float, now: float) -> None:
        """Sound of the microphone, and how loud it is."""
        said = self.delays.said(now)
        self.timing.microphone(level_dbfs, said)
        if self.recorder:
            self.recorder.microphone(pcm, said, now)

    def sent(self, pcm: bytes, now: float) -> None:
        """20 ms of the assistant's sound are on their way to the browser."""
        heard = self.delays.heard(now)
        if self.timing.awaits_sound:
            self.timing.sent(level_of(pcm), now, heard)
        if self.recorder:
            self.recorder.sent(pcm, heard, now)

    def obey(self, message: Mapping[str, Any], now: float) -> None:
        """A message of the page that is about what is seen or kept; others are ignored."""
        self.delays = delays_of(message) or self.delays
        if self.recorder:
            self.recorder.obey(message, now)

    def joined(self, now: float) -> None:
        """A browser is here, or here again."""
        if self.meter:
            self.meter.joined(now)

    def failed(self, failure: Failure) -> None:
        """The socket could not be opened, or has closed, or something broke here."""
        if self.meter:
            self.meter.failed(failure)

    def end(self, now: float) -> None:
        """The call is over."""
        if self.recorder:
            self.recorder.end(now)
        if self.meter:
            self.meter.turns(self.timing.turns)
        self.over = True

    def receive(self, event: ServerEvent, now: float) -> None:
        """A server event."""
        self.timing.receive(event, now)
        self.spending.receive(event, self.timing.count, now)
        if self.meter:
            self.meter.receive(event)
            if isinstance(event, ResponseDone):  # the turn before this one changes no more
                self.meter.turns(self.timing.turns[:-1])

    def tell(self, **what: Any) -> None:
        """The answer to what the page has asked for."""
        self.told = {**self.told, **what}

    def follow(self, outputs: list[Output], now: float) -> list[Output]:
        """What the user's doing leads to, as it is; a turn that it hands over begins now."""
        for output in outputs:
            match output:
                case Send({"type": "conversation.item.create"}):
                    self.timing.typed(now)
                case Send({"type": "input_audio_buffer.commit"}):
                    self.timing.released(now)
        return outputs

    async def reports(self, seen: int = 0) -> AsyncIterator[Report]:
        """The events since the revision `seen` and all turns, then what is new, to the call's end.

        One with nothing new in it is a sign of life.
        """
        self._reader += 1
        mine, turn, timed, spoke = self._reader, 1, -1, time.monotonic()
        spent, told = -1, None
        while mine == self._reader:
            report: Report = {}
            if news := self.events.news(seen):
                report["events"] = [row.shown() for row in news]
                report["seen"] = seen = news[-1].revision
            more = self.events.revision > seen
            over = self.over and not more
            if self.timing.revision != timed:
                report |= self._timing(turn)
                timed, turn = self.timing.revision, max(1, self.timing.count)
            if self.spending.revision != spent:
                report["cost"] = self._cost()
                spent = self.spending.revision
            if self.told is not told:
                report["told"] = told = self.told
            if report or over or time.monotonic() > spoke + SIGN_OF_LIFE_S:
                yield {**report, "over": over}
                spoke = time.monotonic()
            if over:
                return
            await asyncio.sleep(BREATH_S if more else PAUSE_S)

    def _cost(self) -> Report:
        """What was used so far, each turn apart."""
        return {
            "model": self.model,
            "spent": [self._spent(row) for row in self.spending.rows],
            "elapsed_s": round(time.monotonic() - self._began, 1),
        }

    def _spent(self, row: Spent) -> Report:
        """What a turn has used, without what it has not."""
        used = {name: count for name, count in asdict(row.usage).items() if count}
        return {
            "turn": row.turn,
            "at_s": round(row.at - self._began, 1),
            "transcription_model": row.transcription_model[:LONGEST_MODEL],
            "usage": used,
        }

    def _seen(self) -> tuple[Sequence[Row], Report]:
        return self.events.since(0), self._timing(1)

    def _timing(self, first: int) -> Report:
        """The turns from this number on, and what they are like as a whole."""
        turns = self.timing.turns
        return {
            "turns": [_turn(turn) for turn in turns if turn.number >= first],
            "p50_s": percentile(turns, 0.5),
            "p95_s": percentile(turns, 0.95),
        }


def _turn(turn: Turn) -> dict[str, Any]:
    """A turn for the page: each step with the seconds since the turn began."""
    return {
        "number": turn.number,
        "kind": turn.kind,
        "felt_s": None if turn.felt_s is None else round(turn.felt_s, 3),
        "reason": reason(turn),
        "steps": {step.value: round(turn.steps[step] - turn.began, 3) for step, _ in waits(turn)},
        "functions_s": round(turn.functions_s, 3),
    }
