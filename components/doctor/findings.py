"""What an examination has found, and how it is told.

Rule: a finding is one of ok, warning and failed; what is not ok says in plain words what to do.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    WARNING = "warning"
    """Calls work, or some of them; something may be missed."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """About one thing that a call needs."""

    check: str
    verdict: Verdict
    found: str
    fix: str = ""
    """What to do; empty if there is nothing to do."""

    @property
    def line(self) -> str:
        """The finding as a person reads it."""
        fix = f" {self.fix}" if self.fix else ""
        return f"{self.verdict.value:<8} {self.check}: {self.found}{fix}"


def ok(check: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Verdict.OK, found)


def warning(check: str, found: str, fix: str = "") -> Finding:
    """Something to know."""
    return Finding(check, Verdict.WARNING, found, fix)


def failed(check: str, found: str, fix: str = "") -> Finding:
    """Something to mend."""
    return Finding(check, Verdict.FAILED, found, fix)


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing has failed."""
    return all(finding.verdict is not Verdict.FAILED for finding in findings)


def as_json(findings: Iterable[Finding]) -> str:
    """All of them as one object."""
    listed = [asdict(finding) for finding in findings]
    return json.dumps({"ok": is_well(findings), "findings": listed}, indent=2)
