"""What each server event makes of the messages.

Rule: `reduce` is the only place where a server event changes the transcript. A message is placed
once, by the first event that names its `previous_item_id`, and never by when its words arrive, as
transcriptions come late and out of order. At most `MOST_MESSAGES` are kept, and of each at most
`MOST_CHARACTERS`.
"""

from dataclasses import replace
from typing import Final

from components.core.conversation import (
    MOST_CHARACTERS,
    MOST_MESSAGES,
    Conversation,
    Message,
    Role,
    Status,
    as_sent,
    put,
)
from components.protocol.events import (
    BufferCommitted,
    Item,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    OutputItemAdded,
    OutputItemDone,
    ResponseDone,
    ServerEvent,
    SpeechStarted,
    TextDelta,
    TextDone,
    TranscriptDelta,
    TranscriptDone,
    TranscriptionDelta,
    TranscriptionDone,
    TranscriptionFailed,
)
from components.protocol.fields import clean
from components.protocol.images import Image

MOST_SHOWN: Final = 300
"""Characters of what a function is given, and of what it gives back."""

_Delta = TextDelta | TranscriptDelta | TranscriptionDelta
_Done = TextDone | TranscriptDone | TranscriptionDone


def reduce(conversation: Conversation, event: ServerEvent) -> Conversation:
    """The conversation after a server event; one that is not about messages changes nothing."""
    match event:
        case TranscriptDelta():
            return _transcript_delta(conversation, event)
        case TextDelta():
            return _delta(conversation, _addressed(conversation, event, "assistant"), event)
        case TranscriptDone() | TextDone():
            return _done(conversation, _addressed(conversation, event, "assistant"), event)
        case TranscriptionDelta():
            return _delta(conversation, _addressed(conversation, event, "user"), event)
        case TranscriptionDone():
            conversation = _done(conversation, _addressed(conversation, event, "user"), event)
            return replace(conversation, usage=conversation.usage + event.usage)
        case TranscriptionFailed():
            return _transcription_failed(conversation, event)
        case SpeechStarted(item_id):
            return _speech_started(conversation, item_id)
        case BufferCommitted(item_id, previous):
            message = _known(conversation, item_id, "user")
            return conversation if message is None else _place(conversation, message, previous)
        case ItemAdded(item, previous) | ItemDone(item, previous):
            return _item(conversation, item, previous)
        case OutputItemAdded(_, item) | OutputItemDone(_, item):
            return _item(conversation, item, None)
        case ItemDeleted(item_id):
            return _deleted(conversation, item_id)
        case ResponseDone():
            return _response_done(conversation, event)
    return conversation


def _place(conversation: Conversation, message: Message, previous: str | None) -> Conversation:
    """Enter a message, or move it, behind its predecessor; one that has its place keeps it."""
    known = conversation.message(message.item_id)
    if known is not None and known.placed:
        return put(conversation, replace(message, placed=True))
    others = [m for m in conversation.messages if m.item_id != message.item_id]
    index = _index(others, previous)
    if index is None:
        return put(conversation, message)
    others.insert(index, replace(message, placed=True))
    return replace(conversation, messages=tuple(others[-MOST_MESSAGES:]))


def _index(messages: list[Message], previous: str | None) -> int | None:
    """Where a message belongs whose predecessor the server has named; None if it has not.

    Nothing is placed before a note, as that belongs to a session that is over. "None before it"
    means "first", but some servers say that always: it counts as long as no other message of the
    session has its place.
    """
    begin = max((i + 1 for i, m in enumerate(messages) if m.role == "note"), default=0)
    if previous is None:
        return None
    if not previous:
        return None if any(m.placed for m in messages[begin:]) else begin
    index = next((i + 1 for i, m in enumerate(messages) if m.item_id == previous), None)
    return None if index is None else max(index, begin)


def _speech_started(conversation: Conversation, item_id: str) -> Conversation:
    if not item_id or conversation.message(item_id):
        return conversation
    return put(conversation, Message(item_id, "user"))


def _item(conversation: Conversation, item: Item, previous: str | None) -> Conversation:
    """An item entered the conversation, or is final: its place, and any text it brings."""
    if item.role is None or not item.item_id:
        return conversation
    conversation = _adopted(conversation, item)
    message = _known(conversation, item.item_id, item.role)
    if message is None:
        return conversation
    if message.role == "tool" or not message.text:
        message = _with_content(message, item)
    return _place(conversation, replace(message, sent=""), previous)


def _adopted(conversation: Conversation, item: Item) -> Conversation:
    """Some servers give the items that we send ids of their own: the message takes that id."""
    if conversation.message(item.item_id):
        return conversation
    words = as_sent("".join(item.parts), has_image=item.has_image)
    for message in conversation.messages:
        if words and message.sent == words and message.role == item.role:
            adopted = replace(message, item_id=item.item_id)
            messages = tuple(adopted if m is message else m for m in conversation.messages)
            return replace(conversation, messages=messages)
    return conversation


def _with_content(message: Message, item: Item) -> Message:
    """A message with what an item carries itself: a typed turn, an image, a call, a result."""
    if message.role == "tool":
        words = item.output or f"{item.name} {item.arguments}".strip() or message.text or "result"
        return replace(
            message,
            parts=(clean(words[:MOST_SHOWN]),),
            status=Status.DONE,
            call_id=item.call_id or item.result_of or message.call_id,
            name=clean(item.name[:MOST_SHOWN]) or message.name,
            arguments=clean(item.arguments[:MOST_SHOWN]) or message.arguments,
            kind=item.kind or message.kind,
            server=item.server or message.server,
        )
    full = message
    for index, words in enumerate(item.parts):
        full = _with_part(full, index, words)
    if item.has_image and not full.image:
        full = replace(full, image=Image())
    return replace(full, status=Status.DONE) if full.text or full.image else message


def _deleted(conversation: Conversation, item_id: str) -> Conversation:
    kept = tuple(m for m in conversation.messages if m.item_id != item_id)
    return replace(conversation, messages=kept)


def _delta(conversation: Conversation, message: Message | None, event: _Delta) -> Conversation:
    if message is None or _is_final(message, event.content_index):
        return conversation
    room = MOST_CHARACTERS - len(message.text)
    words = _part(message, event.content_index) + event.delta[:room]
    longer = _with_part(message, event.content_index, words)
    return put(conversation, replace(longer, status=Status.STREAMING))


def _is_final(message: Message, index: int) -> bool:
    """Whether a delta for this part comes too late."""
    if message.status is Status.DONE or message.status is Status.CUT:
        return bool(_part(message, index))
    return message.status is Status.INTERRUPTED


def _done(conversation: Conversation, message: Message | None, event: _Done) -> Conversation:
    """The final words of a part replace its deltas; those of an interrupted message are late.

    A message that was heard whole stays so, though its last words may be set right.
    """
    if message is None or message.status is Status.INTERRUPTED:
        return conversation
    words = event.words or _part(message, event.content_index)
    final = _with_part(message, event.content_index, words)
    status = Status.DONE if final.text.strip() else Status.UNTRANSCRIBED
    heard = len(final.text) if message.heard == len(message.text) else message.heard
    return put(conversation, replace(final, status=status, heard=heard))


def _transcription_failed(conversation: Conversation, event: TranscriptionFailed) -> Conversation:
    message = _known(conversation, event.item_id, "user")
    if message is None:
        return conversation
    return put(conversation, replace(message, status=Status.UNTRANSCRIBED))


def _transcript_delta(conversation: Conversation, event: TranscriptDelta) -> Conversation:
    """Words that have sound are shown only as they are heard."""
    message = _addressed(conversation, event, "assistant")
    if message is not None and message.heard is None:
        message = replace(message, heard=0)
        conversation = put(conversation, message)
    return _delta(conversation, message, event)


def _response_done(conversation: Conversation, event: ResponseDone) -> Conversation:
    """Whatever the outcome, no message of the response waits for words any more."""
    cut = event.status == "incomplete"
    final = Status.CUT if cut else Status.DONE
    unfinished = {Status.PENDING, Status.STREAMING} | ({Status.DONE} if cut else set())
    for item in event.output:
        message = conversation.message(item.item_id)
        if message is not None and message.status in unfinished:
            conversation = put(conversation, replace(message, status=final))
    return replace(conversation, usage=conversation.usage + event.usage)


def _known(conversation: Conversation, item_id: str, role: Role) -> Message | None:
    """The message of an item, or a new one; None if there is no id, or it is another side's."""
    if not item_id:
        return None
    message = conversation.message(item_id) or Message(item_id, role)
    return message if message.role == role else None


def _addressed(conversation: Conversation, event: _Delta | _Done, role: Role) -> Message | None:
    """The message whose words an event brings; they may come before the item."""
    return _known(conversation, event.item_id, role)


def _part(message: Message, index: int) -> str:
    return message.parts[index] if index < len(message.parts) else ""


def _with_part(message: Message, index: int, words: str) -> Message:
    """The message with other words in one part, as far as there is room for them."""
    parts = [*message.parts, *[""] * (index + 1 - len(message.parts))]
    parts[index] = ""
    room = MOST_CHARACTERS - sum(len(part) for part in parts)
    parts[index] = clean(words[:room])
    return replace(message, parts=tuple(parts))
