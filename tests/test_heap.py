import gc
import sys
from pathlib import Path

import pytest

from components.heap import give_back, keep_what_is_there

ALLOCATED = 10_000
SIZE = 3000
"""Bytes; too small for a mapping of its own."""


def test_what_is_there_is_not_looked_through_again():
    before: list[object] = []
    keep_what_is_there()
    after: list[object] = []
    listed = {id(each) for each in gc.get_objects()}
    assert id(before) not in listed
    assert id(after) in listed


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="only there the system tells")
def test_what_is_free_between_what_is_held_goes_back():
    allocated = [bytes(SIZE) for _ in range(ALLOCATED)]
    held = allocated[::20]
    del allocated
    before = resident()
    give_back()

    assert resident() < before - ALLOCATED * SIZE / 2
    assert held
