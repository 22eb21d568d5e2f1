"""How long sound takes through each app, by an aiortc caller: microphone, loudspeaker, stop.

Three calls at a time: one without loss, which also hears replies and interrupts some, and two that
lose packets. The microphone's way is from the hand-over of a frame to the server's receipt of the
append that holds it; the loudspeaker's from the server's sending of the first delta to the arrival
of the first loud packet; a stop from `speech_started` to the arrival of the last loud packet.
"""

import asyncio
import time
from bisect import bisect_left
from typing import Any, Final

from bench.apps import NAMES, Name
from bench.control import Child
from bench.figures import Delay, drift, median, percentile
from bench.stage import stage

LOSSES: Final = (0.0, 0.02, 0.1)
PAUSES_S: Final = (0.5, 0.3, 1.2, 3.0, 0.6, 2.0, 1.0)
"""Before each reply, counted from where the one before it ends if nothing delays it."""
REPLY_S: Final = 1.4
LONG_REPLY_S: Final = 6.0
INTERRUPT_AFTER_S: Final = (1.0, 1.3, 1.6, 2.1)
STOP_LIMIT_S: Final = 0.8
REPLY_HERTZ: Final = 500.0
SETTLED_S: Final = 1.0
"""After joining; what the microphone sent before may wait for the session's settings."""
LONG_RUN_S: Final = 600.0


async def measure(long: bool, inspected: bool = False) -> dict[str, Any]:
    """The figures of both apps; `long` adds ten minutes of loss."""
    results: dict[str, Any] = {name: await _measure(name, inspected) for name in NAMES}
    if long:
        for name in NAMES:
            results[name]["ten_minutes"] = await _measure_long(name)
    return results


async def _measure(name: Name, inspected: bool) -> dict[str, Any]:
    async with stage(name, inspected=inspected) as on:
        for loss in LOSSES:
            await on.join(loss)
        await asyncio.sleep(SETTLED_S)
        begun = time.monotonic_ns()
        replies = await _hear_replies(on.server)
        stops = await _interrupt(on.server)
        await asyncio.sleep(SETTLED_S)
        ended = time.monotonic_ns()
        loud = [ns for ns, is_loud in (await on.heard(0, begun, ended))["sounds"] if is_loud]
        return {
            "first_sound_ms": [_first(loud, sent) for sent in replies],
            "stop_ms": [_last(loud, sent) for sent in stops],
            "microphone": {
                f"{loss:g}": summary(*await on.microphone(call, begun, ended))
                for call, loss in enumerate(LOSSES)
            },
        }


async def _measure_long(name: Name) -> dict[str, Any]:
    """Ten minutes of loss: the microphone's way, minute by minute."""
    async with stage(name) as on:
        for loss in LOSSES[1:]:
            await on.join(loss)
        await asyncio.sleep(SETTLED_S)
        begun = time.monotonic_ns()
        await asyncio.sleep(LONG_RUN_S)
        ended = time.monotonic_ns()
        result = {}
        for call, loss in enumerate(LOSSES[1:]):
            way, sent = await on.microphone(call, begun, ended)
            minutes: dict[int, list[float]] = {}
            for delay in way:
                minutes.setdefault((delay.ns - begun) // 60_000_000_000, []).append(delay.ms)
            by_minute = [median(values) for _, values in sorted(minutes.items())]
            result[f"{loss:g}"] = {**summary(way, sent), "by_minute_ms": by_minute}
        return result


def summary(way: list[Delay], sent: int) -> dict[str, Any]:
    """What is told of the marks' ways, in ms; `sent` are those that were not lost."""
    values = [delay.ms for delay in way]
    return {
        "marks": len(values),
        "sent": sent,
        "median_ms": median(values),
        "p95_ms": percentile(values, 95),
        "max_ms": max(values, default=float("nan")),
        "growth_ms": drift(values),
        "time_line_shift_ms": drift([delay.offset_ms for delay in way]),
    }


async def _hear_replies(server: Child) -> list[int]:
    """The time at which the first delta of each reply was sent."""
    sent = []
    for pause in PAUSES_S:
        await asyncio.sleep(pause)
        sent.append(await server.ask("reply", call=0, seconds=REPLY_S, hertz=REPLY_HERTZ))
        await asyncio.sleep(max(0.0, sent[-1] / 1e9 + REPLY_S - time.monotonic()))
    return sent


async def _interrupt(server: Child) -> list[int]:
    """The time at which each `speech_started` was sent."""
    sent = []
    for after in INTERRUPT_AFTER_S:
        await asyncio.sleep(STOP_LIMIT_S)
        await server.ask("reply", call=0, seconds=LONG_REPLY_S, hertz=REPLY_HERTZ)
        await asyncio.sleep(after)
        sent.append(await server.ask("interrupt", call=0))
    return sent


def _first(loud: list[int], sent: int) -> float:
    """From `sent` to the first loud packet after it, in ms; NaN if none came."""
    index = bisect_left(loud, sent)
    return (loud[index] - sent) / 1e6 if index < len(loud) else float("nan")


def _last(loud: list[int], sent: int) -> float:
    """From `sent` to the last loud packet before the next reply, in ms; 0 if none came."""
    late = [ns for ns in loud if sent <= ns < sent + STOP_LIMIT_S * 1e9]
    return (late[-1] - sent) / 1e6 if late else 0.0
