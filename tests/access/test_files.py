"""The limit of open files, in a process of its own, as it cannot be raised again."""

import subprocess
import sys

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


def limits_after(soft: int, hard: int) -> tuple[int, int]:
    """What `raise_limit` says, and the limit that then is."""
    code = (
        "import resource as r\n"
        f"r.setrlimit(r.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from components.access.files import raise_limit\n"
        "print(raise_limit(), r.getrlimit(r.RLIMIT_NOFILE)[0])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    )
    said, limit = map(int, told.stdout.split())
    return said, limit


@pytest.mark.parametrize(
    ("soft", "hard", "expected"), [(256, 1024, 1024), (1024, 1024, 1024), (512, 12_000, 10_240)]
)
def test_the_limit_is_raised_as_far_as_is_allowed_and_useful(soft, hard, expected):
    assert limits_after(soft, hard) == (expected, expected)


def test_a_limit_that_is_high_enough_is_left_alone():
    assert limits_after(12_000, 12_000) == (10_240, 12_000)
