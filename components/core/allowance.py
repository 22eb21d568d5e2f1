"""How long a call may still go on: its time, its silence, its cost.

Rule: a limit of time or silence is announced before it ends the call, and a call that has cost what
it may ends after the answer under way has been heard. What has no known cost counts as dear.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

from components.protocol.prices import Cost

GOODBYE_S: Final = 30.0
"""For so long before its limit, a call shows how long it still has."""
LONGEST_QUESTION_S: Final = 60.0
"""For so long, at most, a silent call is asked whether anyone is still there."""
UNKNOWN_SHARE: Final = 0.1
"""Of the limit of cost: so much counts what is unknown while no answer has a known cost."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say about the end of the call, and whether this is it."""

    over: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one call; 0 means no limit."""

    call_s: float = 0.0
    idle_s: float = 0.0
    """For so long nobody speaks, types or presses anything; the call is then asked about, and ended
    a while later."""
    cost: float = 0.0
    """US dollars; without effect where nobody knows the model's price."""


class Allowance:
    """Told of what happens; says whether the call may go on."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._begun: float | None = None
        self._active_at = 0.0
        self._known = 0.0
        self._dearest = 0.0
        self.spent = False
        """Whether the call has cost all that it may."""

    def begin(self, now: float) -> None:
        """The call stands; what comes after another connection is still the same call."""
        if self._begun is None:
            self._begun = self._active_at = now

    def active(self, now: float) -> None:
        """Somebody speaks, types or presses something."""
        self._active_at = max(self._active_at, now)

    def spend(self, cost: Cost | None, answer: bool = True) -> None:
        """What the call has cost so far, told whenever that changes; None if nobody knows a price.

        `answer`: what came last is an answer, and no transcript. For the limit, each unknown cost
        counts as the dearest answer so far; before there is one, as a tenth of the limit.
        """
        limit = self._limits.cost
        if not limit or cost is None:
            return
        if answer:
            self._dearest = max(self._dearest, cost.dollars - self._known)
        self._known = cost.dollars
        supposed = cost.unknown * (self._dearest or limit * UNKNOWN_SHARE)
        if self._known + supposed >= limit:
            self.spent = True

    def verdict(self, now: float, answering: bool) -> Verdict | None:
        """Whether the call ends now or soon; `answering`: a reply is on its way or still heard."""
        if self._begun is None:
            return None
        if self.spent:
            return self._of_cost(answering)
        verdicts = [self._of_time(now - self._begun), self._of_silence(now - self._active_at)]
        said = [verdict for verdict in verdicts if verdict is not None]
        return next((verdict for verdict in said if verdict.over), said[0] if said else None)

    def _of_time(self, passed: float) -> Verdict | None:
        left = self._limits.call_s - passed
        if not self._limits.call_s or left > GOODBYE_S:
            return None
        if left <= 0:
            return Verdict(True, "The time for this call is up. You can start another.")
        return Verdict(False, f"This call ends in {_in_words(ceil(left))}.")

    def _of_silence(self, passed: float) -> Verdict | None:
        if not self._limits.idle_s or passed < self._limits.idle_s:
            return None
        left = self._limits.idle_s + min(LONGEST_QUESTION_S, self._limits.idle_s / 2) - passed
        if left <= 0:
            return Verdict(True, "The call has ended because nobody spoke. You can start another.")
        return Verdict(
            False,
            f"Nobody has spoken for {_in_words(round(self._limits.idle_s))}. Say something, or the "
            f"call ends in {_in_words(ceil(left))}.",
        )

    def _of_cost(self, answering: bool) -> Verdict:
        reached = "has reached" if self._known >= self._limits.cost else "may have reached"
        limit = f"This call {reached} its limit of {_dollars(self._limits.cost)}"
        if answering:
            return Verdict(False, f"{limit} and ends after this answer.")
        return Verdict(True, f"{limit}. You can start another.")


def _in_words(seconds: int) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return _counted(seconds // 60, "minute") if seconds > 60 else "60 seconds"
    return _counted(seconds, "second")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _dollars(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 0.01 else f"${amount:g}"
