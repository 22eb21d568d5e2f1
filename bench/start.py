"""From `python app.py` to the page answering."""

from typing import Any

from bench.apps import running
from bench.control import child


async def measure() -> dict[str, Any]:
    """Seconds: the plain app, ours with a server elsewhere, ours in practice mode."""
    seconds = {}
    async with child("bench.realtime") as server:
        upstream = await server.ask("address")
        async with running("plain", upstream):  # once for nothing: files come from the disk
            pass
        async with running("plain", upstream) as app:
            seconds["plain"] = app.start_s
        async with running("ours", upstream) as app:
            seconds["ours"] = app.start_s
        async with running("ours", upstream, practice=True) as app:
            seconds["practice"] = app.start_s
    return seconds
