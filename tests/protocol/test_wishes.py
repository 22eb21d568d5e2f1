"""Which wishes of a visitor are fulfilled, and what becomes of the others."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.protocol.options import SessionOptions, changes, session_update
from components.protocol.wishes import LONGEST_INSTRUCTIONS, NAMES, shown, wished
from tests.wire import validate_client_event

OPTIONS = SessionOptions(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="Be kind.",
    turn_detection="server_vad",
    transcription_model="gpt-transcribe",
)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("voice", "cedar", "cedar"),
        ("model", "gpt-realtime-2", "gpt-realtime-2"),
        ("instructions", "Be brief.\ud800", "Be brief.?"),
        ("instructions", "", ""),
        ("turn_detection", "push_to_talk", "push_to_talk"),
        ("vad_threshold", 0.25, 0.25),
        ("vad_threshold", "0.25", 0.25),
        ("vad_silence_ms", 700, 700),
        ("vad_silence_ms", "700", 700),
        ("vad_idle_ms", 6000.0, 6000),
        ("vad_idle_ms", "", None),
        ("vad_idle_ms", None, None),
        ("noise_reduction", "", None),
        ("noise_reduction", "near_field", "near_field"),
        ("transcription_model", None, None),
        ("language", "de", "de"),
        ("language", "", None),
        ("keywords", " Ada, Lovelace ,, ", ("Ada", "Lovelace")),
        ("keywords", "", ()),
        ("speed", 1.5, 1.5),
        ("effort", "high", "high"),
        ("longest_answer", 300, 300),
        ("retention", 1, 1.0),
    ],
)
def test_a_sensible_wish_changes_one_option(name: str, value: Any, expected: Any) -> None:
    options = wished(OPTIONS, name, value)
    assert getattr(options, name) == expected
    assert type(getattr(options, name)) is type(expected)
    assert set(changes(OPTIONS, options)) <= {name}
    validate_client_event(session_update(options, "settings_1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "sk-1"),
        ("tools", []),
        ("__class__", "x"),
        ("voice", ""),
        ("voice", "a b"),
        ("voice", "x" * 65),
        ("voice", None),
        ("voice", {"id": "x"}),
        ("model", "gpt realtime"),
        ("model", "../x y"),
        ("instructions", 7),
        ("instructions", "x" * (LONGEST_INSTRUCTIONS + 1)),
        ("turn_detection", ""),
        ("turn_detection", None),
        ("turn_detection", ["server_vad"]),
        ("vad_threshold", 1.1),
        ("vad_threshold", -0.1),
        ("vad_threshold", float("nan")),
        ("vad_threshold", "1e9"),
        ("vad_threshold", "NaN"),
        ("vad_threshold", True),
        ("vad_threshold", None),
        ("vad_silence_ms", 700.5),
        ("vad_silence_ms", 10**30),
        ("vad_silence_ms", float("inf")),
        ("language", "german"),
        ("language", "DE"),
        ("keywords", ["Ada"]),
        ("keywords", "x" * 10_000),
        ("keywords", ",".join("a" * 51)),
        ("speed", 9),
        ("effort", "enormous"),
        ("longest_answer", 0),
    ],
)
def test_any_other_wish_is_answered_by_a_sentence(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        wished(OPTIONS, name, value)


def test_what_is_shown_can_be_wished_for_again() -> None:
    values = shown(wished(OPTIONS, "keywords", "Ada, Babbage"))
    assert tuple(values) == NAMES
    options = OPTIONS
    for name, value in values.items():
        options = wished(options, name, value)
    assert shown(options) == values


@given(
    st.sampled_from(NAMES),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=4,
    ),
)
def test_no_wish_breaks_anything(name: str, value: Any) -> None:
    options = OPTIONS
    with suppress(ValueError):
        options = wished(OPTIONS, name, value)
    validate_client_event(session_update(options, "settings_1"))
