"""What a new session has to be told of the conversation so far, and what is kept for another call.

Rule: only words, and of the assistant's only those that were heard: the API takes no assistant
audio back, and what was never heard was never said.
"""

from dataclasses import replace
from typing import Any, Final

from components.core.conversation import Conversation, Message, Status
from components.protocol.fields import Json

MOST_MESSAGES: Final = 40
MOST_CHARACTERS: Final = 12_000
"""Together; what is older stays in the transcript only."""
MOST_KEPT_CHARACTERS: Final = 100_000
"""Of a conversation that has ended: many hours of speech."""


def replay(conversation: Conversation) -> list[Json]:
    """`conversation.item.create` events without ids, oldest first, for an empty session."""
    events: list[Json] = []
    room = MOST_CHARACTERS
    for message in reversed(conversation.messages):
        words = _known_to_both(message)
        if not words:
            continue
        if not events:
            words = words[-room:]  # the end of what was said last is better than nothing
        room -= len(words)
        if room < 0 or len(events) == MOST_MESSAGES:
            break
        events.append(_item(message, words))
    return events[::-1]


def kept(conversation: Conversation) -> Conversation:
    """An ended conversation as it is remembered: its newest messages, whole."""
    room = MOST_KEPT_CHARACTERS
    first = len(conversation.messages)
    for message in reversed(conversation.messages):
        room -= len(message.text)
        if room < 0:
            break
        first -= 1
    return replace(conversation, messages=conversation.messages[first:])


def _known_to_both(message: Message) -> str:
    if message.role not in ("user", "assistant") or message.status is Status.UNTRANSCRIBED:
        return ""
    heard = message.heard if message.role == "assistant" else None
    return message.text[:heard].strip()


def _item(message: Message, words: str) -> Json:
    part: dict[str, Any] = {
        "type": "output_text" if message.role == "assistant" else "input_text",
        "text": words,
    }
    item = {"id": message.item_id, "type": "message", "role": message.role, "content": [part]}
    return {"type": "conversation.item.create", "item": item}
