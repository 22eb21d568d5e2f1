"""A short look at everything that is fuzzed, the same one each time; `python -m tests.fuzz` goes on
for as long as one likes."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_must_hold_holds_whatever_is_said(target):
    @settings(
        max_examples=target.examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.strategy)
    def holds(value):
        target.check(value)

    holds()
