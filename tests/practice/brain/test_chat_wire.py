import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.practice.brain.chat_wire import (
    MAX_ANSWER,
    MAX_LINE,
    Answer,
    EventStream,
    WireError,
    error_text,
    request,
)
from components.practice.brain.rules import Call, Say


def message(role: str, **content: str | None) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [content]}


def chunk(**delta: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta}]})


def fragment(index: int | None, **function: str) -> dict[str, Any]:
    return {"index": index, "function": function}


def sentences(*pieces: str) -> list[str]:
    answer = Answer()
    said = [say for piece in pieces for say in answer.feed(chunk(content=piece))]
    return [step.text for step in [*said, *answer.end()] if isinstance(step, Say)]


def test_images_of_the_last_turn_are_shown_and_earlier_ones_named() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,aaaa"}
    words = {"type": "input_text", "text": "So?"}
    turns = [{"type": "message", "role": "user", "content": [words, image]}] * 2
    alone = {"type": "message", "role": "user", "content": [image]}

    *_, earlier, last = request("m", [alone, *map(dict, turns)], "", ())["messages"]
    assert earlier["content"] == "(an image) So?"
    shown = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aaaa"}}
    assert last["content"] == [{"type": "text", "text": "So?"}, shown]
    [only] = request("m", [alone], "", ())["messages"]
    assert only["content"] == [shown]


def test_a_conversation_becomes_messages() -> None:
    items = [
        message("system", text="Be kind."),
        message("user", transcript="what time is it"),
        message("user", transcript=None),
        {"type": "function_call", "call_id": "c1", "name": "clock", "arguments": '{"zone": 1}'},
        {"type": "function_call", "call_id": "c2", "name": "unanswered", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "noon"},
        message("assistant", text="It is noon."),
        {"type": "mcp_call"},
        {"type": "message", "role": "user"},
    ]
    tools: list[Mapping[str, Any]] = [
        {
            "type": "function",
            "name": "clock",
            "description": None,
            "parameters": {"type": "object"},
        },
        {"type": "mcp", "server_label": "x"},
    ]
    function = {"name": "clock", "arguments": '{"zone": 1}'}

    assert request("m", items, "Speak English.", tools) == {
        "model": "m",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Speak English."},
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "what time is it"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "noon"},
            {"role": "assistant", "content": "It is noon."},
        ],
        "tools": [
            {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
        ],
    }


def test_without_instructions_and_tools_there_is_nothing_of_them() -> None:
    assert request("m", [], "", []) == {"model": "m", "stream": True, "messages": []}


@given(st.lists(st.integers(1, 9)))
def test_events_are_found_however_the_stream_is_cut(sizes: list[int]) -> None:
    text = ': comment\r\ndata: {"a": 1}\r\n\r\nevent: x\ndata:two\n\ndata: [DONE]\n'
    stream, found, at = EventStream(), [], 0
    for size in [*sizes, len(text)]:
        found += stream.feed(text[at : at + size])
        at += size

    assert found == ['{"a": 1}', "two", "[DONE]"]


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(WireError, match="without an end"):
        EventStream().feed("x" * (MAX_LINE + 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It is noon now. The sun is high! Yes?", ["It is noon now.", "The sun is high!", "Yes?"]),
        ("Dr. Smith is here. He waits.", ["Dr. Smith is here.", "He waits."]),
        ("Well. Yes. It is so.", ["Well. Yes. It is so."]),
        ('She said "Good evening!" Then she left.', ['She said "Good evening!"', "Then she left."]),
        ("The number is 3.5 today.", ["The number is 3.5 today."]),
        ("**Bold** and `code`.\n# Title\n- one item\n", ["Bold and code.", "Title one item"]),
        ("<think>Hm. What now?</think>It is noon.", ["It is noon."]),
        ("\n<think>never ends. Or does it? It does not.", []),
        ("<the end>", ["<the end>"]),
        ("****************\n***", []),
        ("   ", []),
        ("", []),
    ],
)
def test_whole_sentences_come_out(text: str, said: list[str]) -> None:
    assert sentences(text) == said
    assert sentences(*text) == said


def test_a_sentence_comes_as_soon_as_it_is_whole() -> None:
    answer = Answer()

    assert answer.feed(chunk(content="The first sentence. And")) == [Say("The first sentence.")]
    assert answer.feed(chunk(content=" more")) == []
    assert answer.end() == [Say("And more")]


def test_calls_are_put_together_from_their_fragments() -> None:
    answer = Answer()
    answer.feed(chunk(content="Let me see.", tool_calls=[fragment(0, name="clock", arguments="")]))
    answer.feed(chunk(tool_calls=[fragment(0, arguments='{"zo'), fragment(1, name="dice")]))
    answer.feed(chunk(tool_calls=[fragment(0, arguments='ne": 1}'), fragment(2, arguments="{}")]))

    assert answer.end() == [Say("Let me see."), Call("clock", '{"zone": 1}'), Call("dice", "{}")]


def test_calls_without_an_index_go_by_their_place() -> None:
    answer = Answer()
    answer.feed(chunk(tool_calls=[fragment(None, name="a"), fragment(None, name="b")]))
    assert answer.end() == [Call("a", "{}"), Call("b", "{}")]


@pytest.mark.parametrize(
    "data",
    [
        '{"choices": []}',
        '{"choices": [{"delta": null}]}',
        '{"choices": [null]}',
        '{"choices": [{"delta": {"content": null, "tool_calls": null}}]}',
        '{"choices": [{"delta": {"role": "assistant"}}], "error": null}',
    ],
)
def test_chunks_without_words_are_fine(data: str) -> None:
    answer = Answer()
    assert answer.feed(data) == []
    assert not answer.finished


@pytest.mark.parametrize(
    "data",
    [
        "hello",
        "1",
        "[" * 100_000,
        "{}",
        '{"choices": 1}',
        '{"choices": [{"delta": {"tool_calls": [1]}}]}',
        '{"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}',
    ],
)
def test_what_is_no_chat_completion_is_refused(data: str) -> None:
    with pytest.raises(WireError, match="not a chat completion"):
        Answer().feed(data)


def test_an_error_inside_the_stream_is_told() -> None:
    with pytest.raises(WireError, match="reports: out of memory"):
        Answer().feed('{"error": {"message": "out of memory"}}')


def test_the_end_is_known_by_its_mark() -> None:
    answer = Answer()
    assert answer.feed("[DONE]") == []
    assert answer.finished


def test_nobody_listens_to_an_endless_answer() -> None:
    answer = Answer()
    answer.feed(chunk(content="word " * MAX_ANSWER))
    assert answer.finished


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("plain", "plain"),
        ({"message": "in a\n field"}, "in a field"),
        ({"error": {"message": "nested"}}, "nested"),
        ({}, "an error without a message"),
        ("x" * 300, "x" * 200),
    ],
)
def test_errors_are_read_in_any_form(error: object, text: str) -> None:
    assert error_text(error) == text


@given(st.lists(st.text()))
def test_no_text_breaks_it(pieces: list[str]) -> None:
    assert all(said.strip() for said in sentences(*pieces))
