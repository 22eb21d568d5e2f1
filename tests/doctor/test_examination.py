"""What is examined for which settings, and how all of it is told."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from components.doctor import examination as module
from components.doctor.examination import examine
from components.doctor.findings import Finding, failed, ok
from components.settings import Settings

OPENAI = Settings(practice=False, api_key="sk-secret", model="gpt-realtime")


def looks(monkeypatch: pytest.MonkeyPatch, *found: Finding | Exception) -> None:
    """Put these findings, or what breaks, in the place of what is examined."""

    async def look(each: Finding | Exception) -> Sequence[Finding]:
        if isinstance(each, Exception):
            raise each
        return [each]

    monkeypatch.setattr(
        module, "_looks", lambda *_: [("A look", lambda each=each: look(each)) for each in found]
    )


@pytest.mark.parametrize(
    ("last", "status"), [(ok("Key", "fine."), 0), (failed("Key", "wrong.", "Check it."), 1)]
)
def test_each_finding_is_a_line_and_a_failure_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], last: Finding, status: int
) -> None:
    looks(monkeypatch, ok("Settings", "fine."), last)

    assert examine(OPENAI) == status
    assert capsys.readouterr().out == f"ok       Settings: fine.\n{last.line}\n"


def test_json_is_one_object_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, failed("Key", "wrong.", "Check it."))

    assert examine(Settings(practice=True, as_json=True)) == 1
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["findings"][0]["fix"] == "Check it."


def test_what_breaks_while_it_looks_does_not_end_the_examination(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, ZeroDivisionError("by nought"), ok("Key", "fine."))

    assert examine(OPENAI) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "failed   A look: it cannot be examined (ZeroDivisionError: by nought)."
    assert second == "ok       Key: fine."


async def test_models_and_their_future_are_of_no_interest_in_practice_mode() -> None:
    async def checks(settings: Settings) -> list[str]:
        (_, settled), *_ = module._looks(settings, date(2026, 11, 26))
        return [finding.check for finding in await settled()]

    assert "Future of gpt-realtime" in await checks(OPENAI)
    assert "Future of gpt-transcribe" in await checks(OPENAI)
    without = Settings(practice=False, transcription_model=None)
    assert "Future of gpt-transcribe" not in await checks(without)
    practice = await checks(Settings(practice=True))
    assert practice == ["Settings", "Versions", "Secure origin", "Limits", "Disk"]
