"""The order of the tests, and which of them share a worker.

Rule: what is fast and points at a cause comes first (pure, unit, integration, browser). A file
whose tests start processes or a browser stays on one worker, as they share what it started.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

PURE_ROOMS = {"core", "protocol", "engine"}


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One for each core: sound in real time needs the machine's attention. One more made the tests
    on two cores no faster, and what is timed unsure."""
    return min(os.cpu_count() or 1, 4)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort stably by rank, and bind what has a marker to its file's group.

    Of the groups the longest come first, so that no worker is alone with one at the end.
    """
    tests = Counter(map(_file, items))
    items.sort(key=lambda item: (_rank(item), _rank(item) > 1 and -tests[_file(item)]))
    for item in items:
        if _rank(item) > 1:
            item.add_marker(pytest.mark.xdist_group(_file(item)))


def _rank(item: pytest.Item) -> int:
    if item.get_closest_marker("browser"):
        return 3
    if item.get_closest_marker("integration"):
        return 2
    return 0 if item.path.parent.name in PURE_ROOMS else 1


def _file(item: pytest.Item) -> str:
    return Path(item.nodeid.partition("::")[0]).as_posix()
