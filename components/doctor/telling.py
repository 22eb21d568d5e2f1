"""Writes findings to standard output.

Rule: it imports nothing of what is examined, so that settings that cannot be used are told at once.
"""

import sys
from collections.abc import Sequence

from components.doctor.findings import as_json, failed

SETTINGS = "Settings"
"""The name of the first check, after which nothing follows if it fails."""


def tell_problems(problems: Sequence[str], in_json: bool) -> int:
    """Tell what is wrong with the settings, with which nothing else can be examined."""
    findings = [failed(SETTINGS, problem) for problem in problems]
    say(as_json(findings) if in_json else "\n".join(finding.line for finding in findings))
    return 1


def say(words: str) -> None:
    """Write a line, now."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
