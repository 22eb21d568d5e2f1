"""The order of the tests, which of them share a worker, and which files are not even read.

Rule: what is fast and points at a cause comes first (pure, unit, integration). Browser tests come
last, and no other comes after them on the same worker: what Playwright leaves (greenlets) may be
collected in the middle of any line of a later test, and ends it with a `SystemError`. A file
stays on one worker (`--dist loadfile`), as its tests share what it started. Groups by marks would
do so only where it matters, but pytest-xdist 3.8 takes no notice of them under pytest 9.2.
"""

import os
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from components.heap import keep_what_is_there
from components.page.stubs import leave_stubs

leave_stubs()  # or each worker would wait for them when it imports Gradio

# Neural ears and voice take two cores and two seconds to start: only their own tests want them.
os.environ["PRACTICE_EARS"] = os.environ["PRACTICE_VOICE"] = "small"

PURE_ROOMS = {"core", "protocol", "engine"}


MORE_WORKERS = {
    "not soak and not alone and not peers": 2.0,
    "not integration and not browser and not soak": 2.0,
    # They mostly wait for peers, and for sound in real time.
    "integration and not browser and not peers": 2.0,
    "browser and not alone and not peers": 1.5,
    "peers": 1.5,
}
"""For each core, by what the Makefile asks for."""

APART = {"integration", "browser", "peers", "alone", "soak"}
"""Marks that the Makefile asks for first; each file of such tests holds the name of the mark."""

# How long an example takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    cores = min(os.cpu_count() or 1, 4)
    return int(cores * MORE_WORKERS.get(config.option.markexpr, 1.0))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that hold none of the tests asked for: each worker would import them all."""
    words = re.findall(r"(not )?(\w+)", config.option.markexpr)
    wanted = APART & {word for excluded, word in words if not excluded}
    if not wanted or not collection_path.name.startswith("test_"):
        return None
    text = collection_path.read_text("utf-8")
    return None if any(mark in text for mark in wanted) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort stably by rank; of what starts something, the longest files come first, so that no
    worker is alone with one at the end: those with the longest tests, then those with most.
    """
    texts = {path: path.read_text("utf-8") for path in {item.path for item in items}}
    for item in items:
        for mark in APART.intersection(each.name for each in item.iter_markers()):
            assert mark in texts[item.path], f"{item.path} would be left out: name {mark} in it"
    tests = Counter(item.path for item in items)
    limits: dict[Path, float] = {}
    for item in items:
        limit = item.get_closest_marker("timeout")
        limits[item.path] = max(limits.get(item.path, 0), limit.args[0] if limit else 0)
    items.sort(key=lambda item: (_rank(item), -limits[item.path], -tests[item.path]))


def pytest_collection_finish() -> None:
    """As the app does at the end of its start: a search for garbage through some thousand tests
    would take 0.3 s each time, in which no call of this process has a turn."""
    keep_what_is_there()


def _rank(item: pytest.Item) -> int:
    if item.get_closest_marker("browser"):
        return 3
    if item.get_closest_marker("integration"):
        return 2
    return 0 if item.path.parent.name in PURE_ROOMS else 1
