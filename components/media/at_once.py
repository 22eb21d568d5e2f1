"""Coroutines of aiortc and aioice that wait for nothing, run without a task.

Rule: one that does wait for something is an error, and is given up; it is not left half-way.
"""

from collections.abc import Coroutine
from typing import Any


def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run to its end what has nothing to wait for; what it raises is raised."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError(f"{work} waits for something")
