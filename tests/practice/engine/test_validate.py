import json
from typing import Any

import pytest

from components.practice.engine.schema import RefusedError
from components.practice.engine.validate import check_event, event_id_of


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def audio_in(**fields: Any) -> dict[str, Any]:
    return update(audio={"input": fields})


def audio_out(**fields: Any) -> dict[str, Any]:
    return update(audio={"output": fields})


def vad(**fields: Any) -> dict[str, Any]:
    return audio_in(turn_detection={"type": "server_vad", **fields})


def transcription(**fields: Any) -> dict[str, Any]:
    return audio_in(transcription={"model": "gpt-transcribe", **fields})


def mcp(**fields: Any) -> dict[str, Any]:
    server = {"type": "mcp", "server_label": "docs", "server_url": "https://example.com/mcp"}
    return update(tools=[{**server, **fields}])


def tool(**fields: Any) -> dict[str, Any]:
    return update(tools=[{"type": "function", "name": "look", **fields}])


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": fields}


def message(role: str, *content: Any, **fields: Any) -> dict[str, Any]:
    return item(type="message", role=role, content=list(content), **fields)


def respond(**response: Any) -> dict[str, Any]:
    return {"type": "response.create", "response": response}


def truncate(**fields: Any) -> dict[str, Any]:
    event = {"item_id": "i", "content_index": 0, "audio_end_ms": 0, **fields}
    return {"type": "conversation.item.truncate", **event}


TEXT = {"type": "input_text", "text": "hi"}
PNG = {"type": "input_image", "image_url": "data:image/png;base64,aaaa", "detail": "low"}

GOOD = [
    update(),
    update(instructions="", tools=[], model="practice-engine", parallel_tool_calls=True),
    update(output_modalities=["text"], max_output_tokens=1, truncation="disabled"),
    update(max_output_tokens="inf", reasoning={"effort": "low"}, tracing="auto"),
    update(reasoning=None, tracing=None, include=None, prompt=None),
    update(prompt={"id": "p", "version": "2", "variables": {"city": "Paris"}}),
    audio_out(voice={"id": "voice_1"}),
    audio_in(transcription={}),
    audio_in(transcription={"language": "en"}),
    message("assistant", {"type": "output_audio", "transcript": "Hello.", "audio": "AAAA"}),
    message("assistant", {"type": "output_audio"}),
    respond(instructions=None, tools=None, audio={"output": {"voice": None}}, metadata=None),
    {"type": "response.create", "response": None},
    update(tracing={"workflow_name": "w", "metadata": {"a": 1}}),
    update(include=["item.input_audio_transcription.logprobs"]),
    update(
        truncation={
            "type": "retention_ratio",
            "retention_ratio": 0.8,
            "token_limits": {"post_instructions": 16000},
        }
    ),
    audio_in(format={"type": "audio/pcm"}, noise_reduction=None, transcription=None),
    audio_in(format={"type": "audio/pcm", "rate": 24000}, turn_detection=None),
    audio_in(noise_reduction={"type": "far_field"}),
    audio_out(voice="cedar", speed=1.5, format={"type": "audio/pcm", "rate": 24000}),
    vad(threshold=0, prefix_padding_ms=0, silence_duration_ms=0, idle_timeout_ms=5000),
    vad(create_response=False, interrupt_response=False, idle_timeout_ms=None),
    audio_in(turn_detection={"type": "semantic_vad", "eagerness": "low"}),
    transcription(language="en", languages=["en", "de"], keywords=["Gradio"], prompt="names"),
    audio_in(transcription={"model": "gpt-realtime-whisper", "delay": "low"}),
    tool(description="d", parameters={"type": "object", "properties": {}}),
    update(tool_choice="required"),
    update(tool_choice={"type": "function", "name": "look"}),
    {"type": "input_audio_buffer.append", "audio": ""},
    {"type": "input_audio_buffer.commit", "event_id": "e"},
    {"type": "input_audio_buffer.clear", "event_id": None},
    {"type": "output_audio_buffer.clear"},
    message("system", TEXT),
    message("user", TEXT, PNG, {"type": "input_audio", "audio": "AAAA", "transcript": "t"}),
    message("assistant", {"type": "output_text", "text": "hi"}, id="a", status="completed"),
    item(type="function_call", name="look", arguments="{}", call_id="c"),
    item(type="function_call_output", call_id="c", output=""),
    {**message("user", TEXT), "previous_item_id": "root"},
    {**message("user", TEXT), "previous_item_id": None},
    truncate(),
    {"type": "conversation.item.delete", "item_id": "i"},
    {"type": "conversation.item.retrieve", "item_id": "i"},
    {"type": "response.create"},
    respond(conversation="none", metadata={"a": "b"}, input=[], output_modalities=["text"]),
    respond(metadata=None, input=[{"type": "item_reference", "id": "i"}]),
    respond(input=[message("user", TEXT)["item"]], audio={"output": {"voice": "ash"}}),
    {"type": "response.cancel"},
    {"type": "response.cancel", "response_id": "r"},
]


def meant(event: dict[str, Any]) -> Any:
    """The event without its nulls, where they are as good as missing."""
    if event["type"] not in ("response.create", "conversation.item.create"):
        return event
    return json.loads(
        json.dumps(event), object_hook=lambda o: {k: v for k, v in o.items() if v is not None}
    )


@pytest.mark.parametrize("event", GOOD, ids=lambda event: event["type"])
def test_good_events_pass(event: dict[str, Any]) -> None:
    assert check_event(event) == meant(event)


BAD = [
    (
        audio_in(format={"type": "audio/pcmu", "rate": 8000}),
        "unknown_parameter",
        "session.audio.input.format.rate",
    ),
    ({"type": "response.create", "response": 7}, "invalid_type", "response"),
    (update(type="transcription"), "invalid_value", "session.type"),
    ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
    ({"type": "session.update"}, "missing_required_parameter", "session"),
    ({"type": "session.update", "session": None}, "invalid_type", "session"),
    (update(modalities=["audio"]), "unknown_parameter", "session.modalities"),
    (update(voice="marin"), "unknown_parameter", "session.voice"),
    (update(temperature=0.8), "unknown_parameter", "session.temperature"),
    (update(input_audio_format="pcm16"), "unknown_parameter", "session.input_audio_format"),
    (update(prompt={"version": "2"}), "missing_required_parameter", "session.prompt.id"),
    (
        audio_out(voice={"name": "me"}),
        "missing_required_parameter",
        "session.audio.output.voice.id",
    ),
    (update(output_modalities=["audio", "text"]), "invalid_value", "session.output_modalities"),
    (update(output_modalities=[]), "invalid_value", "session.output_modalities"),
    (update(output_modalities=["video"]), "invalid_value", "session.output_modalities[0]"),
    (update(output_modalities="text"), "invalid_type", "session.output_modalities"),
    (update(instructions=None), "invalid_type", "session.instructions"),
    (update(max_output_tokens=0), "invalid_value", "session.max_output_tokens"),
    (update(max_output_tokens=4097), "invalid_value", "session.max_output_tokens"),
    (update(max_output_tokens="all"), "invalid_type", "session.max_output_tokens"),
    (update(reasoning={"effort": "huge"}), "invalid_value", "session.reasoning.effort"),
    (update(tracing="on"), "invalid_value", "session.tracing"),
    (update(tracing={"name": "w"}), "unknown_parameter", "session.tracing.name"),
    (update(truncation="never"), "invalid_value", "session.truncation"),
    (
        update(truncation={"type": "retention_ratio", "retention_ratio": 2}),
        "invalid_value",
        "session.truncation.retention_ratio",
    ),
    (update(include=["everything"]), "invalid_value", "session.include[0]"),
    (update(tool_choice="maybe"), "invalid_value", "session.tool_choice"),
    (update(tool_choice={"type": "mcp"}), "invalid_value", "session.tool_choice.type"),
    (
        update(tool_choice={"type": "function"}),
        "missing_required_parameter",
        "session.tool_choice.name",
    ),
    (
        update(tools=[{"type": "mcp"}]),
        "missing_required_parameter",
        "session.tools[0].server_label",
    ),
    (mcp(server_url="example.com"), "invalid_value", "session.tools[0].server_url"),
    (mcp(server_url=7), "invalid_type", "session.tools[0].server_url"),
    (mcp(require_approval="sometimes"), "invalid_value", "session.tools[0].require_approval"),
    (mcp(allowed_tools="search"), "invalid_type", "session.tools[0].allowed_tools"),
    (mcp(name="search"), "unknown_parameter", "session.tools[0].name"),
    (update(tools=[{"name": "x"}]), "missing_required_parameter", "session.tools[0].type"),
    (tool(name="not a name"), "invalid_value", "session.tools[0].name"),
    (tool(strict=True), "unknown_parameter", "session.tools[0].strict"),
    (tool(parameters=[]), "invalid_type", "session.tools[0].parameters"),
    (tool(function={"name": "x"}), "unknown_parameter", "session.tools[0].function"),
    (audio_in(format="pcm16"), "invalid_type", "session.audio.input.format"),
    (audio_in(format={"type": "audio/opus"}), "invalid_value", "session.audio.input.format.type"),
    (
        audio_in(format={"type": "audio/pcm", "rate": 16000}),
        "invalid_value",
        "session.audio.input.format.rate",
    ),
    (audio_in(noise_reduction="on"), "invalid_type", "session.audio.input.noise_reduction"),
    (audio_out(voice="siri"), "invalid_value", "session.audio.output.voice"),
    (audio_out(voice=7), "invalid_type", "session.audio.output.voice"),
    (audio_out(speed=0.2), "invalid_value", "session.audio.output.speed"),
    (audio_out(speed=1.6), "invalid_value", "session.audio.output.speed"),
    (audio_out(speed="1"), "invalid_type", "session.audio.output.speed"),
    (
        audio_in(turn_detection={}),
        "missing_required_parameter",
        "session.audio.input.turn_detection.type",
    ),
    (
        audio_in(turn_detection={"type": "none"}),
        "invalid_value",
        "session.audio.input.turn_detection.type",
    ),
    (vad(threshold=1.1), "invalid_value", "session.audio.input.turn_detection.threshold"),
    (
        vad(prefix_padding_ms=-1),
        "invalid_value",
        "session.audio.input.turn_detection.prefix_padding_ms",
    ),
    (
        vad(silence_duration_ms=0.5),
        "invalid_type",
        "session.audio.input.turn_detection.silence_duration_ms",
    ),
    (
        vad(idle_timeout_ms=4999),
        "invalid_value",
        "session.audio.input.turn_detection.idle_timeout_ms",
    ),
    (
        vad(idle_timeout_ms=30_001),
        "invalid_value",
        "session.audio.input.turn_detection.idle_timeout_ms",
    ),
    (
        vad(create_response="yes"),
        "invalid_type",
        "session.audio.input.turn_detection.create_response",
    ),
    (
        vad(eagerness="low"),
        "unknown_parameter",
        "session.audio.input.turn_detection.eagerness",
    ),
    (
        audio_in(turn_detection={"type": "semantic_vad", "threshold": 0.5}),
        "unknown_parameter",
        "session.audio.input.turn_detection.threshold",
    ),
    (
        audio_in(turn_detection={"type": "semantic_vad", "eagerness": "max"}),
        "invalid_value",
        "session.audio.input.turn_detection.eagerness",
    ),
    (
        audio_in(transcription={"model": "parrot"}),
        "invalid_value",
        "session.audio.input.transcription.model",
    ),
    (transcription(delay="low"), "invalid_value", "session.audio.input.transcription.delay"),
    (
        audio_in(transcription={"model": "whisper-1", "keywords": []}),
        "invalid_value",
        "session.audio.input.transcription.keywords",
    ),
    (
        audio_in(transcription={"model": "gpt-realtime-whisper", "prompt": "x"}),
        "invalid_value",
        "session.audio.input.transcription.prompt",
    ),
    ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
    ({"type": "input_audio_buffer.append", "audio": b""}, "invalid_type", "audio"),
    (
        {"type": "input_audio_buffer.append", "audio": "A" * (20 * 1024 * 1024 + 8)},
        "invalid_value",
        "audio",
    ),
    ({"type": "input_audio_buffer.commit", "force": 1}, "unknown_parameter", "force"),
    (item(type="mcp_call"), "invalid_value", "item.type"),
    (item(role="user"), "missing_required_parameter", "item.type"),
    (message("tool", TEXT), "invalid_value", "item.role"),
    (message("user"), "invalid_value", "item.content"),
    (message("user", {"type": "output_text", "text": ""}), "invalid_value", "item.content[0].type"),
    (message("assistant", {"type": "input_audio"}), "invalid_value", "item.content[0].type"),
    (message("system", PNG), "invalid_value", "item.content[0].type"),
    (
        message("user", {"type": "input_image", "image_url": "https://x/y.png"}),
        "invalid_value",
        "item.content[0].image_url",
    ),
    (message("user", {"type": "input_text"}), "missing_required_parameter", "item.content[0].text"),
    (message("user", TEXT, id="x" * 33), "invalid_value", "item.id"),
    (message("user", TEXT, id=""), "invalid_value", "item.id"),
    (message("user", TEXT, status="done"), "invalid_value", "item.status"),
    (
        item(type="function_call_output", call_id="c", output={"a": 1}),
        "invalid_type",
        "item.output",
    ),
    ({**message("user", TEXT), "previous_item_id": 4}, "invalid_type", "previous_item_id"),
    (truncate(audio_end_ms=1.5), "invalid_type", "audio_end_ms"),
    (truncate(audio_end_ms=-1), "invalid_value", "audio_end_ms"),
    (truncate(content_index=True), "invalid_type", "content_index"),
    ({"type": "conversation.item.delete"}, "missing_required_parameter", "item_id"),
    (respond(modalities=["text"]), "unknown_parameter", "response.modalities"),
    (respond(conversation="conv_1"), "invalid_value", "response.conversation"),
    (respond(metadata={"k": 1}), "invalid_type", "response.metadata.k"),
    (respond(metadata={"k" * 65: "v"}), "invalid_value", "response.metadata"),
    (respond(metadata={"k": "v" * 513}), "invalid_value", "response.metadata.k"),
    (
        respond(metadata={str(n): "v" for n in range(17)}),
        "invalid_value",
        "response.metadata",
    ),
    (respond(metadata=[]), "invalid_type", "response.metadata"),
    (respond(input=[{"type": "item_reference"}]), "missing_required_parameter", None),
    (respond(audio={"output": {"speed": 1}}), "unknown_parameter", "response.audio.output.speed"),
    ({"type": "response.cancel", "response_id": ""}, "invalid_value", "response_id"),
    ({"type": "session.delete"}, "invalid_value", "type"),
    ({"type": 5}, "invalid_type", "type"),
    ({}, "missing_required_parameter", "type"),
    ({"type": "response.create", "event_id": 5}, "invalid_type", "event_id"),
    ({"type": "response.create", "event_id": "x" * 513}, "invalid_value", "event_id"),
    ([], "invalid_event", None),
    ("response.create", "invalid_event", None),
    (None, "invalid_event", None),
    (3, "invalid_event", None),
]


@pytest.mark.parametrize(("event", "code", "param"), BAD, ids=lambda value: str(value)[:60])
def test_bad_events_are_refused(event: Any, code: str, param: str | None) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_event(event)

    assert refusal.value.code == code
    assert param is None or refusal.value.param == param


@pytest.mark.parametrize(
    ("event", "event_id"),
    [
        ({"event_id": "e1"}, "e1"),
        ({"event_id": 1}, None),
        ({"event_id": "x" * 513}, None),
        ({}, None),
        ("text", None),
    ],
)
def test_an_error_is_addressed_only_by_a_usable_id(event: object, event_id: str | None) -> None:
    assert event_id_of(event) == event_id
