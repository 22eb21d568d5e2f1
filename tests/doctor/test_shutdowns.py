"""Which models are about to end, and what is said of those that have."""

from datetime import date

import pytest

from components.doctor.shutdowns import examine_shutdown

OPENAI = "api.openai.com"
AZURE = "somebody.openai.azure.com"


@pytest.mark.parametrize(
    ("model", "host", "today", "verdict"),
    [
        ("gpt-realtime-2.1", OPENAI, date(2027, 6, 25), "ok"),
        ("gpt-realtime", OPENAI, date(2026, 9, 1), "ok"),
        ("gpt-realtime", OPENAI, date(2026, 11, 26), "warning"),
        ("gpt-realtime", OPENAI, date(2027, 1, 20), "failed"),
        ("gpt-realtime", "localhost", date(2027, 1, 20), "ok"),
        ("gpt-realtime-2.1", AZURE, date(2027, 3, 1), "warning"),
        ("gpt-realtime-2.1", AZURE, date(2027, 6, 25), "failed"),
    ],
)
def test_a_model_is_judged_by_its_host_and_the_day(
    model: str, host: str, today: date, verdict: str
) -> None:
    found = examine_shutdown("REALTIME_MODEL", model, host, today)

    assert found.verdict == verdict
    assert bool(found.fix) == (verdict != "ok")
    assert found.check == f"Future of {model}"
