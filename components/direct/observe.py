"""What is known of a call that we only watch: what a sideband's events mean.

Rule: the same `reduce` as for our own calls. Nobody here has the sound, so the server's
`output_audio_buffer` events say when the assistant speaks, and words show when they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from components.core import conversation as talk
from components.core.conversation import Assistant, Connection, Conversation, User
from components.protocol import prices as pricing
from components.protocol.fields import Event, at, text

MOST_SHOWN: Final = 300
"""Characters of what a function is given, and gives back."""
_BEGUN: Final = Conversation(connection=Connection.CONNECTING)


@dataclass(frozen=True, slots=True)
class Seen:
    """A watched call at one moment."""

    model: str
    conversation: Conversation = _BEGUN
    answer_s: float | None = None
    """From the end of the user's last words, as the server found it, to the answer's sound."""
    asked_at: float | None = None
    """When the user's words ended that have no answer yet; on the clock of `observe`."""

    @property
    def cost(self) -> float | None:
        """US dollars so far; None if nobody knows the model's price."""
        return pricing.cost(self.conversation.usage, self.model)


def observe(seen: Seen, event: Event, now: float) -> Seen:
    """What is known after an event of the call (GA names), which came at `now` (seconds)."""
    conversation = _after(talk.reduce(seen.conversation, event), event)
    seen = replace(seen, conversation=conversation)
    match event["type"]:
        case "input_audio_buffer.speech_started":
            return replace(seen, asked_at=None)
        case "input_audio_buffer.speech_stopped":
            return replace(seen, asked_at=now)
        case "output_audio_buffer.started" if seen.asked_at is not None:
            return replace(seen, answer_s=now - seen.asked_at, asked_at=None)
    return seen


def noting(seen: Seen, notice: str) -> Seen:
    """With something that the visitor should know; empty if there is nothing."""
    if seen.conversation.notice == notice:
        return seen
    return replace(seen, conversation=replace(seen.conversation, notice=notice))


def is_active(conversation: Conversation) -> bool:
    """Whether somebody speaks."""
    return conversation.user is User.SPEAKING or conversation.assistant is Assistant.SPEAKING


def ended(seen: Seen, notice: str = "") -> Seen:
    """The call is over."""
    conversation = replace(
        talk.settle(seen.conversation),
        connection=Connection.ENDED,
        user=User.LISTENING,
        assistant=Assistant.IDLE,
        notice=notice,
    )
    return replace(seen, conversation=conversation)


def _after(conversation: Conversation, event: Event) -> Conversation:
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
            # What it has called runs now, and another response follows.
            if _calls(at(event, "response")):
                return conversation
            return replace(conversation, assistant=Assistant.IDLE)
        case "conversation.item.added" | "response.output_item.done":
            return _with_function(conversation, at(event, "item"))
        case "conversation.item.truncated" if isinstance(item_id, str):
            return talk.interrupt(_all_heard(conversation, item_id), item_id)
        case "response.output_audio_transcript.delta" if isinstance(item_id, str):
            return _all_heard(conversation, item_id)
    return conversation


def _calls(response: Event) -> bool:
    """Whether functions run now, after which another response follows."""
    output = response.get("output")
    items = output if isinstance(output, list) else []
    calls = any(isinstance(item, Mapping) and item.get("type") == "function_call" for item in items)
    return calls and response.get("status") == "completed"


def _with_function(conversation: Conversation, item: Event) -> Conversation:
    """What a function was given, or gave back, in the message of that item."""
    shown = text(item, "output") or f"{text(item, 'name')} {text(item, 'arguments')}".strip()
    message = conversation.message(text(item, "id"))
    if message is None or message.role != "tool" or not shown:
        return conversation
    told = replace(message, parts=(shown[:MOST_SHOWN],))
    messages = tuple(told if m is message else m for m in conversation.messages)
    return replace(conversation, messages=messages)


def _all_heard(conversation: Conversation, item_id: str) -> Conversation:
    message = conversation.message(item_id)
    return talk.hear(conversation, item_id, len(message.text)) if message else conversation
