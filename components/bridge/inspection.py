"""What can be looked into and kept of one call: its events, the timing of its turns, its sound.

Rule: it is told of what happens and changes nothing; nothing of it crosses the network unless
somebody asks. Who asks again takes the place of who asked before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from components.bridge.recorder import Recorder
from components.core.outputs import Output, Send
from components.core.timing import Timing, Turn, percentile, reason, waits
from components.upstream.recent import RecentEvents, Row

PAUSE_S: Final = 0.1
"""Between two reports: an event is seen within 200 ms."""
SIGN_OF_LIFE_S: Final = 15.0
"""Proxies close what is silent for long."""

Report = dict[str, Any]


class Inspection:
    """Of one call, from its beginning; it can still be read when the call is over."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self.events = RecentEvents()
        self.timing = Timing()
        self.over = False
        self.recorder = recorder
        self._reader = 0
        if recorder:
            recorder.look = self._seen

    def microphone(self, pcm: bytes, level_dbfs: float, now: float) -> None:
        """Sound of the microphone, and how loud it is."""
        self.timing.microphone(level_dbfs, now)
        if self.recorder:
            self.recorder.microphone(pcm, now)

    def sent(self, pcm: bytes, now: float) -> None:
        """20 ms of the assistant's sound are on their way to the browser."""
        self.timing.sent(now)
        if self.recorder:
            self.recorder.sent(pcm, now)

    def obey(self, message: Mapping[str, Any], now: float) -> None:
        """A message of the page that is about what is seen or kept; others are ignored."""
        if self.recorder:
            self.recorder.obey(message, now)
        match message:
            case {"type": "heard", "ago_ms": int(ago) | float(ago)}:
                self.timing.heard(now - ago / 1000)

    def end(self, now: float) -> None:
        """The call is over."""
        if self.recorder:
            self.recorder.end(now)
        self.over = True

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
        while mine == self._reader:
            over = self.over
            report: Report = {}
            if self.events.revision > seen:
                report["events"] = [row.shown() for row in self.events.since(seen)]
                report["seen"] = seen = self.events.revision
            if self.timing.revision != timed:
                report |= self._timing(turn)
                timed, turn = self.timing.revision, max(1, self.timing.count)
            if report or over or time.monotonic() > spoke + SIGN_OF_LIFE_S:
                yield {**report, "over": over}
                spoke = time.monotonic()
            if over:
                return
            await asyncio.sleep(PAUSE_S)

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
