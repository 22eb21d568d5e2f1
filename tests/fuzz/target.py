"""What is fuzzed: a name, what is made up, and what must hold of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Target:
    """`check` raises if something does not hold; `examples` are made up in a run of the tests."""

    name: str
    strategy: SearchStrategy[Any]
    check: Callable[[Any], None]
    examples: int
