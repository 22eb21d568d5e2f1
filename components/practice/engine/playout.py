"""The output audio buffer of a WebRTC call: what is still to be played, and how much of it was.

Rule: the server paces the sound, so it alone knows what was played. Sound is
taken in frames of 20 ms; a frame that is not complete yet waits for the rest of its response.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from components.audio import BYTES_PER_MS, FRAME_MS

FRAME_BYTES: Final = FRAME_MS * BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Place:
    """Which content part of which response a sound belongs to."""

    response_id: str
    item_id: str
    content_index: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A part whose sound was not played to its end, and how much of it was, in ms."""

    place: Place
    played_ms: int


class Playout:
    """Sound in the order in which it came. `playing` is the response that sounds, if one does."""

    def __init__(self) -> None:
        self.playing: str | None = None
        self._waiting: deque[tuple[Place, bytearray]] = deque()
        self._played: dict[Place, int] = {}
        self._finished: set[str | None] = set()
        self._silenced: set[str] = set()

    def add(self, place: Place, pcm: bytes) -> None:
        """More sound; that of an item that was cut comes too late."""
        if place.item_id in self._silenced:
            return
        if self._waiting and self._waiting[-1][0] == place:
            self._waiting[-1][1].extend(pcm)
        else:
            self._waiting.append((place, bytearray(pcm)))

    def finish(self, response_id: str) -> None:
        """There is no more to come of this response."""
        waits = any(place.response_id == response_id for place, _ in self._waiting)
        if waits or self.playing == response_id:
            self._finished.add(response_id)

    def take(self) -> bytes | None:
        """The next 20 ms; None if there is silence now."""
        if not self._waiting:
            if self.playing in self._finished:
                self._end()
            return None
        response_id = self._waiting[0][0].response_id
        frame = self._frame(response_id)
        if len(frame) < FRAME_BYTES and response_id not in self._finished:
            return None
        if self.playing not in (None, response_id):
            self._end()
        self.playing = response_id
        self._drop(len(frame))
        return frame.ljust(FRAME_BYTES, b"\0")

    def cut(self) -> tuple[str | None, list[Cut]]:
        """Empty the buffer: whose sound that ends, and what was not played to its end."""
        response_id = self.playing
        if response_id is None and self._waiting:
            response_id = self._waiting[0][0].response_id
        cuts = [
            Cut(place, self._played.get(place, 0) // BYTES_PER_MS) for place, _ in self._waiting
        ]
        self._silenced.update(cut.place.item_id for cut in cuts)
        self._waiting.clear()
        self._finished.clear()
        self._end()
        return response_id, cuts

    def _frame(self, response_id: str) -> bytes:
        frame = b""
        for place, pcm in self._waiting:
            if place.response_id != response_id or len(frame) == FRAME_BYTES:
                break
            frame += bytes(pcm[: FRAME_BYTES - len(frame)])
        return frame

    def _drop(self, length: int) -> None:
        while length:
            place, pcm = self._waiting[0]
            taken = min(length, len(pcm))
            self._played[place] = self._played.get(place, 0) + taken
            del pcm[:taken]
            length -= taken
            if not pcm:
                self._waiting.popleft()

    def _end(self) -> None:
        self._finished -= {self.playing}
        self.playing = None
        self._played.clear()
