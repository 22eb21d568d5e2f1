"""The pane in which a call is tuned."""

import re
from dataclasses import replace

from components.page.tuning import EXAMPLES, GROUPS, own_key, pane
from components.protocol.options import SessionOptions
from components.protocol.wishes import LONGEST_INSTRUCTIONS, NAMES, wished
from components.settings import Settings

OPTIONS = SessionOptions(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions='Say "hi" & <smile>.',
    turn_detection="semantic_vad",
    transcription_model=None,
)


def fields_of(html: str) -> list[str]:
    return re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', html)


def test_there_is_a_field_for_every_setting() -> None:
    assert sorted(fields_of(pane(OPTIONS, NAMES))) == sorted(set(NAMES) - {"tools"})


def test_what_visitors_may_not_change_is_not_on_the_page() -> None:
    html = pane(OPTIONS, ["voice", "language"])
    assert fields_of(html) == ["voice", "language"]
    assert "smile" not in html
    assert "Turns" not in html
    assert pane(OPTIONS, []) == ""
    assert pane(OPTIONS, ["events"]) == ""


def test_the_fields_show_the_values_as_text() -> None:
    html = pane(replace(OPTIONS, keywords=("Ada", "Babbage")), NAMES)
    assert "Say &quot;hi&quot; &amp; &lt;smile&gt;.</textarea>" in html
    assert 'value="semantic_vad" selected' in html
    assert 'value="Ada, Babbage"' in html
    assert re.search(r'name="transcription_model"[^>]* value=""', html)
    assert "None" not in html


def test_every_choice_and_bound_is_one_that_a_call_takes() -> None:
    for fields in GROUPS.values():
        for name, field in fields.items():
            if field.kind == "number":
                for value in field.bounds[:2]:
                    wished(OPTIONS, name, value)
            elif field.kind == "choice":
                for choice in field.choices or {}:
                    wished(OPTIONS, name, choice)


def test_there_is_a_field_for_a_key_where_one_is_of_use_and_it_is_no_setting() -> None:
    assert own_key(Settings(practice=True)) == ""
    html = own_key(Settings(practice=False, base_url="wss://x.example/v1"))
    assert 'type="password"' in html
    assert "It goes to x.example" in html
    assert fields_of(html) == []


def test_the_examples_are_instructions() -> None:
    assert len(EXAMPLES) == 3
    for words in EXAMPLES.values():
        assert wished(OPTIONS, "instructions", words).instructions == words
        assert len(words) < LONGEST_INSTRUCTIONS
