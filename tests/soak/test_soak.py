"""The short form of the soak test; `python -m tests.soak --minutes 60` is the long one."""

import pytest

from tests.soak.run import soak

LEAST_CALLS = 60
"""In two minutes. A tenth of a megabyte that each left behind would not yet show in fewer."""


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_two_minutes_of_ugly_calls_leave_nothing_behind(tmp_path, capsys):
    report = await soak(tmp_path, 120)
    with capsys.disabled():
        print(f"\n{report}")  # noqa: T201  # the figures are a part of the result

    assert not report.problems
    assert report.survived.total() >= LEAST_CALLS
