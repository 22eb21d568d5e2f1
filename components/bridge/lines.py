"""The lines that a page has typed, as they arrive.

Rule: a page whose connection breaks cannot know what of the last seconds has arrived, so it sends a
line again until it is told that it has. One that comes twice is said once.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

MOST_REMEMBERED: Final = 100
LONGEST_ID: Final = 64
"""Characters."""


class Lines:
    """Of one call, over all its connections."""

    def __init__(self, tell: Callable[[Mapping[str, Any]], None]) -> None:
        """`tell` sends a message to the page."""
        self._tell = tell
        self._arrived: dict[str, None] = {}

    def arrives(self, message: Mapping[str, Any]) -> bool:
        """Whether a line is new; one without an id always is, and is not acknowledged."""
        line_id = message.get("id")
        if not isinstance(line_id, str) or not 0 < len(line_id) <= LONGEST_ID:
            return True
        self._tell({"type": "said", "id": line_id})
        known = line_id in self._arrived
        self._arrived[line_id] = None
        if len(self._arrived) > MOST_REMEMBERED:
            del self._arrived[next(iter(self._arrived))]
        return not known
