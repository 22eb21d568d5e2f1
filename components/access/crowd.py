"""How many connections there may be: in all, and of one visitor.

Rule: who keeps us waiting makes room for who comes. Before a new connection is refused, the one
that has been silent longest is closed in its place. If all wait for us and no room is left, who has
the most makes room for who has fewer.
"""

from collections import Counter
from typing import Final, Protocol

MOST_OF_A_VISITOR: Final = 256
"""More than the requests that he may have under way, as browsers keep some connections ready."""


class Closable(Protocol):
    """What the crowd asks of a connection."""

    def close_now(self) -> None:
        """Close it without waiting for anything."""


class Crowd:
    """The connections that are open. Those of the visitor "" are only counted in the whole."""

    def __init__(self, most: int, most_of_a_visitor: int = MOST_OF_A_VISITOR) -> None:
        self._most = most
        self._most_of_a_visitor = most_of_a_visitor
        self._here: dict[Closable, str] = {}
        self._silent: dict[Closable, str] = {}
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._here)

    def enter(self, connection: Closable, visitor: str) -> bool:
        """Count a new connection, which is silent; False if there is no room for it."""
        if visitor and self._of[visitor] >= self._most_of_a_visitor:
            has_room = self._close_oldest(self._silent, visitor)
        elif len(self._here) >= self._most:
            has_room = self._close_oldest(self._silent) or self._close_of_the_largest(visitor)
        else:
            has_room = True
        if not has_room:
            return False
        self._here[connection] = self._silent[connection] = visitor
        self._of[visitor] += 1
        return True

    def asks(self, connection: Closable) -> None:
        """It waits for us: its request has arrived, and it takes what is answered."""
        self._silent.pop(connection, None)

    def falls_silent(self, connection: Closable) -> None:
        """We wait for it: for the rest of its request, for the next, or until it reads."""
        if connection in self._here:
            self._silent[connection] = self._here[connection]

    def leave(self, connection: Closable) -> None:
        """It is closed; nothing if it is not counted."""
        self._silent.pop(connection, None)
        visitor = self._here.pop(connection, None)
        if visitor is not None:
            self._of[visitor] -= 1
            if not self._of[visitor]:
                del self._of[visitor]

    def _close_of_the_largest(self, visitor: str) -> bool:
        """Close the oldest connection of whoever has the most, if they are more than this one's."""
        others = ((number, whose) for whose, number in self._of.items() if whose)
        most, largest = max(others, default=(0, ""))
        return most > self._of[visitor] + 1 and self._close_oldest(self._here, largest)

    def _close_oldest(self, among: dict[Closable, str], visitor: str = "") -> bool:
        """Close the first, of this visitor if one is given; False if there is none."""
        for connection, whose in among.items():
            if visitor in ("", whose):
                self.leave(connection)
                connection.close_now()
                return True
        return False
