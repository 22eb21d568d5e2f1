"""Where browsers allow a microphone, and whether strangers may cost without end."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.doctor.place import examine_disk, examine_limits, examine_origin
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
        ({"share": True, "max_visitor_cost": 0.5}, "ok"),
        ({"share": True, "max_call_seconds": 60}, "ok"),
        ({"share": True, "login": ("ann", "pass")}, "ok"),
        ({"model": "somebody-s", "max_call_cost": 0.5}, "warning"),
        ({"model": "somebody-s", "max_visitor_cost": 0.5}, "warning"),
    ],
)
def test_what_strangers_may_cost_is_bounded(fields: dict[str, Any], verdict: str) -> None:
    found = examine_limits(Settings(**{"practice": False, **fields}))

    assert found.verdict == verdict
    assert bool(found.fix) == (verdict != "ok")


def free(**left: int) -> Callable[[Path], Any]:
    """Bytes that are left, by the names of folders."""
    return lambda folder: SimpleNamespace(free=left.get(folder.name, 10**12))


@pytest.mark.parametrize(("left", "verdict"), [(10**9, "ok"), (10**8, "warning"), (0, "warning")])
def test_a_disk_that_is_nearly_full_is_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: int, verdict: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", free(traces=left))
    (tmp_path / "traces").mkdir()
    found = examine_disk(Settings(practice=True, trace=tmp_path / "traces" / "calls.jsonl"))

    assert found.verdict == verdict
    assert f"{left // 10**6:,} MB are left in {tmp_path / 'traces'}" in found.found
    assert examine_disk(Settings(practice=True)).verdict == "ok"


def test_a_disk_that_does_not_answer_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", broken)

    assert "Input/output error" in examine_disk(Settings(practice=True)).found
