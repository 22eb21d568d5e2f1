"""When a server that had no room for a response may be asked again.

Rule: as soon as it says itself, but neither at once nor in the far future.
"""

from typing import Final

from components.protocol.fields import Event, text

PAUSE_S: Final = 5.0
"""Where the server does not say when it has room, and the least in any case."""
LONGEST_PAUSE_S: Final = 60.0
MOST_LIMITS: Final = 10
"""Limits of one report that are looked at."""

_CODES: Final = frozenset(
    ("rate_limit_exceeded", "rate_limit_error", "inference_rate_limit_exceeded")
)


def is_overload(error: Event) -> bool:
    """Whether an error says that there were too many requests (protocol digest 2.6)."""
    return text(error, "code") in _CODES or text(error, "type") in _CODES


def pause_s(event: Event) -> float:
    """Seconds until there is room again, by a `rate_limits.updated` (digest 5.12)."""
    limits = event.get("rate_limits")
    pauses = [_reset_s(limit) for limit in limits[:MOST_LIMITS]] if isinstance(limits, list) else []
    return max([PAUSE_S, *pauses])


def _reset_s(limit: object) -> float:
    if not isinstance(limit, dict) or limit.get("remaining") != 0:
        return 0.0
    seconds = limit.get("reset_seconds")
    if not isinstance(seconds, int | float) or not seconds > 0:
        return 0.0
    return float(min(seconds, LONGEST_PAUSE_S))
