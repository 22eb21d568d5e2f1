"""The transcript of a call that we only watch: what a sideband's events mean.

Rule: the same `reduce` as for our own calls. Nobody here has the sound, so the server's
`output_audio_buffer` events say when the assistant speaks, and words show when they come.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from components import conversation as talk
from components.conversation import Assistant, Connection, Conversation

Event = Mapping[str, Any]


def observe(conversation: Conversation, event: Event) -> Conversation:
    """The conversation after an event of a watched call (GA names)."""
    conversation = talk.reduce(conversation, event)
    item_id = event.get("item_id")
    match event["type"]:
        case "session.created":
            return replace(conversation, connection=Connection.CONNECTED)
        case "response.created":
            return replace(conversation, assistant=Assistant.THINKING)
        case "output_audio_buffer.started":
            return replace(conversation, assistant=Assistant.SPEAKING)
        case "output_audio_buffer.stopped" | "output_audio_buffer.cleared":
            return replace(conversation, assistant=Assistant.IDLE)
        case "response.done" if conversation.assistant is Assistant.THINKING:
            return replace(conversation, assistant=Assistant.IDLE)
        case "conversation.item.truncated" if isinstance(item_id, str):
            return talk.interrupt(_all_heard(conversation, item_id), item_id)
        case "response.output_audio_transcript.delta" if isinstance(item_id, str):
            return _all_heard(conversation, item_id)
    return conversation


def ended(conversation: Conversation, notice: str = "") -> Conversation:
    """The call is over."""
    return replace(
        conversation, connection=Connection.ENDED, assistant=Assistant.IDLE, notice=notice
    )


def _all_heard(conversation: Conversation, item_id: str) -> Conversation:
    message = conversation.message(item_id)
    return talk.hear(conversation, item_id, len(message.text)) if message else conversation
