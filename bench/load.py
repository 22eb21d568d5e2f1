"""What calls cost, and how many the app holds: all of them talk and hear talk at once.

The callers are processes of their own, and only the app's own processor time counts. They share the
machine with it all the same: `machine_idle` says how much of all processors was left over, and a
step with next to nothing left says more about the machine than about the app.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any, Final

from bench.apps import NAMES, Name
from bench.figures import longest_gap, median, percentile
from bench.stage import Stage, stage

CALLS: Final = (1, 8, 12, 16, 24)
PROCESSES: Final = 2
SPREAD_S: Final = 1.0
"""Over which the calls begin to talk."""
SETTLE_S: Final = 0.7
WINDOW_S: Final = 15.0
LATE_MS: Final = 100.0
"""A call holds real time while the 95th percentile of its microphone's way lies no further than
this above the one call's median, and no gap in its sound is longer than this."""
FULL_PERCENT: Final = 10.0
"""A machine with less than this left over is full: an app that is starved costs little."""
NEVER_MS: Final = 5000.0
"""What a mark counts that has not arrived when the step is over."""
EDGE_NS: Final = 600_000_000
"""Of a reply's beginning and end, where no sound may be expected yet, or any more."""


async def measure(steps: tuple[int, ...] = CALLS, inspected: bool = False) -> dict[str, Any]:
    """The figures of both apps for each number of calls."""
    return {name: await _measure(name, steps, inspected) for name in NAMES}


async def _measure(name: Name, steps: tuple[int, ...], inspected: bool) -> list[dict[str, Any]]:
    async with stage(name, PROCESSES, inspected) as on:
        return await steps_on(on, steps)


async def steps_on(on: Stage, steps: tuple[int, ...]) -> list[dict[str, Any]]:
    """The figures of the app on a stage for each number of calls; all have left then."""
    empty_mb = on.app.rss_mb()
    results = []
    for calls in steps:
        step = await _step(on, calls)
        step["memory_per_call_mb"] = (step["memory_mb"] - empty_mb) / calls
        results.append(step)
    await on.leave()  # before the machine is needed to look at all this
    for step in results:
        step |= await _ways(on, step["calls"], step["begun"], step["ended"])
        usual = results[0]["microphone_median_ms"] + LATE_MS
        on_time = step["microphone_p95_ms"] <= usual
        step["holds"] = on_time and step["longest_gap_ms"] <= LATE_MS
    return results


async def _step(on: Stage, calls: int) -> dict[str, Any]:
    """Bring the number of calls up to `calls`, let all talk for a while, and see what it costs."""
    await on.server.ask("hush")
    while on.calls < calls:
        await on.join()
    for call in range(calls):
        await on.server.ask("talk", call=call)
        await asyncio.sleep(SPREAD_S / calls)
    await asyncio.sleep(SETTLE_S)
    begun = time.monotonic_ns()
    before = on.app.cpu_s(), await on.callers_cpu_s(), _idle_s()
    await asyncio.sleep(WINDOW_S)
    after = on.app.cpu_s(), await on.callers_cpu_s(), _idle_s()
    ended = time.monotonic_ns()
    percent = 1e11 / (ended - begun)
    cpu, callers, idle = (percent * (b - a) for a, b in zip(before, after, strict=True))
    idle /= os.cpu_count() or 1
    return {
        "calls": calls,
        "begun": begun,
        "ended": ended,
        "cpu_percent": cpu,
        "cpu_per_call_percent": cpu / calls,
        "callers_cpu_percent": callers,
        "machine_idle_percent": idle,
        "machine_full": idle < FULL_PERCENT,
        "memory_mb": on.app.rss_mb(),
    }


async def _ways(on: Stage, calls: int, begun: int, ended: int) -> dict[str, float]:
    """How sound got through in a step."""
    ways: list[float] = []
    worst_p95 = 0.0
    gap = 0.0
    for call in range(calls):
        way, sent = await on.microphone(call, begun, ended)
        own = [delay.ms for delay in way] + [NEVER_MS] * (sent - len(way))
        ways += own
        worst_p95 = max(worst_p95, percentile(own or [NEVER_MS], 95))
        gap = max(gap, await _longest_gap(on, call, begun, ended))
    return {
        "microphone_median_ms": median(ways),
        "microphone_p95_ms": worst_p95,
        "longest_gap_ms": gap,
    }


async def _longest_gap(on: Stage, call: int, begun: int, ended: int) -> float:
    """The longest time without a loud packet where a reply should be heard, in ms."""
    windows = [
        (max(begun, sent + EDGE_NS), min(ended, sent + round(seconds * 1e9) - EDGE_NS))
        for sent, seconds in await on.server.ask("spoken", call=call)
    ]
    sounds = (await on.heard(call, begun, ended))["sounds"]
    loud = [ns for ns, is_loud in sounds if is_loud]
    return longest_gap(loud, [(a, b) for a, b in windows if a < b])


def _idle_s() -> float:
    """Idle time of all processors together since the machine was started."""
    fields = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()
    return int(fields[4]) / os.sysconf("SC_CLK_TCK")
