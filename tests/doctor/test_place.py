"""Where browsers allow a microphone, and whether strangers may cost without end."""

from typing import Any

import pytest

from components.doctor.place import examine_limits, examine_origin
from components.settings import Settings


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "ok"),
        ({"share": True}, "ok"),
        ({"on_space": True, "host": "0.0.0.0"}, "ok"),
        ({"host": "0.0.0.0", "root_path": "https://example.org/voice"}, "ok"),
        ({"host": "0.0.0.0"}, "warning"),
    ],
)
def test_a_microphone_needs_https_or_localhost(fields: dict[str, Any], verdict: str) -> None:
    assert examine_origin(Settings(practice=True, **fields)).verdict == verdict


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"practice": True, "share": True}, "ok"),
        ({}, "ok"),
        ({"share": True}, "warning"),
        ({"share": True, "max_call_cost": 0.5}, "ok"),
        ({"share": True, "max_call_seconds": 60}, "ok"),
        ({"share": True, "login": ("ann", "pass")}, "ok"),
        ({"model": "somebody-s", "max_call_cost": 0.5}, "warning"),
    ],
)
def test_what_strangers_may_cost_is_bounded(fields: dict[str, Any], verdict: str) -> None:
    found = examine_limits(Settings(**{"practice": False, **fields}))

    assert found.verdict == verdict
    assert bool(found.fix) == (verdict != "ok")
