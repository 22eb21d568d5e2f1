"""How many calls run at a time, by all routes together, and how many of them are one visitor's.

Rule: a place is taken before its call begins, and given back when nothing of the call can go on.
The place of a call that nobody sees is free again at a moment that is known from its start. Once
closed, there is no place for a new call any more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf


class NoPlaceError(Exception):
    """There is no place for one more call; the text is a sentence for the visitor."""

    def __init__(self, sentence: str, *, all_taken: bool) -> None:
        """`all_taken`: nobody gets a place; if not, this visitor alone has no more."""
        super().__init__(sentence)
        self.all_taken = all_taken


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Of one call."""

    visitor: str
    until: float
    """When it is free again at the latest, in seconds of the clock of `now`."""


class Places:
    """Those of this process; `now` is a parameter, in seconds of any steady clock."""

    def __init__(self, most: int, most_of_one: int) -> None:
        """So many together, and so many for one visitor."""
        self.most = most
        self.most_of_one = most_of_one
        self._taken: set[Place] = set()
        self._closed = ""
        self.freed: Callable[[Place], None] = lambda _: None
        """Told of each place that is given back before its time."""

    @property
    def closed(self) -> bool:
        """Whether no new calls are taken."""
        return bool(self._closed)

    @property
    def followed(self) -> int:
        """Calls under way that the end of this process would cut off: not those nobody here sees.

        Also another thread may ask.
        """
        return sum(place.until == inf for place in tuple(self._taken))

    def close(self, sentence: str) -> None:
        """Take no more calls; `sentence` says why."""
        self._closed = sentence

    def take(self, visitor: str, now: float, until: float = inf) -> Place:
        """A place for a call of this visitor; `NoPlaceError` if he gets none."""
        if self._closed:
            raise NoPlaceError(self._closed, all_taken=True)
        self._taken = {place for place in self._taken if place.until > now}
        own = sum(place.visitor == visitor for place in self._taken)
        if own >= self.most_of_one and self.most_of_one < self.most:
            raise NoPlaceError(share(self.most_of_one), all_taken=False)
        if len(self._taken) >= self.most:
            raise NoPlaceError(full(self.most), all_taken=True)
        place = Place(visitor, until)
        self._taken.add(place)
        return place

    def give_back(self, place: Place) -> None:
        """The call of this place has ended; harmless if it was given back before."""
        if place in self._taken:
            self._taken.discard(place)
            self.freed(place)


def full(most: int) -> str:
    """Why nobody gets a place."""
    if most == 1:
        return "Someone else is in a call, and this app takes 1 at a time. Try again in a minute."
    return f"All {most} calls that this app takes at a time are busy. Try again in a minute."


def share(most: int) -> str:
    """Why this visitor gets no more places."""
    calls = "1 call runs" if most == 1 else f"{most} calls run"
    return f"{calls} from here already, which is the most for one visitor. End one, or wait for it."
