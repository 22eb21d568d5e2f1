"""How often a visitor may ask for an answer by typing, or by pressing the talk button.

Rule: all calls of a visitor count together, one after the other and at the same time, as each
answer costs the owner the same, whichever tab has asked for it.
"""

from collections import OrderedDict
from typing import Final

EVERY_S: Final = 2.0
"""An answer, on the average."""
AT_ONCE: Final = 10
"""So many in a row may come sooner."""
TOO_OFTEN: Final = (
    "That was not sent, as you ask faster than answers can come. Wait a few seconds, then try it "
    "again."
)


class Pace:
    """Of all visitors; `now` is a parameter, in seconds of any steady clock.

    A visitor who has asked for nothing for a while is forgotten, as he may do what a new one may.
    """

    def __init__(self) -> None:
        self._paid_until: OrderedDict[str, float] = OrderedDict()
        """To when each visitor's questions have used up the time, if it passes evenly; who asked
        last is last."""

    def admit(self, visitor: str, now: float) -> bool:
        """Whether this visitor may ask now; if so, he has."""
        self._forget(now)
        paid_until = max(self._paid_until.get(visitor, now), now)
        if paid_until - now > (AT_ONCE - 1) * EVERY_S:
            return False
        self._paid_until[visitor] = paid_until + EVERY_S
        self._paid_until.move_to_end(visitor)
        return True

    def _forget(self, now: float) -> None:
        while self._paid_until:
            visitor, paid_until = next(iter(self._paid_until.items()))
            if paid_until > now:
                return
            del self._paid_until[visitor]
