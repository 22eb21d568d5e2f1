"""When providers shut models down, as far as they had announced it by `AS_OF`.

Rule: a name without a date of its own stands for the newest snapshot, and is looked up as it is.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from components.doctor.findings import Finding, failed, ok, warning

AS_OF: Final = date(2026, 11, 25)
SOON_DAYS: Final = 120

_OPENAI: Final[Mapping[str, date]] = {
    "gpt-realtime": date(2027, 1, 20),
    "gpt-realtime-mini": date(2027, 1, 20),
    "gpt-realtime-2025-08-28": date(2027, 1, 20),
    "gpt-realtime-mini-2025-12-15": date(2027, 1, 20),
    "gpt-4o-mini-transcribe": date(2027, 2, 26),
}
_AZURE: Final[Mapping[str, date]] = {
    "gpt-realtime-2": date(2027, 1, 20),
    "gpt-realtime-2.1": date(2027, 6, 25),
    "gpt-realtime-2.1-mini": date(2027, 6, 25),
    "gpt-realtime-1.5": date(2027, 8, 24),
}


def examine_shutdown(variable: str, model: str, host: str, today: date) -> Finding:
    """Whether a model is about to be shut down at the host that has it; `variable` names it."""
    check = f"Future of {model}"
    known = _AZURE if host.endswith(".openai.azure.com") else _OPENAI
    end = known.get(model) if host.endswith((".openai.com", ".openai.azure.com")) else None
    if end is None:
        return ok(check, f"no end of it was announced by {AS_OF}.")
    fix = f"Choose another by {variable}."
    if today >= end:
        return failed(check, f"it was shut down on {end}.", fix)
    if (end - today).days <= SOON_DAYS:
        return warning(check, f"it will be shut down on {end}.", fix)
    return ok(check, f"it will be shut down on {end}.")
