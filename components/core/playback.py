"""The assistant audio still to play, and how much of each item has been heard.

Rule: one ledger answers both. A frame is heard when it was handed over and its way to the ear is
over; nothing is heard that was not handed over, and nothing heard becomes unheard. Truncation,
captions and the state word all read this ledger, as the API sends faster than real time and does
not know what was played. A server that never ends cannot fill the memory: what is too much to be
listened to is dropped, and counts as never received.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from components.audio import BYTES_PER_MS, FRAME_BYTES, FRAME_MS
from components.core.pcm_queue import PcmQueue

DEFAULT_DELAY_S: Final = 0.06
"""From the hand-over of a frame to its sound, as long as the page has not measured it."""
MAX_DELAY_S: Final = 1.0
MOST_WAITING: Final = 10 * 60 * 1000 * BYTES_PER_MS
"""Bytes still to be handed over: ten minutes of a reply, 29 MB."""
MOST_CLIPS: Final = 64
"""Content parts that are not over; a reply has one or two."""
FASTEST_SPEECH: Final = 25
"""Characters a second that no voice exceeds: bounds captions that arrive ahead of their sound."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An item that was stopped before it had been heard whole."""

    item_id: str
    content_index: int
    heard_ms: int
    received_ms: int


@dataclass(slots=True)
class _Clip:
    """The sound of one content part: what came, what was handed over, what was heard (bytes)."""

    item_id: str
    content_index: int
    pcm: PcmQueue = field(default_factory=PcmQueue)
    """What is still to hand over, in whole samples."""
    rest: bytes = b""
    """The first half of a sample whose second is still to come."""
    received: int = 0
    heard: int = 0
    finished: bool = False
    marks: deque[tuple[int, int]] = field(default_factory=deque)
    """(bytes received, characters known) at the arrival of pieces of its transcript; of those whose
    place in the sound has been heard, only the last."""

    @property
    def over(self) -> bool:
        return self.finished and self.heard >= self.received

    def add(self, pcm: bytes) -> None:
        pcm = self.rest + pcm
        whole = len(pcm) - len(pcm) % 2
        self.rest = pcm[whole:]
        self.pcm.add(pcm[:whole])
        self.received += whole

    def mark(self, characters: int) -> None:
        if self.marks and self.received - self.marks[-1][0] < FRAME_BYTES:
            self.marks[-1] = (self.marks[-1][0], characters)
        else:
            self.marks.append((self.received, characters))

    def hear(self, size: int) -> None:
        self.heard += size
        while len(self.marks) > 1 and self.marks[1][0] < self.heard:
            self.marks.popleft()


class Playback:
    """Takes deltas as they come, gives frames as they are due, and knows what was heard."""

    def __init__(self) -> None:
        self.delay_s = DEFAULT_DELAY_S
        """From the hand-over of a frame to its sound in the listener's ear."""
        self._clips: list[_Clip] = []
        self._handed_over: deque[tuple[float, _Clip, int]] = deque()

    def add(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Audio of an item, of any length; it plays after everything that came before it."""
        room = MOST_WAITING - sum(len(clip.pcm) for clip in self._clips)
        if clip := self._clip(item_id, content_index):
            clip.add(pcm[: max(room, 0)])

    def caption(self, item_id: str, content_index: int, characters: int) -> None:
        """A piece of the item's transcript has arrived; its words are now so many characters."""
        if clip := self._clip(item_id, content_index):
            clip.mark(characters)

    def finish(self, item_id: str | None = None) -> None:
        """No more audio will come for the item, or for any item."""
        for clip in self._clips:
            if item_id in (None, clip.item_id):
                clip.finished = True

    def take(self, now: float) -> bytes | None:
        """The next `FRAME_BYTES` to hand over; None for silence. A reply's last frame is filled up.

        Less than a frame of an unfinished item waits for more, as a gap would be heard.
        """
        self._advance(now)
        frame = bytearray()
        for clip in self._clips:
            if len(frame) + len(clip.pcm) < FRAME_BYTES and not clip.finished:
                break
            if share := clip.pcm.take(FRAME_BYTES - len(frame)):
                # A frame counts as heard from its middle on: half a frame off, and never biased.
                self._handed_over.append((now + FRAME_MS / 2000, clip, len(share)))
                frame += share
            if len(frame) == FRAME_BYTES:
                break
        if not frame:
            return None
        return bytes(frame).ljust(FRAME_BYTES, b"\0")

    def speaking(self, now: float) -> bool:
        """Whether the listener hears a reply now, or is about to within the reply's own flow."""
        self._advance(now)
        return any(clip.received for clip in self._clips)

    @property
    def waiting(self) -> bool:
        """Whether `take` has a frame to give."""
        if not self._clips:
            return False
        first = self._clips[0]
        return len(first.pcm) >= FRAME_BYTES or (first.finished and len(first.pcm) > 0)

    def heard_characters(self, item_id: str, now: float) -> int | None:
        """How much of an item's transcript has been heard; None once it is over, or never was."""
        self._advance(now)
        counts = [_characters(clip) for clip in self._clips if clip.item_id == item_id]
        return max(counts) if counts else None

    def stop(self, now: float) -> list[Cut]:
        """Forget all sound; what each item that was not over had been heard of, oldest first."""
        self._advance(now)
        cuts = [
            Cut(c.item_id, c.content_index, c.heard // BYTES_PER_MS, c.received // BYTES_PER_MS)
            for c in self._clips
        ]
        self._clips.clear()
        self._handed_over.clear()
        return cuts

    def _clip(self, item_id: str, content_index: int) -> _Clip | None:
        for clip in self._clips:
            if clip.item_id == item_id and clip.content_index == content_index:
                return clip
        if len(self._clips) == MOST_CLIPS:
            return None
        clip = _Clip(item_id, content_index)
        self._clips.append(clip)
        return clip

    def _advance(self, now: float) -> None:
        """Let time pass: frames whose way is over have been heard, items heard whole are over."""
        while self._handed_over and self._handed_over[0][0] + self.delay_s <= now:
            _, clip, size = self._handed_over.popleft()
            clip.hear(size)
        if any(clip.over for clip in self._clips):
            self._clips = [clip for clip in self._clips if not clip.over]


def _characters(clip: _Clip) -> int:
    """How many characters of a clip's transcript have begun to sound.

    Servers that send words in step with the audio are believed. Where the words run ahead, they are
    spread evenly over the audio once its length is known, and held to a speaking rate before.
    """
    if not clip.marks or not clip.heard:
        return 0
    first_at, first = clip.marks[0]
    last_at, known = clip.marks[-1]
    arrived = first if first_at < clip.heard else 0
    if not clip.finished:
        seconds = clip.heard / BYTES_PER_MS / 1000
        return min(arrived, round(seconds * FASTEST_SPEECH))
    if last_at >= 0.7 * clip.received:
        return arrived
    return min(arrived, round(known * clip.heard / clip.received))


def sensible_delay(seconds: float) -> float:
    """A delay that a page has measured, within bounds; 0 for NaN."""
    return min(max(0.0, seconds), MAX_DELAY_S)
