"""How a finding is told, to people and to programs."""

import json

from components.doctor.findings import as_json, failed, is_well, ok, warning

FINE = ok("Key", "it is taken.")
MISSED = warning("STUN", "it does not answer.", "Let UDP out.")
BROKEN = failed("Model", "there is none.", "Check REALTIME_MODEL.")


def test_a_line_has_the_verdict_what_was_found_and_what_to_do() -> None:
    assert FINE.line == "ok       Key: it is taken."
    assert MISSED.line == "warning  STUN: it does not answer. Let UDP out."
    assert BROKEN.line == "failed   Model: there is none. Check REALTIME_MODEL."


def test_only_a_failure_is_one() -> None:
    assert is_well([FINE, MISSED])
    assert not is_well([FINE, BROKEN])


def test_a_program_gets_all_of_it() -> None:
    assert json.loads(as_json([FINE, BROKEN])) == {
        "ok": False,
        "findings": [
            {"check": "Key", "verdict": "ok", "found": "it is taken.", "fix": ""},
            {
                "check": "Model",
                "verdict": "failed",
                "found": "there is none.",
                "fix": "Check REALTIME_MODEL.",
            },
        ],
    }
