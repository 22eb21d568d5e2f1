"""Fields of events, read with care."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.protocol.fields import (
    MAX_PARTS,
    MOST_ID_CHARACTERS,
    at,
    clean,
    content_index,
    identity,
    text,
)


def test_object_at_a_path_is_found():
    assert at({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}


@pytest.mark.parametrize("event", [{}, {"a": None}, {"a": [1]}, {"a": {"b": "x"}}, {"a": {"b": 3}}])
def test_what_is_no_object_is_an_empty_one(event):
    assert at(event, "a", "b") == {}


@pytest.mark.parametrize(
    ("value", "expected"), [("x", "x"), ("", ""), (None, ""), (7, ""), (["x"], "")]
)
def test_only_text_is_text(value, expected):
    assert text({"name": value}, "name") == expected
    assert text({}, "name") == ""


@pytest.mark.parametrize("value", [None, 7, "", "x" * (MOST_ID_CHARACTERS + 1), "a\ud800"])
def test_unusable_id_is_none(value):
    assert identity({"id": value}, "id") == ""


@pytest.mark.parametrize("value", ["item_1", "项目", "x" * MOST_ID_CHARACTERS])
def test_usable_id_is_kept(value):
    assert identity({"id": value}, "id") == value


@pytest.mark.parametrize("value", [-1, MAX_PARTS, 2**64, 1.0, "0", None, [0]])
def test_absurd_content_index_is_none(value):
    assert content_index({"content_index": value}) is None


def test_content_index_is_the_first_if_none_is_named():
    assert content_index({}) == 0
    assert content_index({"content_index": MAX_PARTS - 1}) == MAX_PARTS - 1


def test_half_a_character_becomes_a_question_mark():
    assert clean("a\ud83db") == "a?b"
    assert clean("Grüße 😀") == "Grüße 😀"


@given(st.text(st.characters()))
def test_clean_words_can_be_sent(words):
    assert orjson.loads(orjson.dumps(clean(words))) == clean(words)
