"""Which events written by hand are sent."""

from typing import Any, get_args

import orjson
import pytest
from openai.types.realtime import RealtimeClientEvent

from components.protocol.raw_events import (
    CLIENT_EVENTS,
    DEEPEST,
    HOLDS_KEY,
    MOST_CHARACTERS,
    NO_OBJECT,
    NO_TYPE,
    TOO_DEEP,
    TOO_LONG,
    raw_event,
)


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_an_event_of_the_api_is_sent_as_it_is_with_an_id() -> None:
    text = '{"type": "response.create", "response": {"instructions": "Say “hi”."}}'
    assert raw_event(text, "raw_1") == {"event_id": "raw_1", **orjson.loads(text)}
    assert raw_event('{"type": "response.cancel", "event_id": "mine"}', "raw_1") == {
        "type": "response.cancel",
        "event_id": "mine",
    }


def test_the_types_are_those_of_the_api() -> None:
    models = get_args(get_args(RealtimeClientEvent)[0])
    assert sorted(CLIENT_EVENTS) == sorted(
        get_args(model.model_fields["type"].annotation)[0] for model in models
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "That is not JSON: "),
        ("{", "That is not JSON: "),
        ('{"type": "response.create"} more', "That is not JSON: "),
        ('{"type": "response.create", "n": NaN}', "That is not JSON: "),
        ('{"type": "response.create", "text": "\\ud800"}', "That is not JSON: "),
        ("[" * 5000, "That is not JSON: "),
        ("7", NO_OBJECT),
        ('["response.create"]', NO_OBJECT),
        ("{}", NO_OBJECT),
        ('{"type": ["response.create"]}', NO_OBJECT),
        ('{"type": "response.done"}', NO_TYPE),
        ('{"type": "response.create", "a": "sk-proj-abcdefgh0123"}', HOLDS_KEY),
        ('{"type": "response.create", "a": "sk\\u002dproj-abcdefgh0123"}', HOLDS_KEY),
        ('{"type": "response.create", "a": "the secret of ours"}', HOLDS_KEY),
        (f'{{"type": "response.create", "a": "{"x" * MOST_CHARACTERS}"}}', TOO_LONG),
        (orjson.dumps({"type": "response.create", "a": nested(DEEPEST)}).decode(), TOO_DEEP),
        ('{"type": "response.create", "a": ' + "[" * 900 + "]" * 900 + "}", TOO_DEEP),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_none_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        raw_event(text, "raw_1", ["secret of"])
    said = str(refused.value)
    assert said.startswith(sentence)
    assert said.endswith(".")
    assert len(said) < 500
    assert "sk-proj" not in said


def test_what_is_taken_can_be_written_again() -> None:
    text = orjson.dumps({"type": "session.update", "session": nested(DEEPEST - 1)}).decode()
    orjson.dumps(raw_event(text, "raw_1"))
