"""What a server can say: each event as a small value of a type of its own.

Rule: these hold what was judged (`reading.py`): nothing in them is malformed, and nothing is None
but where it is said what None means.
"""

from dataclasses import dataclass
from typing import Literal

from components.protocol.errors import ServerError
from components.protocol.usage import Usage

Role = Literal["user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Other:
    """Of no consequence here, or malformed."""

    type: str


@dataclass(frozen=True, slots=True)
class SessionCreated:
    expires_at: float | None
    """Unix time in seconds at which the server ends the session; None if it does not say."""
    notes: str
    """What a practice server has to say of its parts; empty from any other."""
    transcription_model: str = ""
    """Which writes down what the user says; empty if none does, or the server does not say."""


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    expires_at: float | None
    interrupts: bool
    """Whether the server itself cancels a response when the user begins to speak."""
    transcription_model: str = ""
    """As above."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    error: ServerError


@dataclass(frozen=True, slots=True)
class RateLimitsUpdated:
    pause_s: float


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    item_id: str


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item_id: str


@dataclass(frozen=True, slots=True)
class BufferCommitted:
    item_id: str
    previous_item_id: str | None
    """None if the event does not say; empty if it says "none", by null."""


@dataclass(frozen=True, slots=True)
class BufferCleared:
    """`input_audio_buffer.cleared`."""


ToolKind = Literal[
    "", "mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"
]
"""Of an item that is about an MCP server; empty of any other."""


@dataclass(frozen=True, slots=True)
class ListedTool:
    """One that an MCP server offers."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the server's conversation. Nothing in it is None: what it lacks is empty."""

    item_id: str
    role: Role | None
    """Of a message, whose it is; `tool` for a call, a result and whatever else is no message."""
    parts: tuple[str, ...] = ()
    """The words of each content part; none where it has only sound, or none yet."""
    call_id: str = ""
    """Of a function call that is whole."""
    name: str = ""
    arguments: str = ""
    output: str = ""
    result_of: str = ""
    """Of a function's result, the id of its call; of an approval, the id of its request."""
    kind: ToolKind = ""
    server: str = ""
    """The label of the MCP server that the item is about."""
    listed: tuple[ListedTool, ...] = ()
    has_image: bool = False


@dataclass(frozen=True, slots=True)
class ItemAdded:
    item: Item
    previous_item_id: str | None
    """None if the event does not say; empty if it says "none", by null."""


@dataclass(frozen=True, slots=True)
class ItemDone:
    item: Item
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    item_id: str


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    item_id: str


@dataclass(frozen=True, slots=True)
class TranscriptionDelta:
    """Of the user's words."""

    item_id: str
    content_index: int
    delta: str


@dataclass(frozen=True, slots=True)
class TranscriptionDone:
    item_id: str
    content_index: int
    words: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class TranscriptionFailed:
    item_id: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response_id: str


@dataclass(frozen=True, slots=True)
class OutputItemAdded:
    response_id: str
    item: Item


@dataclass(frozen=True, slots=True)
class OutputItemDone:
    response_id: str
    item: Item


@dataclass(frozen=True, slots=True)
class TextDelta:
    response_id: str
    item_id: str
    content_index: int
    delta: str


@dataclass(frozen=True, slots=True)
class TextDone:
    response_id: str
    item_id: str
    content_index: int
    words: str


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """Of the assistant's words, which have sound."""

    response_id: str
    item_id: str
    content_index: int
    delta: str


@dataclass(frozen=True, slots=True)
class TranscriptDone:
    response_id: str
    item_id: str
    content_index: int
    words: str


@dataclass(frozen=True, slots=True)
class AudioDelta:
    response_id: str
    item_id: str
    content_index: int
    pcm: bytes
    """PCM16, 24 kHz, mono, of any length."""


@dataclass(frozen=True, slots=True)
class AudioDone:
    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class ResponseDone:
    response_id: str
    status: str
    """`completed`, `cancelled`, `failed`, `incomplete`, or what else the server says."""
    output: tuple[Item, ...]
    error: ServerError
    """Of a failed response."""
    usage: Usage


@dataclass(frozen=True, slots=True)
class ToolsListing:
    """An MCP server is asked for its tools, has told them, or could not be asked."""

    item_id: str
    state: Literal["in_progress", "completed", "failed"]


@dataclass(frozen=True, slots=True)
class OutputBufferStarted:
    """`output_audio_buffer.started`: the server has begun to play (WebRTC only)."""


@dataclass(frozen=True, slots=True)
class OutputBufferStopped:
    """`output_audio_buffer.stopped` or `.cleared`: the server plays nothing any more."""


Delta = AudioDelta | TranscriptDelta | TextDelta | TranscriptionDelta
"""These come by the hundred, and end nothing."""
Words = TextDelta | TextDone | TranscriptDelta | TranscriptDone
"""Of the assistant."""
ServerEvent = (
    Delta
    | Words
    | AudioDone
    | BufferCleared
    | BufferCommitted
    | ErrorEvent
    | ItemAdded
    | ItemDeleted
    | ItemDone
    | ItemTruncated
    | Other
    | OutputBufferStarted
    | OutputBufferStopped
    | OutputItemAdded
    | OutputItemDone
    | RateLimitsUpdated
    | ResponseCreated
    | ResponseDone
    | SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | ToolsListing
    | TranscriptionDone
    | TranscriptionFailed
)
