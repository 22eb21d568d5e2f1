"""The newest events of a call, both ways, for who looks into it.

Rule: at most `MOST_ROWS` rows and `MOST_BYTES` of events are kept, the newest. Events that come by
the hundred share a row that counts them. Audio is not kept, and no image. Events are kept as JSON:
parsed, one of nothing but brackets takes forty times the room, and every search for garbage, during
which no sound passes, would go through its lists.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from components.protocol.fields import Json
from components.upstream.shortening import shortened, without_images
from components.upstream.wire import Direction, WireEvent

MOST_ROWS: Final = 2_000
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of JSON. A reply of a minute, whose audio is not kept, has some ten thousand."""
REPORT_ROWS: Final = 50
REPORT_BYTES: Final = 32_768
"""Of events in one report: some milliseconds of work. A larger event is alone in its report."""
LONGEST_ID: Final = 100
"""Characters by which items are told apart."""
LONGEST_TYPE: Final = 100
"""Characters that are shown."""
APPEND: Final = "input_audio_buffer.append"

Shared = tuple[Direction, str, str]
"""What the events of one row have in common: direction, type, and the item they belong to."""
_MICROPHONE: Final[Shared] = ("sent", APPEND, "")


@dataclass(slots=True)
class Row:
    """One event, or several of a kind."""

    number: int
    """Of the call, from 1."""
    revision: int
    """Grows with every change of any row."""
    at: float
    """Unix time of the first event, in seconds."""
    direction: Direction
    type: str
    count: int
    size: int
    """Of all its events as JSON, in bytes."""
    first: bytes
    """The first event, as JSON."""
    shared: Shared | None
    """None if no other event may join."""

    def shown(self) -> dict[str, Any]:
        """For the page: what an event of a server brings is shortened."""
        event = shortened(orjson.loads(self.first))
        return {
            "number": self.number,
            "at": round(self.at, 3),
            "direction": self.direction,
            "type": str(event.get("type", ""))[:LONGEST_TYPE],
            "count": self.count,
            "bytes": self.size,
            "event": event,
        }


class RecentEvents:
    """Rows of events, oldest first."""

    def __init__(self) -> None:
        self.revision = 0
        """Of the newest change."""
        self._rows: deque[Row] = deque()
        self._kept = 0
        self._numbers = 0
        self._open: dict[Shared, Row] = {}
        """Rows that further events may join."""

    def write(self, passed: WireEvent) -> None:
        """An event has passed."""
        event, type_ = passed.event, str(passed.event.get("type", ""))
        if not type_.endswith(".delta"):
            self._open.pop(_MICROPHONE, None)
            self._add(replace(passed, event=without_images(event)), type_)
            return
        shared = (passed.direction, type_, str(event.get("item_id"))[:LONGEST_ID])
        if not self._join(shared, passed.size):
            delta = event.get("delta")
            length = len(delta) if isinstance(delta, str) else 0
            first = replace(passed, event={**event, "delta": f"({length} characters)"})
            self._add(first, type_, shared)

    def appended(self, size: int, at: float) -> None:
        """A frame of the microphone was sent; `size` is its bytes of PCM, `at` Unix time."""
        if not self._join(_MICROPHONE, size):
            self._add(WireEvent("sent", {"type": APPEND}, size, at), APPEND, _MICROPHONE)

    def since(self, revision: int) -> list[Row]:
        """The rows that have changed since then, oldest first."""
        return [row for row in self._rows if row.revision > revision]

    def news(self, revision: int) -> list[Row]:
        """Of the rows that have changed since then those that changed first, as many as a report
        takes: to show all that is kept at once would hold every call up for 0.1 s.

        In the order in which they changed, so that the last one's revision is what was seen.
        """
        changed = sorted(self.since(revision), key=lambda row: row.revision)
        room = REPORT_BYTES
        for place, row in enumerate(changed[:REPORT_ROWS]):
            room -= len(row.first)
            if room < 0:
                return changed[: max(1, place)]
        return changed[:REPORT_ROWS]

    def _join(self, shared: Shared, size: int) -> bool:
        row = self._open.get(shared)
        if row is None:
            return False
        self.revision += 1
        row.revision = self.revision
        row.count += 1
        row.size += size
        return True

    def _add(self, passed: WireEvent, type_: str, shared: Shared | None = None) -> None:
        self.revision += 1
        self._numbers += 1
        row = Row(
            number=self._numbers,
            revision=self.revision,
            at=passed.at,
            direction=passed.direction,
            type=type_,
            count=1,
            size=passed.size,
            first=_as_json(passed.event),
            shared=shared,
        )
        self._rows.append(row)
        if shared:
            self._open[shared] = row
        self._kept += len(row.first)
        while len(self._rows) > MOST_ROWS or (self._kept > MOST_BYTES and len(self._rows) > 1):
            self._drop(self._rows.popleft())

    def _drop(self, row: Row) -> None:
        self._kept -= len(row.first)
        if row.shared and self._open.get(row.shared) is row:
            del self._open[row.shared]


def _as_json(event: Json) -> bytes:
    try:
        text = orjson.dumps(event)
    except orjson.JSONEncodeError:  # it is read to 1,024 levels, but written to 254 only
        text = orjson.dumps(shortened(event))
    return memoryview(text).tobytes()  # orjson's own keeps all the memory that it was written in
