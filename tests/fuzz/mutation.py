"""Values made from valid ones by a few changes, as somebody who looks for a fault makes them."""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

SECRET = "sk-" + "Fuzz0" * 8
"""What a hostile end says in the hope that it is repeated."""
ODD_WORDS = (
    *("", " ", "\0", "\r\n", "\ud800", "é" * 300, "x" * 70_000, "../..", "%00", "0", "-1", "1e999"),
    *("NaN", "null", "true", "item_1", "message", "audio", SECRET, f"key {SECRET} refused"),
)
ODD_NUMBERS = (0, -1, 1, 31, 32, 65_535, 65_536, 2**31, 2**53, 2**63, -(2**63), 10**30, 0.5, 1e308)

odd_leaves = (
    st.none()
    | st.booleans()
    | st.sampled_from(ODD_NUMBERS)
    | st.sampled_from(ODD_WORDS)
    | st.text(st.characters(), max_size=8)
    | st.floats()
)
odd_values = st.recursive(
    odd_leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@st.composite
def mutated(draw: Callable[..., Any], documents: Sequence[Any]) -> Any:
    """One of these JSON values, with up to four changes somewhere in it."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 4))):
        places = _places(document)
        if not places:
            return draw(odd_values)
        inside, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.integers(0, 3)):
            case 0:
                del inside[key]
            case 1:
                inside[key] = draw(odd_values)
            case 2:
                inside[key] = [copy.deepcopy(inside[key])] * draw(st.sampled_from([0, 1, 2, 40]))
            case _ if isinstance(inside, dict):
                inside[draw(st.sampled_from([name for _, name in places])) or ""] = inside[key]
            case _:
                inside.insert(key, draw(odd_values))
    return document


def _places(value: Any) -> list[tuple[Any, Any]]:
    """All fields and elements of a JSON value: what holds them, and their key there."""
    if isinstance(value, dict):
        inner: list[Any] = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    found = [(value, key) for key, _ in inner]
    for _, element in inner:
        found += _places(element)
    return found


@st.composite
def mutated_text(draw: Callable[..., Any], texts: Sequence[str], words: Sequence[str]) -> str:
    """One of these texts, with up to six of its lines changed; `words` may stand anywhere."""
    lines = draw(st.sampled_from(texts)).splitlines()
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(lines)))
        match draw(st.integers(0, 4)):
            case 0:
                lines[at:at] = [draw(st.sampled_from(words))] * draw(st.sampled_from([1, 2, 300]))
            case 1:
                del lines[at : at + 1]
            case 2 if lines:
                lines.append(lines[min(at, len(lines) - 1)])
            case 3 if at < len(lines):
                parts = lines[at].split(" ")
                parts[draw(st.integers(0, len(parts) - 1))] = draw(
                    st.sampled_from(words) | st.sampled_from(ODD_WORDS)
                )
                lines[at] = " ".join(parts)
            case _ if at < len(lines):
                cut = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + draw(st.text(max_size=4)) + lines[at][cut:]
    return "\r\n".join([*lines, ""])


def as_message(value: Any) -> str:
    """As JSON, of what JSON can carry and a little more."""
    return json.dumps(value)
