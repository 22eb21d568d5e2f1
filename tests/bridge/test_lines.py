"""What becomes of a typed line that a page sends once, or again."""

from typing import Any

import pytest

from components.bridge.lines import LONGEST_ID, MOST_REMEMBERED, Lines


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
def lines(told: list[Any]) -> Lines:
    return Lines(told.append)


def test_a_line_that_comes_twice_is_said_once_and_acknowledged_each_time(
    lines: Lines, told: list[Any]
) -> None:
    assert lines.arrives({"id": "a"})
    assert not lines.arrives({"id": "a"})
    assert lines.arrives({"id": "b"})
    assert [message["id"] for message in told] == ["a", "a", "b"]
    assert {message["type"] for message in told} == {"said"}


@pytest.mark.parametrize("message", [{}, {"id": 7}, {"id": ""}, {"id": "x" * (LONGEST_ID + 1)}])
def test_a_line_without_a_sensible_id_is_always_new(
    lines: Lines, told: list[Any], message: dict[str, Any]
) -> None:
    assert lines.arrives(message)
    assert lines.arrives(message)
    assert told == []


def test_what_is_remembered_is_bounded(lines: Lines) -> None:
    for number in range(MOST_REMEMBERED + 1):
        assert lines.arrives({"id": str(number)})
    assert not lines.arrives({"id": "1"})
    assert lines.arrives({"id": "0"})
