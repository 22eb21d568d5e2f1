"""What a new session has to be told of the conversation so far, and what is kept for another call.

Rule: only words, and of the assistant's only those that were heard: the API takes no assistant
audio back, and what was never heard was never said. Of the images, those that the conversation
still has are sent again, and the others named; it keeps none that a server has refused, and none
once it has ended.
"""

from dataclasses import replace
from typing import Any, Final

from components.core.conversation import (
    Conversation,
    Message,
    Status,
    as_sent,
    without_images,
)
from components.protocol.fields import Json

MOST_MESSAGES: Final = 40
MOST_CHARACTERS: Final = 12_000
"""Together; what is older stays in the transcript only."""
MOST_KEPT_CHARACTERS: Final = 100_000
"""Of a conversation that has ended: many hours of speech."""


def replay(conversation: Conversation) -> list[Json]:
    """`conversation.item.create` events named like their items, oldest first, for an empty
    session."""
    events: list[Json] = []
    room = MOST_CHARACTERS
    for message in reversed(conversation.messages):
        words = _known_to_both(message)
        if not words and not _image_url(message):
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
    newest = replace(conversation, messages=conversation.messages[first:])
    return without_images(newest)


def sent_as(event: Json) -> str:
    """What the item of an event of `replay` is known by."""
    parts = event["item"]["content"]
    words = "".join(part.get("text", "") for part in parts)
    return as_sent(words, has_image=any(part["type"] == "input_image" for part in parts))


def _known_to_both(message: Message) -> str:
    if message.role not in ("user", "assistant") or message.status is Status.UNTRANSCRIBED:
        return ""
    heard = message.heard if message.role == "assistant" else None
    words = message.text[:heard].strip()
    if message.image and not _image_url(message):
        words = f"({message.image.label}. It is not here any more.) {words}".strip()
    return words


def _image_url(message: Message) -> str:
    return message.image.url if message.image else ""


def _item(message: Message, words: str) -> Json:
    content: list[dict[str, Any]] = []
    if words:
        kind = "output_text" if message.role == "assistant" else "input_text"
        content.append({"type": kind, "text": words})
    if url := _image_url(message):
        content.append({"type": "input_image", "image_url": url})
    item = {"id": message.item_id, "type": "message", "role": message.role, "content": content}
    return {"type": "conversation.item.create", "event_id": message.item_id, "item": item}
