"""From `python app.py` to the page answering."""

from typing import Any

from bench.apps import Name, running
from bench.control import child
from bench.figures import median

RUNS = 2


async def measure() -> dict[str, Any]:
    """Median seconds: the plain app, ours with a server elsewhere, ours in practice mode."""
    async with child("bench.realtime") as server:
        upstream = await server.ask("address")
        seconds: dict[str, list[float]] = {"plain": [], "ours": [], "practice": []}
        for _ in range(RUNS):
            for kind, taken in seconds.items():
                name: Name = "plain" if kind == "plain" else "ours"
                async with running(name, upstream, practice=kind == "practice") as app:
                    taken.append(app.start_s)
    return {kind: median(taken) for kind, taken in seconds.items()}
