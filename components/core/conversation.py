"""What the conversation looks like after each event.

Rule: `reduce` is the only place where a server event changes the transcript. A message is placed
once, by the first event that names its `previous_item_id`, and never by when its words arrive:
transcriptions are late and out of order (protocol digest 5.3). Whatever a server sends, there is an
end to how much is kept of it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from typing import Final, Literal

from components.core.words import heard_words
from components.protocol.fields import MAX_PARTS, Event, at, clean, content_index, identity, text
from components.protocol.usage import Usage, add


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


Role = Literal["user", "assistant", "tool", "note"]
"""A note is our own mark between messages, such as "reconnected"; no server knows of it."""

MOST_MESSAGES: Final = 500
"""Kept of one conversation; the oldest go."""
MOST_CHARACTERS: Final = 32_000
"""Kept of one message, the first of them: half an hour of speech."""
MOST_OUTPUT: Final = 100
"""Items of one response that are looked at."""


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
        return next((m for m in reversed(self.messages) if m.item_id == item_id), None)


def reduce(conversation: Conversation, event: Event) -> Conversation:
    """The conversation after a server event (GA names); an unknown one changes nothing."""
    change = _CHANGES.get(event["type"])
    if change is None:
        return conversation
    conversation = change(conversation, event)
    usage = add(conversation.usage, event)
    return conversation if usage is conversation.usage else replace(conversation, usage=usage)


def typed(conversation: Conversation, item_id: str, words: str) -> Conversation:
    """The user has typed a line; the server will confirm its item."""
    parts = (clean(words[:MOST_CHARACTERS]),)
    return _put(conversation, Message(item_id, "user", Status.DONE, parts))


def note(conversation: Conversation, item_id: str, words: str) -> Conversation:
    """A mark between what was said before and what is said from now on, if there is a before.

    One that nothing has followed is replaced by the next.
    """
    if not conversation.messages:
        return conversation
    last = conversation.messages[-1]
    if last.role == "note":
        item_id = last.item_id
    return _put(conversation, Message(item_id, "note", Status.DONE, (words,), placed=True))


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


def archive(conversation: Conversation, sounding: Collection[str] = ()) -> Conversation:
    """A session is over: what was said in it gets ids of ours, as the next may use its ids again.

    Some servers count their items from one. A message that is still `sounding` keeps its id.
    """
    free = (name for n in count() if (name := f"past_{n}") not in sounding)
    messages = tuple(
        m if m.item_id in sounding else replace(m, item_id=next(free))
        for m in conversation.messages
    )
    return replace(conversation, messages=messages)


def settle(conversation: Conversation) -> Conversation:
    """The call is over: no words come any more, and none will be heard any more."""
    messages = tuple(_settled(message) for message in conversation.messages)
    return replace(conversation, messages=messages)


def _settled(message: Message) -> Message:
    status = message.status
    if message.role == "user" and status in (Status.PENDING, Status.STREAMING):
        status = Status.DONE if message.text.strip() else Status.UNTRANSCRIBED
    elif message.role == "assistant" and status in (Status.PENDING, Status.STREAMING, Status.DONE):
        status = Status.INTERRUPTED if _is_cut_short(message) else Status.DONE
    return replace(message, status=status, placed=True)


def _is_cut_short(message: Message) -> bool:
    """Whether there are words that were not heard, or that were still to come."""
    if message.status is Status.STREAMING:
        return True
    return message.heard is not None and message.heard < len(message.text)


def _position(messages: tuple[Message, ...], item_id: str) -> int | None:
    """Where the message of an item stands; found soonest near the end, where most happens."""
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].item_id == item_id:
            return index
    return None


def _put(conversation: Conversation, message: Message) -> Conversation:
    """Replace the message of the same item; a new one stands at the end until it is placed."""
    messages = conversation.messages
    index = _position(messages, message.item_id)
    if index is None:
        messages = (*messages[1 - MOST_MESSAGES :], message)
    elif messages[index] == message:
        return conversation
    else:
        messages = (*messages[:index], message, *messages[index + 1 :])
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
    return replace(conversation, messages=tuple(others[-MOST_MESSAGES:]))


def _index(messages: list[Message], event: Event) -> int | None:
    """Where the event places its item among the others; None if it does not say.

    Nothing is placed before a note, as that belongs to a session that is over. A null predecessor
    means "first", but some servers send null always: it counts as long as no other message of the
    session has its place.
    """
    begin = max((i + 1 for i, m in enumerate(messages) if m.role == "note"), default=0)
    previous = event.get("previous_item_id")
    if previous is None:
        explicit = "previous_item_id" in event and not any(m.placed for m in messages[begin:])
        return begin if explicit else None
    index = next((i + 1 for i, m in enumerate(messages) if m.item_id == previous), None)
    return None if index is None else max(index, begin)


def _speech_started(conversation: Conversation, event: Event) -> Conversation:
    item_id = identity(event, "item_id")
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
    message = _known(conversation, identity(event, "item_id"), "user")
    return conversation if message is None else _place(conversation, message, event)


def _item(conversation: Conversation, event: Event) -> Conversation:
    """An item entered the conversation, or is final: its place, and any text it brings."""
    item = at(event, "item")
    role = _role(item)
    message = None if role is None else _known(conversation, identity(item, "id"), role)
    if message is None:
        return conversation
    if not message.text:
        message = _with_content(message, item)
    return _place(conversation, message, event)


def _with_content(message: Message, item: Event) -> Message:
    """A message with the words that an item carries itself: a typed turn, or a replayed one."""
    if message.role == "tool":
        name = text(item, "name") or "result"
        return replace(_with_part(message, 0, name), status=Status.DONE)
    content = item.get("content")
    if not isinstance(content, list):
        return message
    full = message
    for index, part in enumerate(content[:MAX_PARTS]):
        full = _with_part(full, index, _content_text(part))
    return replace(full, status=Status.DONE) if full.text else message


def _content_text(part: object) -> str:
    return text(part, "text") or text(part, "transcript") if isinstance(part, Mapping) else ""


def _deleted(conversation: Conversation, event: Event) -> Conversation:
    item_id = event.get("item_id")
    kept = tuple(m for m in conversation.messages if m.item_id != item_id)
    return replace(conversation, messages=kept)


def _delta(conversation: Conversation, event: Event) -> Conversation:
    message, index = _addressed(conversation, event)
    if message is None or _is_final(message, index):
        return conversation
    room = MOST_CHARACTERS - len(message.text)
    words = _part(message, index) + text(event, "delta")[:room]
    return _put(conversation, replace(_with_part(message, index, words), status=Status.STREAMING))


def _is_final(message: Message, index: int) -> bool:
    """Whether a delta for this part comes too late."""
    if message.status is Status.DONE or message.status is Status.CUT:
        return bool(_part(message, index))
    return message.status is Status.INTERRUPTED


def _done(conversation: Conversation, event: Event) -> Conversation:
    """The final words of a part replace its deltas; those of an interrupted message are late.

    A message that was heard whole stays so, though its last words may be set right.
    """
    message, index = _addressed(conversation, event)
    if message is None or message.status is Status.INTERRUPTED:
        return conversation
    words = text(event, "transcript") or text(event, "text") or _part(message, index)
    final = _with_part(message, index, words)
    status = Status.DONE if final.text.strip() else Status.UNTRANSCRIBED
    heard = len(final.text) if message.heard == len(message.text) else message.heard
    return _put(conversation, replace(final, status=status, heard=heard))


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
    response = at(event, "response")
    cut = response.get("status") == "incomplete"
    final = Status.CUT if cut else Status.DONE
    unfinished = {Status.PENDING, Status.STREAMING} | ({Status.DONE} if cut else set())
    output = response.get("output")
    for item in output[:MOST_OUTPUT] if isinstance(output, list) else ():
        message = conversation.message(identity(item, "id")) if isinstance(item, Mapping) else None
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


def _known(conversation: Conversation, item_id: str, role: Role) -> Message | None:
    """The message of an item, or a new one; None if there is no id, or it is another side's."""
    if not item_id:
        return None
    message = conversation.message(item_id) or Message(item_id, role)
    return message if message.role == role else None


def _addressed(conversation: Conversation, event: Event) -> tuple[Message | None, int]:
    """The message and content part whose words an event brings; they may come before the item."""
    index = content_index(event)
    if index is None:
        return None, 0
    role: Role = "assistant" if event["type"].startswith("response.") else "user"
    return _known(conversation, identity(event, "item_id"), role), index


def _part(message: Message, index: int) -> str:
    return message.parts[index] if index < len(message.parts) else ""


def _with_part(message: Message, index: int, words: str) -> Message:
    """The message with other words in one part, as far as there is room for them."""
    parts = [*message.parts, *[""] * (index + 1 - len(message.parts))]
    parts[index] = ""
    room = MOST_CHARACTERS - sum(len(part) for part in parts)
    parts[index] = clean(words[:room])
    return replace(message, parts=tuple(parts))


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
