"""What the listener has heard: the sound of each reply, and which words belong to it.

Rule: words come with sound, or ahead of it, and count as heard when their sound does; words whose
sound is over, or that never had any, are heard at once.
"""

from components.core.conversation import Conversation, Status, heard_up_to
from components.core.playback import Cut, Playback, sensible_delay
from components.protocol.events import (
    AudioDelta,
    AudioDone,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    TranscriptDelta,
    TranscriptDone,
)


class Hearing:
    """The ledger of sound, and the messages whose words wait for it."""

    def __init__(self) -> None:
        self._playback = Playback()
        self._unheard: set[str] = set()
        """Items with words that may not have been heard yet; all others need no look."""

    @property
    def has_sound(self) -> bool:
        """Whether `frame` has something to give."""
        return self._playback.waiting

    @property
    def unheard(self) -> frozenset[str]:
        """Items whose words are still to be heard, as far as anyone knows."""
        return frozenset(self._unheard)

    def speaking(self, now: float) -> bool:
        """Whether the listener hears a reply now, or is about to."""
        return self._playback.speaking(now)

    def frame(self, now: float) -> bytes | None:
        """The 20 ms to hand over now (24 kHz, mono, PCM16); None for silence."""
        return self._playback.take(now)

    def delay(self, seconds: float) -> None:
        """How long the browser holds sound back; measured by the page, so not to be trusted."""
        self._playback.delay_s = sensible_delay(seconds)

    def receive(self, event: ServerEvent, conversation: Conversation) -> None:
        """A server event, and the conversation that it has led to."""
        match event:
            case AudioDelta(_, item_id, index, pcm):
                self._playback.add(item_id, index, pcm)
            case TranscriptDelta(_, item_id, index, _):
                self._wait_for_sound(item_id, index, conversation)
            case TranscriptDone(_, item_id) if conversation.message(item_id):
                self._unheard.add(item_id)
            case AudioDone(_, item_id):
                self._playback.finish(item_id)
            # A server that never ends an item must not keep the next one back.
            case ResponseCreated() | ResponseDone():
                self._playback.finish()

    def finish(self) -> None:
        """The session is gone: no more sound will come for any item."""
        self._playback.finish()

    def stop(self, now: float) -> list[Cut]:
        """Forget all sound; what each item that was not over had been heard of, oldest first."""
        return self._playback.stop(now)

    def advance(self, conversation: Conversation, now: float) -> Conversation:
        """The conversation with the words that have been heard by now."""
        for item_id in tuple(self._unheard):
            message = conversation.message(item_id)
            if message is None or message.status is Status.INTERRUPTED:
                self._unheard.remove(item_id)
                continue
            heard = self._playback.heard_characters(item_id, now)
            if heard is None:
                self._unheard.remove(item_id)
                heard = len(message.text)
            conversation = heard_up_to(conversation, item_id, heard)
        return conversation

    def _wait_for_sound(self, item_id: str, index: int, conversation: Conversation) -> None:
        """The words that the message has now belong to the sound that has come, or is to come."""
        message = conversation.message(item_id)
        if message is not None:
            self._unheard.add(item_id)
            self._playback.caption(item_id, index, len(message.text))
