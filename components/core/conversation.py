"""A conversation as it is shown: its states, its messages, and how we ourselves change them.

Rule: values only; each function answers with another conversation. What a server event changes is
in `transcript.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from typing import Final, Literal

from components.core.words import heard_words
from components.protocol.events import ToolKind
from components.protocol.fields import clean
from components.protocol.images import Image
from components.protocol.usage import Usage


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
MOST_IMAGES: Final = 2
"""Kept of one conversation, the newest, for a session that begins anew; of older ones their size.
Each has some 200 KB."""
IMAGE_MARK: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for the image in the words of an item that has one."""


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
    sent: str = ""
    """The words that we have sent as its item, until the server shows that it has the item; with
    `IMAGE_MARK` behind them if it has an image."""
    call_id: str = ""
    """Of a function's call, and of its result."""
    name: str = ""
    """Of the function that was called."""
    arguments: str = ""
    """What it was given, as the model wrote it."""
    kind: ToolKind = ""
    server: str = ""
    """The label of the MCP server that the message is about."""
    image: Image | None = None
    since_s: float | None = field(default=None, compare=False)
    """When it was first shown, on the clock of the call; None before."""
    until_s: float | None = field(default=None, compare=False)
    """When its words, or how many of them were heard, changed last."""

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


def typed(
    conversation: Conversation, item_id: str, words: str, image: Image | None = None
) -> Conversation:
    """The user has typed a line, or chosen an image, which is sent as an item; the server will
    confirm it."""
    said = clean(words[:MOST_CHARACTERS])
    sent = as_sent(said, has_image=image is not None)
    message = Message(item_id, "user", Status.DONE, (said,), sent=sent, image=image)
    conversation = put(conversation, message)
    return without_images(conversation, MOST_IMAGES) if image else conversation


def as_sent(words: str, *, has_image: bool) -> str:
    """What an item with these words is known by until the server names it."""
    return words + IMAGE_MARK if has_image else words


def without_images(conversation: Conversation, most: int = 0) -> Conversation:
    """The conversation with the newest `most` images; of all others only the size is kept."""
    messages = list(conversation.messages)
    for index in range(len(messages) - 1, -1, -1):
        image = messages[index].image
        if image is None or not image.url:
            continue
        most -= 1
        if most < 0:
            messages[index] = _without_image(messages[index])
    return replace(conversation, messages=tuple(messages))


def without_image(conversation: Conversation, item_id: str) -> Conversation:
    """The conversation with only the size of the image of this item, if there is such an item."""
    message = conversation.message(item_id)
    if message is None or message.image is None:
        return conversation
    return put(conversation, _without_image(message))


def _without_image(message: Message) -> Message:
    return replace(message, image=message.image and replace(message.image, url=""))


def replayed(conversation: Conversation, sent: Mapping[str, str]) -> Conversation:
    """A new session is told of these messages, by their ids, in these words."""
    messages = tuple(
        replace(m, sent=sent[m.item_id]) if m.item_id in sent else m for m in conversation.messages
    )
    return replace(conversation, messages=messages)


def note(conversation: Conversation, item_id: str, words: str) -> Conversation:
    """A mark between what was said before and what is said from now on, if there is a before.

    One that nothing has followed is replaced by the next.
    """
    if not conversation.messages:
        return conversation
    last = conversation.messages[-1]
    if last.role == "note":
        item_id = last.item_id
    return put(conversation, Message(item_id, "note", Status.DONE, (words,), placed=True))


def interrupt(conversation: Conversation, item_id: str) -> Conversation:
    """The user spoke over an assistant message: what was not heard by now never will be."""
    message = conversation.message(item_id)
    if message is None or message.role != "assistant" or message.status is Status.INTERRUPTED:
        return conversation
    return put(conversation, replace(message, status=Status.INTERRUPTED))


def heard_up_to(conversation: Conversation, item_id: str, characters: int) -> Conversation:
    """So many characters of a message have been heard by now; only another whole word changes it.

    Each change becomes a snapshot for the page, which shows whole words only.
    """
    message = conversation.message(item_id)
    if message is None:
        return conversation
    heard = len(heard_words(message.text, characters))
    if heard <= (message.heard or 0):
        return conversation
    return put(conversation, replace(message, heard=heard))


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
    return replace(conversation, messages=messages)


def timed(conversation: Conversation, before: Conversation, now: float) -> Conversation:
    """Note of each message that it is new, or says more than it did before."""
    known = {m.item_id: m for m in before.messages}
    messages = tuple(_timed(m, known.get(m.item_id), now) for m in conversation.messages)
    return replace(conversation, messages=messages)


def _timed(message: Message, before: Message | None, now: float) -> Message:
    if message.since_s is None:
        return replace(message, since_s=now, until_s=now)
    if before is None or (before.parts, before.heard) == (message.parts, message.heard):
        return message
    return replace(message, until_s=now)


def archive(conversation: Conversation, sounding: Collection[str] = ()) -> Conversation:
    """A session is over: what was said in it gets ids of ours, as the next may use its ids again.

    Some servers count their items from one. A message that is still `sounding` keeps its id.
    """
    free = (name for n in count() if (name := f"past_{n}") not in sounding)
    messages = tuple(
        replace(m, item_id=m.item_id if m.item_id in sounding else next(free), sent="")
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


def put(conversation: Conversation, message: Message) -> Conversation:
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
