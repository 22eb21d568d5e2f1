"""When a server that had no room for a response may be asked again.

Rule: as soon as it says itself, but neither at once nor in the far future.
"""

from typing import Final

from components.protocol.fields import Json

PAUSE_S: Final = 5.0
"""Where the server does not say when it has room, and the least in any case."""
LONGEST_PAUSE_S: Final = 60.0
MOST_LIMITS: Final = 10
"""Limits of one report that are looked at."""


def pause_s(event: Json) -> float:
    """Seconds until there is room again, by a `rate_limits.updated`.

    Only a limit with `remaining: 0` counts, and of several the one that lasts longest.
    """
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
