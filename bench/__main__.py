"""`python -m bench`: one table of this app beside a plain fastrtc handler."""

import argparse
import asyncio
import os
import platform
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from bench import browser, load, local, paths, plot, replicas, report, start, visit

PARTS = ("start", "visit", "paths", "browser", "load", "local")
ASKED_FOR = ("replicas",)
"""What is not measured unless it is named, as it needs other programs."""
PART_LIMIT_S = 240
LONG_LIMIT_S = 1500


def main() -> int:
    """Run until done or interrupted; 1 if a target is missed, 2 if a part could not be run."""
    arguments = _parser().parse_args()
    if not Path("/proc/self/stat").exists():
        sys.stderr.write("The bench reads processor time from /proc: it needs Linux.\n")
        return 2
    try:
        raw, failed = asyncio.run(_measure(arguments))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    rows = report.rows(raw)
    sys.stdout.write(f"{report.table(rows)}\n")
    if arguments.json:
        verdicts = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
        whole = {"machine": _machine(), "rows": verdicts, "raw": raw}
        arguments.json.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
    if arguments.plot and "load" in raw:
        plot.draw(raw["load"], arguments.plot)
    if failed:
        return 2
    return 1 if any(row.met is False for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures this app beside a plain fastrtc handler."
    )
    parser.add_argument(
        "--only", nargs="+", choices=PARTS + ASKED_FOR, default=PARTS, metavar="PART"
    )
    parser.add_argument(
        "--calls", nargs="+", type=int, default=load.CALLS, help="talking at once, rising"
    )
    parser.add_argument("--long", action="store_true", help="ten minutes of loss for each app")
    parser.add_argument(
        "--inspected",
        action="store_true",
        help="our calls with the drawer open on the events, and recorded",
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="draw latency against calls into this PNG")
    return parser


async def _measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """The results by part, and whether one could not be had."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    makers: dict[str, Callable[[], Awaitable[Any]]] = {
        "start": start.measure,
        "visit": visit.measure,
        "paths": lambda: paths.measure(arguments.long, arguments.inspected),
        "browser": lambda: browser.measure(arguments.inspected),
        "load": lambda: load.measure(tuple(arguments.calls), arguments.inspected),
        "local": local.measure,
        "replicas": replicas.measure,
    }
    raw: dict[str, Any] = {}
    failed = False
    for part in arguments.only:
        begun = time.monotonic()
        limit = LONG_LIMIT_S if arguments.long else PART_LIMIT_S
        try:
            async with asyncio.timeout(limit):
                raw[part] = await makers[part]()
        except Exception as error:
            failed = True
            sys.stderr.write(f"{part}: not measured. {type(error).__name__}: {error}\n")
        else:
            sys.stderr.write(f"{part}: {time.monotonic() - begun:.0f} s\n")
    return raw, failed


def _machine() -> dict[str, Any]:
    return {
        "processors": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


if __name__ == "__main__":
    sys.exit(main())
