"""What the environments of peers are made of."""

import json
import re

import pytest

from tests.peers.environments import PEERS

REQUIREMENTS = sorted(PEERS.glob("*/requirements.txt"))
LOCKS = sorted(PEERS.glob("*/package-lock.json"))


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.parent.name)
def test_every_package_is_pinned(path):
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]

    assert lines
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.parent.name)
def test_a_lock_file_says_what_a_package_is_and_not_where_it_comes_from(path):
    packages = json.loads(path.read_text("utf-8"))["packages"]
    del packages[""]

    assert packages
    assert all("integrity" in package for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
