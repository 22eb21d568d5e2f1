"""What `make peers` runs."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_step_runs_all_that_is_marked():
    """It names where to look, as collecting all tests would take longer than running these."""
    step = re.search(r"pytest -m peers (.*)", (ROOT / "Makefile").read_text("utf-8"))
    assert step
    named = [ROOT / name for name in step[1].split()]
    tests = (ROOT / "tests").rglob("test_*.py")
    marked = [path for path in tests if "mark.peers" in path.read_text("utf-8")]

    assert len(marked) > 2
    for path in marked:
        assert any(path.is_relative_to(place) for place in named), path
