"""The input audio buffer, and the turns found in it.

Rule: positions are milliseconds of audio written since the session began, whatever was cleared or
committed meanwhile. A quiet buffer keeps its last minute; a turn ends after five.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from components.audio import BYTES_PER_MS
from components.practice.engine.items import Conversation, Item, Part
from components.practice.engine.outputs import (
    Detect,
    Forget,
    Outbox,
    Pause,
    Recognise,
    Resume,
    Transcribe,
)
from components.practice.engine.schema import RefusedError
from components.practice.engine.turns import Started, Stopped, TurnDetector
from components.practice.engine.validate import MAX_PAUSE_MS

MIN_COMMIT_MS: Final = 100
MAX_TURN_MS: Final = 300_000
MAX_BUFFER_MS: Final = 720_000
"""Two turns of the greatest length, and some."""


class Turn(Enum):
    """What a hop of audio brought about."""

    STARTED = "started"
    COMMITTED = "committed"


class InputBuffer:
    """The microphone's side of one session."""

    def __init__(self, outbox: Outbox, conversation: Conversation, hop_ms: int) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._hop_ms = hop_ms
        self._buffer = bytearray()
        self._dropped = 0
        self._turns: TurnDetector | None = None
        self._prefix_ms = 0
        self._fresh = False
        self._item_id: str | None = None
        self._from_ms = 0
        self._onset_ms = 0
        self._fed_ms = 0
        self._transcription_model: str | None = None
        self.language = ""
        """What the client says its user speaks, as a code; empty if it does not say."""

    @property
    def end_ms(self) -> int:
        return (self._dropped + len(self._buffer)) // BYTES_PER_MS

    def configure(self, audio_input: Mapping[str, Any]) -> None:
        """Follow a session's `audio.input`."""
        transcription = audio_input["transcription"]
        self._transcription_model = transcription["model"] if transcription else None
        self.language = _language(transcription or {})
        turn_detection = audio_input["turn_detection"]
        if (turn_detection is None) != (self._turns is None):
            self._forget()
            self._turns = None
        if turn_detection is None:
            return
        if self._turns is None:
            self._turns = TurnDetector(self._hop_ms, self.end_ms)
            self._fresh = True
        self._turns.configure(turn_detection)
        # Semantic detection has no such setting; the API's default serves it.
        self._prefix_ms = turn_detection.get("prefix_padding_ms", 300)

    def append(self, pcm: bytes) -> None:
        """More audio from the client; raises `RefusedError`."""
        if len(self._buffer) + len(pcm) > MAX_BUFFER_MS * BYTES_PER_MS:
            raise RefusedError(
                "The input audio buffer is full; commit or clear it.", "input_audio_buffer_full"
            )
        self._buffer += pcm
        if self._turns is not None:
            self._outbox.ask(Detect(pcm, self._fresh))
            self._fresh = False
            return
        if self._item_id is None:
            self._open(self._start_ms)
        self._feed(self.end_ms)

    def hop(self, probability: float) -> Turn | None:
        """The next hop's speech probability."""
        if self._turns is None:
            return None
        was_speaking, was_pausing = self._turns.speaking, self._turns.pausing
        change = self._turns.hop(probability)
        if isinstance(change, Started):
            self._speech_started(change.onset_ms)
            return Turn.STARTED
        if not was_speaking:
            self._drop(self._turns.position_ms - MAX_PAUSE_MS)
            return None
        if isinstance(change, Stopped):
            self._speech_stopped(self._turns, change.speech_end_ms)
            return Turn.COMMITTED
        if self._turns.position_ms - self._from_ms > MAX_TURN_MS:
            self._speech_stopped(self._turns, self._turns.position_ms)
            return Turn.COMMITTED
        self._feed(self._turns.position_ms)
        if self._turns.pausing is not was_pausing:
            assert self._item_id is not None
            step = Resume if was_pausing else Pause
            self._outbox.ask(step(self._item_id))
        return None

    def commit(self) -> None:
        """The client ends the turn; raises `RefusedError`."""
        start_ms = self._start_ms
        if self._turns is not None and self._turns.speaking:
            start_ms = self._from_ms
        length_ms = self.end_ms - start_ms
        if length_ms < MIN_COMMIT_MS:
            raise RefusedError(
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{MIN_COMMIT_MS}ms of audio, but buffer only has {length_ms:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        if self._item_id is None:
            self._open(start_ms)
        self._commit(self.end_ms)

    def commit_silence(self, length_ms: int) -> None:
        """Nobody spoke for so long: the silence becomes an item without words."""
        start_ms = max(self._start_ms, self.end_ms - length_ms)
        item_id = self._outbox.new_id("item")
        self._outbox.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=start_ms,
            audio_end_ms=self.end_ms,
            item_id=item_id,
        )
        self._enter(Item(item_id, _USER, [self._part(start_ms, self.end_ms)], recognised=""))
        self._drop(self.end_ms)

    def clear(self) -> None:
        """The client throws away what is not committed."""
        self._forget()
        if self._turns is not None:
            self._turns.stop()
        self._drop(self.end_ms)
        self._outbox.emit("input_audio_buffer.cleared")

    @property
    def _start_ms(self) -> int:
        return self._dropped // BYTES_PER_MS

    def _speech_started(self, onset_ms: int) -> None:
        self._onset_ms = onset_ms
        self._open(max(self._start_ms, onset_ms - self._prefix_ms))
        self._outbox.emit(
            "input_audio_buffer.speech_started",
            audio_start_ms=self._from_ms,
            item_id=self._item_id,
        )
        assert self._turns is not None
        self._feed(self._turns.position_ms)

    def _speech_stopped(self, turns: TurnDetector, speech_end_ms: int) -> None:
        turns.stop()
        self._outbox.emit(
            "input_audio_buffer.speech_stopped",
            audio_end_ms=turns.position_ms,
            item_id=self._item_id,
        )
        silence_ms = turns.position_ms - speech_end_ms
        self._commit(turns.position_ms, speech_end_ms - self._onset_ms, silence_ms)

    def _open(self, start_ms: int) -> None:
        """Begin an utterance; its item is announced, but enters the conversation later."""
        self._item_id = self._outbox.new_id("item")
        self._from_ms = self._fed_ms = start_ms

    def _feed(self, end_ms: int) -> None:
        assert self._item_id is not None
        if end_ms > self._fed_ms:
            pcm = self._slice(self._fed_ms, end_ms)
            self._outbox.ask(Recognise(self._item_id, pcm, self.language))
            self._fed_ms = end_ms

    def _commit(self, end_ms: int, speech_ms: int = 0, silence_ms: int = 0) -> None:
        assert self._item_id is not None
        self._feed(end_ms)
        part = self._part(self._from_ms, end_ms)
        model = self._transcription_model
        item = Item(self._item_id, _USER, [part], pending=True, transcription_model=model)
        item.speech_ms, item.silence_ms = speech_ms, silence_ms
        self._item_id = None
        if self._turns is not None:
            self._turns.stop()
        self._drop(end_ms)
        self._enter(item)
        self._outbox.ask(Transcribe(item.id))

    def _enter(self, item: Item) -> None:
        previous = self._conversation.insert(item)
        self._outbox.emit(
            "input_audio_buffer.committed", previous_item_id=previous, item_id=item.id
        )
        for stage in ("added", "done"):
            self._outbox.emit(
                f"conversation.item.{stage}", previous_item_id=previous, item=item.wire()
            )

    def _part(self, start_ms: int, end_ms: int) -> Part:
        pcm = self._slice(start_ms, end_ms)
        return Part("input_audio", None, bytearray(pcm), len(pcm))

    def _slice(self, start_ms: int, end_ms: int) -> bytes:
        start = start_ms * BYTES_PER_MS - self._dropped
        return bytes(self._buffer[start : end_ms * BYTES_PER_MS - self._dropped])

    def _drop(self, until_ms: int) -> None:
        excess = min(until_ms, self.end_ms) * BYTES_PER_MS - self._dropped
        if excess > 0:
            del self._buffer[:excess]
            self._dropped += excess

    def _forget(self) -> None:
        if self._item_id is not None:
            self._outbox.ask(Forget(self._item_id))
            self._item_id = None


def _language(transcription: Mapping[str, Any]) -> str:
    """The one language of a `transcription` block; of several, none is known."""
    languages = transcription.get("languages") or [transcription.get("language", "")]
    return str(languages[0]) if len(languages) == 1 else ""


_USER: Final = {"type": "message", "role": "user"}
