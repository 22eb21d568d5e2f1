"""What a call does with its recording: begins it, tells it what was heard, ends it.

Rule: nothing is recorded unless the page has asked for it, and of the microphone only what goes to
the server: nothing while it is muted, and of turns by hand what was said while the button was held,
or just before. Whatever becomes of the recording, the call goes on.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from components.audio import BYTES_PER_MS
from components.core.conversation import Conversation, User
from components.core.session import Session
from components.core.turns import PRE_ROLL_FRAMES
from components.protocol.prices import PRICES_AS_OF
from components.protocol.wishes import shown
from components.recording.captions import aligned
from components.recording.recording import FULL, Papers, Recording
from components.recording.shelf import LONGEST_S, Shelf
from components.recording.voices import Voices
from components.upstream.recent import Row

log = logging.getLogger(__name__)

FORMAT: Final = "realtime-voice-recording"
PAUSE_S: Final = 1.0
"""From the beginning of a recording to that of the next one, at least."""
TOO_LONG: Final = "The recording has ended: half an hour is the most. The call goes on."

Tell = Callable[[Mapping[str, Any]], None]
Transcripts = Callable[[Conversation], Mapping[str, str]]
"""The files of what was said, by their names; the times of its messages are those of the sound."""
Look = Callable[[], tuple[Sequence[Row], Mapping[str, Any]]]
"""The events and the timing of a call so far."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the recordings of a tab go, and what goes into them."""

    shelf: Shelf
    key: str
    settings: Collection[str]
    """The names of those that the visitor may see."""
    events: bool
    """Whether the visitor may look into events and timing."""
    transcripts: Transcripts


class Recorder:
    """Of one call; it does nothing until it has somewhere to keep and is asked to begin."""

    def __init__(self, session: Session, tell: Tell) -> None:
        """`tell` sends a message to the page."""
        self.keeping: Keeping | None = None
        self.look: Look = lambda: ((), {})
        self._session = session
        self._tell = tell
        self._recording: Recording | None = None
        self._begun = float("-inf")
        self._begun_at = 0.0
        """The same as Unix time."""
        self._before: deque[tuple[bytes, float]] = deque(maxlen=PRE_ROLL_FRAMES + 1)
        """What was said just before the talk button goes down, and now; and when."""
        self._heard_since: dict[str, float] = {}
        self._messages: object = ()

    def obey(self, message: Mapping[str, Any], now: float) -> None:
        """A message of the page that concerns recordings; others are ignored."""
        match message:
            case {"type": "record", "on": bool(on)}:
                self._switch(on, now)

    def greet(self, sentence: str = "") -> None:
        """Tell the page whether it is recorded, and what went wrong."""
        if self.keeping:
            on = self._recording is not None
            self._tell({"type": "recording", "on": on, "sentence": sentence})

    def microphone(self, pcm: bytes, said: float, now: float) -> None:
        """Sound of the microphone (PCM16, 24 kHz, mono) whose last sample was said then."""
        recording = self._recording
        if recording is None:
            return
        if now > recording.begun + LONGEST_S:
            self.end(now)
            self.greet(TOO_LONG)
        else:
            for part, at in self._taken(pcm, said - len(pcm) / BYTES_PER_MS / 1000):
                recording.put("left", part, at, now)
        self._note_heard(now)

    def sent(self, pcm: bytes, heard: float, now: float) -> None:
        """20 ms of the assistant's sound are on their way to the browser, to be heard then."""
        if self._recording:
            self._recording.put("right", pcm, heard, now)

    def stopped(self, now: float) -> None:
        """Every queue between us and the listener's ear is emptied."""
        if self._recording:
            self._recording.cut(now)

    def end(self, now: float) -> None:
        """The recording is over, if there is one; its ZIP is written a moment later."""
        recording, self._recording = self._recording, None
        if recording and self.keeping:
            self._note_heard(now)
            recording.end(now, self._papers(self.keeping, recording))

    def _taken(self, pcm: bytes, said: float) -> list[tuple[bytes, float]]:
        """What goes to the server now that this was said, each part with its moment."""
        user = self._session.conversation.user
        if user is User.MUTED:
            self._before.clear()
            return []
        self._before.append((pcm, said))
        by_hand = self._session.agreement.confirmed.push_to_talk
        if by_hand and user is not User.SPEAKING:
            return []
        taken = list(self._before) if by_hand else [(pcm, said)]
        self._before.clear()
        return taken

    def _switch(self, on: bool, now: float) -> None:
        """The page asks for a recording, or for its end."""
        # Each is a folder and a thread; a page that asks faster is not a person.
        if on and self._recording is None and self.keeping and now > self._begun + PAUSE_S:
            self.greet(self._begin(self.keeping, now))
            return
        if not on:
            self.end(now)
        self.greet()

    def _begin(self, keeping: Keeping, now: float) -> str:
        """Why nothing can be recorded, in a sentence; empty if it can."""
        try:
            self._recording = keeping.shelf.begin(keeping.key, now, self._failed)
        except OSError as error:
            log.warning("! nothing can be recorded: %s", error)
            return FULL
        self._begun, self._begun_at = now, time.time()
        self._heard_since, self._messages = {}, ()
        self._before.clear()
        return ""

    def _failed(self, sentence: str) -> None:
        self._recording = None
        self.greet(sentence)

    def _note_heard(self, now: float) -> None:
        """Since when something of each message has been heard."""
        messages = self._session.conversation.messages
        if messages is not self._messages:
            self._messages = messages
            for message in messages:
                if message.heard and message.item_id not in self._heard_since:
                    self._heard_since[message.item_id] = now

    def _papers(self, keeping: Keeping, recording: Recording) -> Papers:
        """All that is known at this moment; the thread that writes it makes files of it."""
        session, heard_since = self._session, self._heard_since
        conversation, cost = session.conversation, session.cost
        values = shown(session.agreement.confirmed)
        settings = {name: values[name] for name in values if name in keeping.settings}
        rows, timing = self.look() if keeping.events else ((), None)
        about = {"format": FORMAT, "version": 1, "begun_at": self._begun_at}
        spent = {
            "dollars": cost.dollars if cost else None,
            "unknown": cost.unknown if cost else None,
            "prices_as_of": PRICES_AS_OF,
            "usage": asdict(conversation.usage),
        }

        def papers(voices: Voices) -> Mapping[str, bytes]:
            said = aligned(conversation, heard_since, recording.begun, voices)
            levels = {"user": voices.user.levels, "assistant": voices.assistant.levels}
            files = {
                "recording.json": {**about, "duration_s": voices.user.seconds},
                "levels.json": {"period_s": 0.1, **levels},
                "settings.json": settings,
                "cost.json": spent,
            }
            if timing is not None:
                files["timing.json"] = dict(timing)
            written = {name: orjson.dumps(content) for name, content in files.items()}
            if timing is not None:
                lines = (orjson.dumps(row.shown()) + b"\n" for row in rows)
                written["events.jsonl"] = b"".join(lines)
            texts = keeping.transcripts(said).items()
            return written | {name: text.encode() for name, text in texts}

        return papers
