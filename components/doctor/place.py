"""Whether the place where the app runs suits it: its address, its limits, its disk.

Rule: an address is judged by the settings alone, as only a browser knows how it came here.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from components.doctor.findings import Finding, ok, warning
from components.protocol.prices import has_price
from components.settings import Settings

ORIGIN: Final = "Secure origin"
LIMITS: Final = "Limits"
DISK: Final = "Disk"
LITTLE_BYTES: Final = 200_000_000
"""A recording of half an hour and a trace have room in it."""


def examine_origin(settings: Settings) -> Finding:
    """Browsers give a microphone to https and to localhost only."""
    if settings.on_space or settings.share:
        return ok(ORIGIN, "the public address is https.")
    if not settings.reachable:
        return ok(ORIGIN, "the page is at localhost, where browsers allow a microphone.")
    if settings.root_path.startswith("https://"):
        return ok(ORIGIN, f"a proxy shows the page at {settings.root_path}.")
    return warning(
        ORIGIN,
        "browsers give a microphone only to https pages and to localhost.",
        "Put a proxy with TLS before the app, and open the page by its https address.",
    )


def examine_limits(settings: Settings) -> Finding:
    """Whether what strangers may cost is bounded."""
    if settings.practice:
        return ok(LIMITS, "the practice server costs nothing.")
    cost_bounded = settings.max_call_cost or settings.max_visitor_cost
    if cost_bounded and not has_price(settings.model):
        found = f"no price of {settings.model} is known, so limits of cost have no effect."
        return warning(LIMITS, found, "Set MAX_CALL_SECONDS.")
    bounded = cost_bounded or settings.max_call_seconds or settings.login
    if settings.reachable and not bounded:
        found = "whoever opens the page may talk at the key's cost, for as long as he likes."
        return warning(LIMITS, found, "Set MAX_CALL_COST or MAX_CALL_SECONDS, or a login.")
    return ok(LIMITS, "calls are bounded." if bounded else "only this machine can begin calls.")


def examine_disk(settings: Settings) -> Finding:
    """Whether there is room for recordings and, if it is on, the trace."""
    traces = [settings.trace.absolute().parent] if settings.trace else []
    folders = [Path(tempfile.gettempdir()), *traces]
    try:
        free, folder = min((shutil.disk_usage(each).free, each) for each in folders)
    except OSError as error:
        return warning(DISK, f"its room cannot be told: {error.strerror}.")
    left = f"{free // 1_000_000:,} MB are left in {folder}"
    if free < LITTLE_BYTES:
        found = f"{left}: recordings and traces may break off; calls go on."
        return warning(DISK, found, "Make room.")
    return ok(DISK, f"{left}.")
