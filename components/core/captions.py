"""Which words of the assistant have been heard.

Rule: words come with sound, or ahead of it, and count as heard when their sound does; words whose
sound is over, or that never had any, are heard at once.
"""

from components.core.conversation import Conversation, Status, hear, reduce
from components.core.playback import Playback
from components.protocol.fields import Event, content_index, identity


class Captions:
    """Binds the words of a conversation to the sound of its playback."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self._unheard: set[str] = set()
        """Items with words that may not have been heard yet; all others need no look."""

    @property
    def unheard(self) -> frozenset[str]:
        """Items whose words are still to be heard, as far as anyone knows."""
        return frozenset(self._unheard)

    def reduce(self, conversation: Conversation, event: Event) -> Conversation:
        """The conversation after a server event, whose words are bound to the sound so far."""
        conversation = reduce(conversation, event)
        if not event["type"].startswith("response.output_audio_transcript."):
            return conversation
        item_id = identity(event, "item_id")
        message = conversation.message(item_id)
        if message is not None:
            self._unheard.add(item_id)
            if event["type"].endswith(".delta"):
                self._playback.caption(item_id, content_index(event) or 0, len(message.text))
        return conversation

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
            conversation = hear(conversation, item_id, heard)
        return conversation
