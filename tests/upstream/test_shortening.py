"""What of a raw event people get to read, and what never."""

import orjson
import pytest

from components.upstream.shortening import DEEPEST, LONGEST, MOST_VALUES, shortened, without_images


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"type": "input_audio_buffer.append", "audio": "AAAA"},
            {"type": "input_audio_buffer.append", "audio": "(4 characters of audio)"},
        ),
        (
            {"type": "response.output_audio.delta", "delta": "AAAAAAAA"},
            {"type": "response.output_audio.delta", "delta": "(8 characters of audio)"},
        ),
        (
            {"type": "response.audio.delta", "delta": "AAAA"},
            {"type": "response.audio.delta", "delta": "(4 characters of audio)"},
        ),
        (
            {"type": "x", "item": {"content": [{"type": "input_audio", "audio": "AAAA"}]}},
            {
                "type": "x",
                "item": {"content": [{"type": "input_audio", "audio": "(4 characters of audio)"}]},
            },
        ),
        (
            {"type": "x", "audio": ["AAAA", {"type": "y", "audio": "AA"}]},
            {
                "type": "x",
                "audio": [
                    "(4 characters of audio)",
                    {"type": "y", "audio": "(2 characters of audio)"},
                ],
            },
        ),
    ],
)
def test_audio_is_replaced_by_its_length(event, expected):
    assert shortened(event) == expected


def test_an_image_is_replaced_by_its_length():
    part = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    event = {"type": "response.create", "response": {"input": [{"content": [part]}]}}

    [item] = shortened(event)["response"]["input"]
    assert item["content"] == [{**part, "image_url": "(26 characters of an image)"}]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "conversation.item.added"},
        {"type": "x", "item": {"content": None}},
        {"type": "x", "item": "text"},
        {"type": "x", "item": {"content": ["a", {"image_url": 7}, {"image_url": "https://a"}]}},
    ],
)
def test_an_event_without_an_image_stays_as_it_is(event):
    assert without_images(event) is event


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_audio_transcript.delta", "delta": "Hello"},
        {"type": "response.output_text.delta", "delta": "Hello"},
        {"type": "session.update", "session": {"audio": {"output": {"voice": "marin"}}}},
        {"type": "x", "audio": None, "delta": 3, "y": [1, 2.5, True, None]},
        {"delta": "no type"},
        {"type": "x", "text": "the task-force\n  keeps its   spaces " + "x" * 400},
    ],
)
def test_everything_else_is_kept(event):
    assert shortened(event) == event


def test_what_authorises_somebody_is_taken_out_whatever_it_looks_like():
    server = {"type": "mcp", "server_url": "https://x", "authorization": "plain secret"}
    others = {"headers": {"X-Token": "plain secret"}, "Api_Key": ["plain secret"]}
    event = {"type": "session.update", "session": {"tools": [{**server, **others}]}}
    found = shortened(event)
    assert "plain secret" not in str(found)
    assert found["session"]["tools"][0]["authorization"] == "(key)"
    assert shortened({"authorization": None, "total_tokens": 7}) == {
        "authorization": None,
        "total_tokens": 7,
    }


def test_keys_are_taken_out_wherever_they_are():
    event = {"type": "error", "error": {"message": "bad key sk-proj-1_2", "list": ["ek_12"]}}

    assert shortened(event) == {
        "type": "error",
        "error": {"message": "bad key (key)", "list": ["(key)"]},
    }


def test_keys_are_taken_out_of_names_and_types_too():
    event = {"type": "sk-1234", "sk-proj-1": {"delta": "ek_1"}}

    assert shortened(event) == {"type": "(key)", "(key)": {"delta": "(key)"}}


def test_long_text_is_cut():
    assert shortened({"type": "x", "text": "a" * LONGEST})["text"] == "a" * LONGEST
    assert shortened({"type": "x", "text": "a" * 16_000_000, "a" * 10_005: 1}) == {
        "type": "x",
        "text": "a" * LONGEST + f" (and {16_000_000 - LONGEST} characters)",
        "a" * LONGEST + " (and 5 characters)": 1,
    }


@pytest.mark.parametrize(
    "many",
    [
        lambda: [1] * 1_000_000,
        lambda: [[[[1] * 100] * 100] * 100],
        lambda: {str(number): number for number in range(1_000_000)},
    ],
    ids=["list", "lists", "object"],
)
def test_event_of_many_values_is_cut(many):
    event = shortened({"type": "x", "many": many(), "last": 1})

    assert len(orjson.dumps(event)) < 20 * MOST_VALUES


def test_an_event_of_any_depth_can_be_shortened():
    """The parser takes 1024 levels, which is more than Python's own limit or the writer's."""
    event = {"type": "x", "deep": orjson.loads("[" * 1000 + "]" * 1000)}

    found = shortened(event)["deep"]

    for _ in range(DEEPEST):
        (found,) = found
    assert found == "(more)"
