"""How long a call may still go on: its time, its silence, its cost.

Rule: a limit of time or silence is announced before it ends the call, and a call that has cost what
it may ends after the answer under way has been heard. What has no known cost counts as dear.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final, TypeGuard

from components.protocol.prices import Cost

GOODBYE_S: Final = 30.0
"""For so long before its limit, a call shows how long it still has."""
LONGEST_QUESTION_S: Final = 60.0
"""For so long, at most, a silent call is asked whether anyone is still there."""
UNKNOWN_SHARE: Final = 0.1
"""Of the limit of cost: so much counts what is unknown while no answer has a known cost."""
LEAST_CAP: Final = 0.001
MOST_CAP: Final = 1000.0
"""US dollars: what a user may choose as the limit of a call."""
NO_CAP: Final = f"A limit is an amount from ${LEAST_CAP:g} to ${MOST_CAP:,.0f}."
NO_PRICE: Final = "The app knows no price of this model, so no limit of cost can end the call."


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
    used_s: float = 0.0
    used_cost: float = 0.0
    """What of these the call has used before it came here, from another replica of the app."""


class Allowance:
    """Told of what happens; says whether the call may go on."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._begun: float | None = None
        self._active_at = 0.0
        self._cap = 0.0
        """What the user has chosen as a limit of cost; 0 for none."""
        self._cost: Cost | None = None
        self._dearest = 0.0
        self.last_words = ""
        """Why the call must end though none of its own limits is reached."""
        self.spent = False
        """Whether the call has cost all that it may."""

    def begin(self, now: float) -> None:
        """The call stands; what comes after another connection is still the same call."""
        if self._begun is None:
            self._begun, self._active_at = now - self._limits.used_s, now

    def active(self, now: float) -> None:
        """Somebody speaks, types or presses something."""
        self._active_at = max(self._active_at, now)

    def spend(self, cost: Cost | None, answer: bool = True) -> None:
        """What the call has cost so far, told whenever that changes; None if nobody knows a price.

        `answer`: what came last is an answer, and no transcript. For the limit, each unknown cost
        counts as the dearest answer so far; before there is one, as a tenth of the limit.
        """
        if cost is not None and answer:
            self._dearest = max(self._dearest, cost.dollars - self._known)
        self._cost = cost
        self.spent = self.spent or self._is_too_much

    def cap(self, dollars: object, cost: Cost | None) -> str:
        """The user wants the call to end when it has cost so many US dollars; None for no wish.

        Never more than the limit of the app. `cost` is what it has cost so far, None if nobody
        knows a price. Why it cannot be, in a sentence; empty if it is.
        """
        if dollars is None:
            self._cap = 0.0
        elif not _is_amount(dollars):
            return NO_CAP
        elif cost is None:
            return NO_PRICE
        elif 0 < self._limits.cost < dollars:
            return f"The limit of this app is {_dollars(self._limits.cost)}. Choose less."
        else:
            self._cap = float(dollars)
        self.spent = bool(self.last_words) or self._is_too_much
        return ""

    def answer_no_more(self, why: str) -> None:
        """The call ends after the answer under way; `why` is the sentence that says so."""
        self.last_words = why
        self.spent = True

    @property
    def counted(self) -> float:
        """What the call has cost here, in US dollars, as it counts towards a limit."""
        if self._cost is None:
            return 0.0
        supposed = self._cost.unknown * (self._dearest or self._limit * UNKNOWN_SHARE)
        return self._cost.dollars + supposed

    @property
    def capped(self) -> float | None:
        """The limit that the user has chosen, in US dollars."""
        return self._cap or None

    @property
    def _limit(self) -> float:
        return self._cap or self._limits.cost

    @property
    def _known(self) -> float:
        return self._cost.dollars if self._cost else 0.0

    @property
    def _known_in_all(self) -> float:
        return self._limits.used_cost + self._known

    @property
    def _is_too_much(self) -> bool:
        if not self._limit or self._cost is None:
            return False
        return self._limits.used_cost + self.counted >= self._limit

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
        if self.last_words:
            return Verdict(not answering, self.last_words)
        reached = "has reached" if self._known_in_all >= self._limit else "may have reached"
        limit = f"This call {reached} {'your' if self._cap else 'its'} limit of"
        limit = f"{limit} {_dollars(self._limit)}"
        if answering:
            return Verdict(False, f"{limit} and ends after this answer.")
        return Verdict(True, f"{limit}. You can start another.")


def _is_amount(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return LEAST_CAP <= value <= MOST_CAP


def _in_words(seconds: int) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return _counted(seconds // 60, "minute") if seconds > 60 else "60 seconds"
    return _counted(seconds, "second")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _dollars(amount: float) -> str:
    """To the cent, and further where there is more to say."""
    if amount < 0.01:
        return f"${amount:g}"
    cents, rest = f"{amount:.4f}"[:-2], f"{amount:.4f}"[-2:]
    return f"${cents}{rest.rstrip('0')}"
