"""The conversation's items: their order, their sound, and what they weigh in tokens.

Rule: an item is shown as the API shows it, without sound unless asked; cutting an item's sound cuts
the words that were not heard with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.audio import BYTES_PER_MS, decode, encode
from components.practice.engine.g711 import decoder, encoder
from components.practice.engine.images import size_of
from components.practice.engine.schema import RefusedError

MAX_AUDIO_BYTES: Final = 32 * 1024 * 1024
"""Sound kept for retrieval: eleven minutes. The oldest is dropped first."""
USER_MS_PER_TOKEN: Final = 100
ASSISTANT_MS_PER_TOKEN: Final = 50
CHARACTERS_PER_TOKEN: Final = 4
TOKENS_PER_IMAGE: Final = 765
"""Of any size: nobody looks into it."""


Formats = Mapping[str, str]
"""What the sound is coded as (`audio/pcm`, …), by the type of content."""


@dataclass(slots=True)
class Part:
    """One entry of a message's content."""

    type: str
    text: str | None = ""
    """The text, or the transcript; None while nobody has written it down."""
    pcm: bytearray = field(default_factory=bytearray)
    length: int = 0
    """Bytes of the sound, even when it is no longer kept. Milliseconds would each time lose a part,
    and a listener who has heard all of it would have heard more than there is."""
    words: list[tuple[int, str]] = field(default_factory=list)
    """Each word, and after how many bytes of the sound it begins."""
    image: Mapping[str, Any] = field(default_factory=dict)
    sent: str | None = None
    """All words that were sent, once they have been cut to those that were heard."""

    @property
    def audio_ms(self) -> int:
        """How long the sound is."""
        return self.length // BYTES_PER_MS

    def speak(self, pcm: bytes, words: str) -> None:
        """Append sound, and the words that begin in it, spread evenly over it."""
        pieces = _pieces(words)
        for index, piece in enumerate(pieces):
            self.words.append((self.length + len(pcm) * index // len(pieces), piece))
        self.pcm += pcm
        self.length += len(pcm)
        self.text = (self.text or "") + words

    def truncate(self, end_ms: int) -> None:
        """Forget all sound from `end_ms` on, and the words that begin there."""
        self.sent = self.text if self.sent is None else self.sent
        self.length = end_ms * BYTES_PER_MS
        del self.pcm[self.length :]
        self.words = [(start, word) for start, word in self.words if start < self.length]
        self.text = "".join(word for _, word in self.words)

    def wire(self, formats: Formats | None) -> dict[str, Any]:
        """As the API shows it; with its sound, if that has a format."""
        match self.type:
            case "input_audio" | "output_audio":
                sound = {}
                if formats is not None:
                    sound["audio"] = encode(encoder(formats[self.type])(bytes(self.pcm)))
                return {"type": self.type, "transcript": self.text, **sound}
            case "input_image":
                return {"type": self.type, **self.image}
            case _:
                return {"type": self.type, "text": self.text}


def _pieces(words: str) -> list[str]:
    """The words, each with the space after it, as far as they have one."""
    pieces: list[str] = []
    for piece in words.split(" "):
        if pieces:
            pieces[-1] += " "
        pieces.append(piece)
    return [piece for piece in pieces if piece]


@dataclass(frozen=True, slots=True)
class Tokens:
    """So many of each kind."""

    text: int = 0
    audio: int = 0
    image: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.text + other.text, self.audio + other.audio, self.image + other.image)

    @property
    def total(self) -> int:
        return self.text + self.audio + self.image


@dataclass(slots=True)
class Item:
    """One item of a conversation."""

    id: str
    fields: Mapping[str, Any]
    """What the API shows beside id, object, status and content."""
    content: list[Part] | None = None
    """None if the item is no message."""
    status: str = "completed"
    pending: bool = False
    """Its words are still to be made out."""
    recognised: str | None = None
    """The words that the ears recognised in its sound: "" if none, None if there are no ears."""
    speech_ms: int = 0
    """How long somebody spoke in it, as far as that is known."""
    silence_ms: int = 0
    """How long the silence was by which the end of that was known; 0 if somebody told it."""
    transcription_model: str | None = None
    """Which the session wanted to write its words down; None if they were not wanted."""
    announced: str = ""
    """As much of its transcript as clients have got."""
    truncated: bool = False

    def wire(self, formats: Formats | None = None) -> dict[str, Any]:
        """As the API shows it; with its sound, if that has a format."""
        shown = {"id": self.id, "object": "realtime.item", "status": self.status, **self.fields}
        if self.content is not None:
            shown["content"] = [part.wire(formats) for part in self.content]
        return shown

    def context(self) -> dict[str, Any]:
        """As whoever thinks of an answer sees it: with what was recognised, even if unwritten, and
        with what was sent, even if unheard."""
        shown = self.wire()
        for part, known in zip(shown.get("content", ()), self.content or (), strict=True):
            if part["type"] == "input_audio" and not part["transcript"]:
                part["transcript"] = self.recognised
            if known.sent is not None:
                part["sent"] = known.sent
        return shown

    @property
    def audio_ms(self) -> int:
        return sum(part.audio_ms for part in self.content or ())

    def tokens(self) -> Tokens:
        """What it weighs."""
        text = sum(len(str(self.fields.get(name, ""))) for name in ("name", "arguments", "output"))
        audio = image = 0
        for part in self.content or ():
            if part.type == "input_audio":
                audio += part.audio_ms // USER_MS_PER_TOKEN
            elif part.type == "input_image":
                image += TOKENS_PER_IMAGE
            else:
                audio += part.audio_ms // ASSISTANT_MS_PER_TOKEN
                text += len(part.text or "")
        return Tokens(text_tokens(text), audio, image)


def text_tokens(characters: int) -> int:
    """About what a text of so many characters weighs."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def item_from(shown: Mapping[str, Any], item_id: str, formats: Formats) -> Item:
    """An item as a client describes it, already checked for form; raises `RefusedError`."""
    kept = {
        name: value
        for name, value in shown.items()
        if name not in ("id", "object", "status", "content")
    }
    content = None
    if "content" in shown:
        content = [_part(part, index, formats) for index, part in enumerate(shown["content"])]
    return Item(item_id, kept, content)


def _part(shown: Mapping[str, Any], index: int, formats: Formats) -> Part:
    match shown["type"]:
        case "input_audio":
            coded = audio_bytes(shown["audio"], f"item.content[{index}].audio")
            pcm = decoder(formats["input_audio"])(coded)
            return Part("input_audio", shown.get("transcript"), bytearray(pcm), len(pcm))
        case "output_audio":
            part = Part("output_audio")
            coded = audio_bytes(shown.get("audio", ""), f"item.content[{index}].audio")
            pcm = decoder(formats["output_audio"])(coded)
            part.speak(pcm, shown.get("transcript", ""))
            return part
        case "input_image":
            size_of(shown["image_url"], f"item.content[{index}].image_url")
            return Part("input_image", image={k: v for k, v in shown.items() if k != "type"})
        case kind:
            return Part(kind, shown["text"])


def audio_bytes(text: str, param: str) -> bytes:
    """The sound of a base64 text, as it is coded; raises `RefusedError`."""
    try:
        return decode(text)
    except ValueError:
        raise RefusedError(
            f"Invalid '{param}'. Expected base64-encoded audio bytes but got an invalid value.",
            param=param,
        ) from None


class Conversation:
    """The default conversation, in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def get(self, item_id: str) -> Item | None:
        """The item with this id, if there is one."""
        return next((item for item in self.items if item.id == item_id), None)

    def require(self, item_id: str, code: str, param: str = "item_id") -> Item:
        """The item with this id; raises `RefusedError`."""
        item = self.get(item_id)
        if item is None:
            raise RefusedError(f"Item with item_id '{item_id}' not found.", code, param)
        return item

    def insert(self, item: Item, after: str | None = None) -> str | None:
        """Enter an item and return its predecessor's id.

        `after` is an item's id, "root" for the beginning, or None for the end.
        """
        if self.get(item.id) is not None:
            raise RefusedError(
                f"Error adding item: an item with id '{item.id}' already exists.",
                "item_create_duplicate_item_id",
            )
        index = self._index(after)
        self.items.insert(index, item)
        self.drop_old_audio()
        return self.items[index - 1].id if index else None

    def _index(self, after: str | None) -> int:
        if after is None:
            return len(self.items)
        if after == "root":
            return 0
        self.require(after, "item_create_invalid_previous_item_id", "previous_item_id")
        return [item.id for item in self.items].index(after) + 1

    def delete(self, item_id: str) -> Item:
        """Remove an item and return it; raises `RefusedError`."""
        item = self.require(item_id, "item_delete_invalid_item_id")
        self.items = [other for other in self.items if other is not item]
        return item

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut an assistant's sound to what was heard; raises `RefusedError`."""
        item = self.require(item_id, "item_truncate_invalid_item_id")
        parts = item.content or []
        if item.fields.get("role") != "assistant" or not any(
            part.type == "output_audio" for part in parts
        ):
            raise RefusedError("Only model output audio messages can be truncated", None)
        if content_index >= len(parts):
            raise RefusedError(
                f"Invalid 'content_index': the item has {len(parts)} content parts.",
                param="content_index",
            )
        part = parts[content_index]
        if part.audio_ms < audio_end_ms:
            raise RefusedError(
                f"Audio content of {part.audio_ms}ms is already shorter than {audio_end_ms}ms",
                None,
                "audio_end_ms",
            )
        part.truncate(audio_end_ms)
        item.truncated = True

    def drop_old_audio(self) -> None:
        """Keep the sound of the newest items only; how long it was stays known."""
        kept = 0
        for part in _parts(reversed(self.items)):
            kept += len(part.pcm)
            if kept > MAX_AUDIO_BYTES:
                kept -= len(part.pcm)
                part.pcm.clear()


def _parts(items: Iterable[Item]) -> Iterable[Part]:
    return (part for item in items for part in item.content or ())
