"""How many files this process may have open: sockets count as such.

Rule: what visitors open never takes the files that calls under way need.
"""

import sys
from typing import Final

ENOUGH: Final = 10_240
"""As many as macOS gives; a thousand calls and their visitors need fewer."""


def raise_limit() -> int:
    """Raise this process's limit as far as it may, up to `ENOUGH`; how many it then may open."""
    if sys.platform == "win32":  # which has no such limit
        return ENOUGH
    import resource  # noqa: PLC0415 (Windows has none)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= ENOUGH:
        return ENOUGH
    wanted = ENOUGH if hard == unlimited else min(hard, ENOUGH)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
