"""Reads server events: from the JSON of a frame to typed values.

Rule: what a server may have sent wrong is judged here and nowhere else. An event that is malformed,
or that nobody here knows, becomes `Other`: a sign of life and nothing more. What an older,
compatible server says is read under its GA name.
"""

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from components.audio import decode
from components.protocol.errors import server_error
from components.protocol.events import (
    AudioDelta,
    AudioDone,
    BufferCleared,
    BufferCommitted,
    ErrorEvent,
    Item,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemTruncated,
    ListedTool,
    Other,
    OutputBufferStarted,
    OutputBufferStopped,
    OutputItemAdded,
    OutputItemDone,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    Role,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    TextDone,
    ToolKind,
    ToolsListing,
    TranscriptDelta,
    TranscriptDone,
    TranscriptionDelta,
    TranscriptionDone,
    TranscriptionFailed,
)
from components.protocol.fields import MAX_PARTS, Json, at, clean, content_index, identity, text
from components.protocol.rate_limits import pause_s
from components.protocol.usage import usage_of_response, usage_of_transcription

MOST_OUTPUT: Final = 100
"""Items of one response that are looked at."""
MOST_NOTE_CHARACTERS: Final = 1000
MOST_LISTED: Final = 128
"""Tools of one MCP server."""
MOST_LABEL: Final = 100
"""Characters of a name that a server gives."""
MOST_DESCRIPTION: Final = 300
"""Characters of what one of them says of itself."""
_YEAR_10000: Final = 253_402_300_800


def parse(frame: str | bytes) -> Json:
    """The JSON of a frame, under its GA name; `ValueError` if it is no object with a type."""
    event = orjson.loads(frame)
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ValueError("not an event: no type")
    event["type"] = _GA_NAMES.get(event["type"], event["type"])
    return event


def server_event(event: Json) -> ServerEvent:
    """What an event says that `parse` gave; never raises, whatever its fields hold."""
    read = _READERS.get(event["type"])
    read_event = read(event) if read else None
    return Other(event["type"]) if read_event is None else read_event


def _session_created(event: Json) -> ServerEvent:
    notes = at(event, "session", "practice").get("notes")
    said = [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else []
    note = clean(" ".join(said)[:MOST_NOTE_CHARACTERS])
    return SessionCreated(_expires_at(event), note, _transcription_model(event))


def _session_updated(event: Json) -> ServerEvent:
    turn_detection = at(event, "session", "audio", "input", "turn_detection")
    interrupts = turn_detection.get("interrupt_response") is True
    return SessionUpdated(_expires_at(event), interrupts, _transcription_model(event))


def _transcription_model(event: Json) -> str:
    return identity(at(event, "session", "audio", "input", "transcription"), "model")


def _expires_at(event: Json) -> float | None:
    value = at(event, "session").get("expires_at")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 < value < _YEAR_10000 else None


def _error(event: Json) -> ServerEvent:
    return ErrorEvent(server_error(at(event, "error")))


def _previous(event: Json) -> str | None:
    if "previous_item_id" in event and event["previous_item_id"] is None:
        return ""
    return identity(event, "previous_item_id") or None


def _item(item: Json) -> Item:
    role = _role(item)
    item_id = identity(item, "id")
    if role != "tool":
        content = item.get("content")
        return Item(item_id, role, _parts(content), has_image=_has_image(content))
    if kind := _KINDS.get(str(item.get("type"))):
        return _mcp_item(item, item_id, kind)
    whole = item.get("type") == "function_call" and item.get("status") not in _UNFINISHED
    return Item(
        item_id,
        role,
        call_id=identity(item, "call_id") if whole else "",
        result_of=identity(item, "call_id") if item.get("type") == "function_call_output" else "",
        name=text(item, "name"),
        arguments=text(item, "arguments"),
        output=text(item, "output"),
    )


def _mcp_item(item: Json, item_id: str, kind: ToolKind) -> Item:
    output = text(item, "output")
    result_of = ""
    if kind == "mcp_approval_response":
        result_of = identity(item, "approval_request_id")
        output = "allowed" if item.get("approve") is True else "refused"
    elif error := item.get("error"):
        message = text(error, "message") if isinstance(error, Mapping) else ""
        output = orjson.dumps({"error": clean(message) or _NO_MORE}).decode()
    return Item(
        item_id,
        "tool",
        name=text(item, "name"),
        arguments=text(item, "arguments"),
        output=output,
        result_of=result_of,
        kind=kind,
        server=clean(text(item, "server_label"))[:MOST_LABEL],
        listed=_listed(item.get("tools")),
    )


def _listed(tools: object) -> tuple[ListedTool, ...]:
    found = tools[:MOST_LISTED] if isinstance(tools, list) else []
    return tuple(
        ListedTool(
            clean(text(tool, "name"))[:MOST_LABEL],
            clean(text(tool, "description"))[:MOST_DESCRIPTION],
        )
        for tool in found
        if isinstance(tool, Mapping) and text(tool, "name")
    )


_NO_MORE: Final = "It failed. The server says no more of it."
_KINDS: Final[Mapping[str, ToolKind]] = {
    "mcp_list_tools": "mcp_list_tools",
    "mcp_call": "mcp_call",
    "mcp_approval_request": "mcp_approval_request",
    "mcp_approval_response": "mcp_approval_response",
}
_UNFINISHED: Final = ("incomplete", "in_progress")


def _role(item: Json) -> Role | None:
    match item.get("type"), item.get("role"):
        case "message", "user":
            return "user"
        case "message", "assistant":
            return "assistant"
        case "message", _:
            return None
        case _:
            return "tool"


def _has_image(content: object) -> bool:
    parts = content[:MAX_PARTS] if isinstance(content, list) else []
    return any(isinstance(part, Mapping) and part.get("type") == "input_image" for part in parts)


def _parts(content: object) -> tuple[str, ...]:
    """The words of the parts, up to the last that has any."""
    parts = content[:MAX_PARTS] if isinstance(content, list) else []
    words = [
        text(part, "text") or text(part, "transcript") if isinstance(part, Mapping) else ""
        for part in parts
    ]
    while words and not words[-1]:
        words.pop()
    return tuple(words)


def _response_done(event: Json) -> ServerEvent:
    response = at(event, "response")
    output = response.get("output")
    items = output[:MOST_OUTPUT] if isinstance(output, list) else []
    return ResponseDone(
        identity(response, "id"),
        text(response, "status"),
        tuple(_item(item) for item in items if isinstance(item, Mapping)),
        server_error(at(response, "status_details", "error")),
        usage_of_response(at(response, "usage")),
    )


def _audio_delta(event: Json) -> ServerEvent | None:
    """Sound is played even where its index is broken: there is hardly ever a second part."""
    try:
        pcm = decode(event["delta"])
    except (KeyError, ValueError):
        return None
    index = content_index(event) or 0
    return AudioDelta(identity(event, "response_id"), identity(event, "item_id"), index, pcm)


_Assistant = Callable[[str, str, int, str], ServerEvent]


def _words(make: _Assistant, *names: str) -> Callable[[Json], ServerEvent | None]:
    """Reads words of the assistant, from the first of the fields that holds any."""

    def read(event: Json) -> ServerEvent | None:
        index, item_id = content_index(event), identity(event, "item_id")
        if index is None or not item_id:
            return None
        words = next((said for name in names if (said := text(event, name))), "")
        return make(identity(event, "response_id"), item_id, index, words)

    return read


def _transcription_delta(event: Json) -> ServerEvent | None:
    index, item_id = content_index(event), identity(event, "item_id")
    if index is None or not item_id:
        return None
    return TranscriptionDelta(item_id, index, text(event, "delta"))


def _transcription_done(event: Json) -> ServerEvent:
    """One without a usable item has been billed all the same."""
    index = content_index(event)
    item_id = "" if index is None else identity(event, "item_id")
    words = text(event, "transcript") or text(event, "text")
    return TranscriptionDone(item_id, index or 0, words, usage_of_transcription(at(event, "usage")))


_READERS: Final[Mapping[str, Callable[[Json], ServerEvent | None]]] = {
    "session.created": _session_created,
    "session.updated": _session_updated,
    "error": _error,
    "rate_limits.updated": lambda event: RateLimitsUpdated(pause_s(event)),
    "input_audio_buffer.speech_started": lambda event: SpeechStarted(identity(event, "item_id")),
    "input_audio_buffer.speech_stopped": lambda event: SpeechStopped(identity(event, "item_id")),
    "input_audio_buffer.committed": lambda event: BufferCommitted(
        identity(event, "item_id"), _previous(event)
    ),
    "input_audio_buffer.cleared": lambda _: BufferCleared(),
    "conversation.item.added": lambda event: ItemAdded(_item(at(event, "item")), _previous(event)),
    "conversation.item.done": lambda event: ItemDone(_item(at(event, "item")), _previous(event)),
    "conversation.item.deleted": lambda event: ItemDeleted(identity(event, "item_id")),
    "conversation.item.truncated": lambda event: ItemTruncated(identity(event, "item_id")),
    "conversation.item.input_audio_transcription.delta": _transcription_delta,
    "conversation.item.input_audio_transcription.completed": _transcription_done,
    "conversation.item.input_audio_transcription.failed": lambda event: TranscriptionFailed(
        identity(event, "item_id")
    ),
    "response.created": lambda event: ResponseCreated(identity(at(event, "response"), "id")),
    "response.output_item.added": lambda event: OutputItemAdded(
        identity(event, "response_id"), _item(at(event, "item"))
    ),
    "response.output_item.done": lambda event: OutputItemDone(
        identity(event, "response_id"), _item(at(event, "item"))
    ),
    "response.output_text.delta": _words(TextDelta, "delta"),
    "response.output_text.done": _words(TextDone, "transcript", "text"),
    "response.output_audio_transcript.delta": _words(TranscriptDelta, "delta"),
    "response.output_audio_transcript.done": _words(TranscriptDone, "transcript", "text"),
    "response.output_audio.delta": _audio_delta,
    "response.output_audio.done": lambda event: AudioDone(
        identity(event, "response_id"), identity(event, "item_id")
    ),
    "response.done": _response_done,
    "mcp_list_tools.in_progress": lambda event: ToolsListing(
        identity(event, "item_id"), "in_progress"
    ),
    "mcp_list_tools.completed": lambda event: ToolsListing(identity(event, "item_id"), "completed"),
    "mcp_list_tools.failed": lambda event: ToolsListing(identity(event, "item_id"), "failed"),
    "output_audio_buffer.started": lambda _: OutputBufferStarted(),
    "output_audio_buffer.stopped": lambda _: OutputBufferStopped(),
    "output_audio_buffer.cleared": lambda _: OutputBufferStopped(),
}

_GA_NAMES: Final[Mapping[str, str]] = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "conversation.item.created": "conversation.item.added",
}
