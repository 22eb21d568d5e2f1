"""Events that a hostile server might send: the right names, with anything in their fields."""

from typing import Any

from hypothesis import strategies as st

TYPES = [
    *("session.created", "session.updated", "error", "rate_limits.updated", "odd"),
    *(f"conversation.item.{name}" for name in ("added", "done", "deleted", "truncated")),
    *(
        f"conversation.item.input_audio_transcription.{name}"
        for name in ("delta", "completed", "failed")
    ),
    *(f"input_audio_buffer.{name}" for name in ("speech_started", "speech_stopped", "committed")),
    *(f"output_audio_buffer.{name}" for name in ("started", "stopped", "cleared")),
    *("input_audio_buffer.cleared", "response.output_item.done"),
    *(f"response.{name}" for name in ("created", "done", "output_item.added", "odd.delta")),
    *("response.output_item.done", "input_audio_buffer.cleared"),
    *(f"output_audio_buffer.{name}" for name in ("started", "stopped", "cleared")),
    *(
        f"response.{part}.{name}"
        for part in ("output_audio", "output_audio_transcript", "output_text")
        for name in ("delta", "done")
    ),
]
NAMES = ["i1", "i2", "r1", "item_typed_1", "note_1"]
FIELDS = [
    *("item_id", "previous_item_id", "response_id", "content_index", "delta", "transcript"),
    *("text", "item", "response", "session", "error", "usage", "rate_limits", "event_id"),
]
INNER_FIELDS = [
    *("id", "type", "role", "content", "text", "status", "status_details", "output", "usage"),
    *("code", "message", "param", "event_id", "error", "practice", "notes", "audio", "input"),
    *("turn_detection", "interrupt_response", "remaining", "reset_seconds", "name"),
    *("call_id", "arguments"),
]
WORDS = [
    *("message", "function_call", "user", "assistant", "AAAA", "settings_1", "response_1"),
    *("failed", "incomplete", "completed", "cancelled"),
]


def values() -> st.SearchStrategy[Any]:
    """Anything that JSON can carry, and halves of characters besides."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(), max_size=5)
        | st.sampled_from([*NAMES, *WORDS, "x" * 10_000])
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(INNER_FIELDS), inner, max_size=4)
        ),
        max_leaves=10,
    )


def events() -> st.SearchStrategy[dict[str, Any]]:
    """An event whose name is known, and nothing else of it."""
    names = st.sampled_from(NAMES)
    return st.builds(
        lambda type_, fields, item_id: {"item_id": item_id, **fields, "type": type_},
        st.sampled_from(TYPES),
        st.dictionaries(st.sampled_from(FIELDS), values() | names, max_size=5),
        names,
    )
