"""What the conversation looks like after each event.

Rule: `reduce` is the only place where a server event changes the transcript. A message is placed
once, by the first event that names its `previous_item_id`, and never by when its words arrive:
transcriptions are late and out of order (protocol digest 5.3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Literal

from components.usage import Usage, add

Event = Mapping[str, Any]


class Connection(StrEnum):
    """The call as a whole."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    FAILED = "failed"
    ENDED = "ended"


class User(StrEnum):
    """What the microphone's side does."""

    LISTENING = "listening"
    SPEAKING = "speaking"
    MUTED = "muted"


class Assistant(StrEnum):
    """What the other side does; `speaking` follows the sound, not the generation."""

    IDLE = "idle"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Status(StrEnum):
    """How far a message is."""

    PENDING = "pending"
    """Its words are still to come: speech under way, or its transcription."""
    STREAMING = "streaming"
    DONE = "done"
    INTERRUPTED = "interrupted"
    """The user spoke over it; only `heard` characters of it were heard."""
    CUT = "cut"
    """The model ran into its token limit or a content filter."""
    UNTRANSCRIBED = "untranscribed"
    """Spoken, but there are no words for it."""
    LOST = "lost"
    """The connection broke before all of it had come."""


Role = Literal["user", "assistant", "tool"]

MAX_PARTS: Final = 32
"""Content parts of a message; an index beyond is a broken server's, and ignored."""


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the transcript."""

    item_id: str
    role: Role
    status: Status = Status.PENDING
    parts: tuple[str, ...] = ()
    """The words so far, one string for each `content_index`."""
    heard: int | None = None
    """How many characters of `text` have been heard; None if it has no sound of its own."""
    placed: bool = False
    """Whether the server has named its place; until then it stands at the end."""

    @property
    def text(self) -> str:
        return "".join(self.parts)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that the page shows of a call."""

    connection: Connection = Connection.IDLE
    user: User = User.LISTENING
    assistant: Assistant = Assistant.IDLE
    messages: tuple[Message, ...] = ()
    notice: str = ""
    """The last problem, in one sentence; empty if there is none."""
    usage: Usage = field(default_factory=Usage)
    """What the server has reported so far."""

    def message(self, item_id: str) -> Message | None:
        """The message of an item, if there is one."""
        return next((m for m in self.messages if m.item_id == item_id), None)


def reduce(conversation: Conversation, event: Event) -> Conversation:
    """The conversation after a server event (GA names); an unknown one changes nothing."""
    change = _CHANGES.get(event["type"])
    if change is None:
        return conversation
    conversation = change(conversation, event)
    usage = add(conversation.usage, event)
    return conversation if usage == conversation.usage else replace(conversation, usage=usage)


def typed(conversation: Conversation, item_id: str, text: str) -> Conversation:
    """The user has typed a line; the server will confirm its item."""
    return _put(conversation, Message(item_id, "user", Status.DONE, (text,)))


def interrupt(conversation: Conversation, item_id: str) -> Conversation:
    """The user spoke over an assistant message: what was not heard by now never will be."""
    message = conversation.message(item_id)
    if message is None or message.role != "assistant" or message.status is Status.INTERRUPTED:
        return conversation
    return _put(conversation, replace(message, status=Status.INTERRUPTED))


def hear(conversation: Conversation, item_id: str, characters: int) -> Conversation:
    """So many characters of a message have been heard by now; only another whole word changes it.

    Each change becomes a snapshot for the page, which shows whole words only.
    """
    message = conversation.message(item_id)
    if message is None:
        return conversation
    heard = len(heard_words(message.text, characters))
    if heard <= (message.heard or 0):
        return conversation
    return _put(conversation, replace(message, heard=heard))


def heard_words(text: str, characters: int) -> str:
    """The words of `text` that lie within its first `characters`; a word cut in two is left out."""
    heard = text[:characters]
    if heard == text or text[characters].isspace() or heard[-1:].isspace():
        return heard
    if not any(character.isspace() for character in text):
        return heard  # some languages put no space between words
    end = len(heard)
    while end and not heard[end - 1].isspace():
        end -= 1
    return heard[:end]


def lose(conversation: Conversation) -> Conversation:
    """The connection has broken: what was still to come never will."""
    endings = {
        ("user", Status.PENDING): Status.UNTRANSCRIBED,
        ("user", Status.STREAMING): Status.LOST,
        ("assistant", Status.PENDING): Status.LOST,
        ("assistant", Status.STREAMING): Status.LOST,
    }
    messages = tuple(
        replace(m, status=endings.get((m.role, m.status), m.status), placed=True)
        for m in conversation.messages
    )
    user = User.MUTED if conversation.user is User.MUTED else User.LISTENING
    return replace(conversation, messages=messages, user=user)


def _put(conversation: Conversation, message: Message) -> Conversation:
    """Replace the message of the same item; a new one stands at the end until it is placed."""
    if conversation.message(message.item_id) is None:
        return replace(conversation, messages=(*conversation.messages, message))
    messages = tuple(message if m.item_id == message.item_id else m for m in conversation.messages)
    return replace(conversation, messages=messages)


def _place(conversation: Conversation, message: Message, event: Event) -> Conversation:
    """Enter a message, or move it, to where the event says; one that has its place keeps it."""
    known = conversation.message(message.item_id)
    if known is not None and known.placed:
        return _put(conversation, replace(message, placed=True))
    others = [m for m in conversation.messages if m.item_id != message.item_id]
    index = _index(others, event)
    if index is None:
        return _put(conversation, message)
    others.insert(index, replace(message, placed=True))
    return replace(conversation, messages=tuple(others))


def _index(messages: list[Message], event: Event) -> int | None:
    """Where the event places its item among the others; None if it does not say.

    A null predecessor means "first", but some servers send null always: it counts as long as no
    other message has its place.
    """
    previous = event.get("previous_item_id")
    if previous is None:
        explicit = "previous_item_id" in event and not any(m.placed for m in messages)
        return 0 if explicit else None
    return next((i + 1 for i, m in enumerate(messages) if m.item_id == previous), None)


def _speech_started(conversation: Conversation, event: Event) -> Conversation:
    item_id = _text(event, "item_id")
    if item_id and conversation.message(item_id) is None:
        conversation = _put(conversation, Message(item_id, "user"))
    if conversation.user is User.MUTED:
        return conversation
    return replace(conversation, user=User.SPEAKING)


def _speech_stopped(conversation: Conversation, _: Event) -> Conversation:
    if conversation.user is User.MUTED:
        return conversation
    return replace(conversation, user=User.LISTENING)


def _committed(conversation: Conversation, event: Event) -> Conversation:
    item_id = _text(event, "item_id")
    if not item_id:
        return conversation
    message = conversation.message(item_id) or Message(item_id, "user")
    return _place(conversation, message, event)


def _item(conversation: Conversation, event: Event) -> Conversation:
    """An item entered the conversation, or is final: its place, and any text it brings."""
    item = event.get("item")
    if not isinstance(item, Mapping) or not _text(item, "id"):
        return conversation
    role = _role(item)
    if role is None:
        return conversation
    message = conversation.message(item["id"]) or Message(item["id"], role)
    if not message.text:
        message = _with_content(message, item)
    return _place(conversation, message, event)


def _with_content(message: Message, item: Event) -> Message:
    """A message with the words that an item carries itself: a typed turn, or a replayed one."""
    if message.role == "tool":
        name = _text(item, "name") or "result"
        return replace(message, parts=(name,), status=Status.DONE)
    content = item.get("content")
    if not isinstance(content, list):
        return message
    words = tuple(_content_text(part) for part in content[:MAX_PARTS])
    if not any(words):
        return message
    return replace(message, parts=words, status=Status.DONE)


def _content_text(part: object) -> str:
    return _text(part, "text") or _text(part, "transcript") if isinstance(part, Mapping) else ""


def _deleted(conversation: Conversation, event: Event) -> Conversation:
    item_id = event.get("item_id")
    kept = tuple(m for m in conversation.messages if m.item_id != item_id)
    return replace(conversation, messages=kept)


def _delta(conversation: Conversation, event: Event) -> Conversation:
    message, index = _addressed(conversation, event)
    if message is None or message.status is Status.INTERRUPTED:
        return conversation
    words = _part(message, index) + _text(event, "delta")
    message = replace(_with_part(message, index, words), status=Status.STREAMING)
    return _put(conversation, message)


def _done(conversation: Conversation, event: Event) -> Conversation:
    """The final words of a part replace its deltas; those of an interrupted message are late."""
    message, index = _addressed(conversation, event)
    if message is None or message.status is Status.INTERRUPTED:
        return conversation
    words = _text(event, "transcript") or _text(event, "text") or _part(message, index)
    message = _with_part(message, index, words)
    status = Status.DONE if message.text.strip() else Status.UNTRANSCRIBED
    return _put(conversation, replace(message, status=status))


def _transcription_failed(conversation: Conversation, event: Event) -> Conversation:
    message, _ = _addressed(conversation, event)
    if message is None:
        return conversation
    return _put(conversation, replace(message, status=Status.UNTRANSCRIBED))


def _transcript_delta(conversation: Conversation, event: Event) -> Conversation:
    """Words that have sound are shown only as they are heard."""
    message, _ = _addressed(conversation, event)
    if message is not None and message.heard is None:
        conversation = _put(conversation, replace(message, heard=0))
    return _delta(conversation, event)


def _response_done(conversation: Conversation, event: Event) -> Conversation:
    """Whatever the outcome, no message of the response waits for words any more."""
    response = event.get("response")
    if not isinstance(response, Mapping):
        return conversation
    cut = response.get("status") == "incomplete"
    final = Status.CUT if cut else Status.DONE
    unfinished = {Status.PENDING, Status.STREAMING} | ({Status.DONE} if cut else set())
    output = response.get("output")
    for item in output if isinstance(output, list) else ():
        message = conversation.message(_text(item, "id")) if isinstance(item, Mapping) else None
        if message is not None and message.status in unfinished:
            conversation = _put(conversation, replace(message, status=final))
    return conversation


def _role(item: Event) -> Role | None:
    match item.get("type"), item.get("role"):
        case "message", "user":
            return "user"
        case "message", "assistant":
            return "assistant"
        case "message", _:
            return None
        case _:
            return "tool"


def _addressed(conversation: Conversation, event: Event) -> tuple[Message | None, int]:
    """The message and content part whose words an event brings; they may come before the item."""
    item_id = _text(event, "item_id")
    index = event.get("content_index", 0)
    if not item_id or not isinstance(index, int) or not 0 <= index < MAX_PARTS:
        return None, 0
    role: Role = "assistant" if event["type"].startswith("response.") else "user"
    return conversation.message(item_id) or Message(item_id, role), index


def _part(message: Message, index: int) -> str:
    return message.parts[index] if index < len(message.parts) else ""


def _with_part(message: Message, index: int, words: str) -> Message:
    parts = [*message.parts, *[""] * (index + 1 - len(message.parts))]
    parts[index] = words
    return replace(message, parts=tuple(parts))


def _text(event: Event, name: str) -> str:
    """A field that should be text; servers send null or leave it out."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


_CHANGES: Final[Mapping[str, Callable[[Conversation, Event], Conversation]]] = {
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.committed": _committed,
    "conversation.item.added": _item,
    "conversation.item.done": _item,
    "conversation.item.deleted": _deleted,
    "conversation.item.input_audio_transcription.delta": _delta,
    "conversation.item.input_audio_transcription.completed": _done,
    "conversation.item.input_audio_transcription.failed": _transcription_failed,
    "response.output_item.added": _item,
    "response.output_audio_transcript.delta": _transcript_delta,
    "response.output_audio_transcript.done": _done,
    "response.output_text.delta": _delta,
    "response.output_text.done": _done,
    "response.done": _response_done,
}
