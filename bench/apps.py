"""Starts the two apps, each as a process of its own, and reads what they cost.

Rule: nothing of the caller's settings reaches an app, and an app's whole process group ends with
the block. Processor time and memory come from Linux's /proc.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import httpx

from bench.control import ROOT

Name = Literal["plain", "ours"]
NAMES: Final[tuple[Name, ...]] = ("plain", "ours")

MAX_CALLS: Final = 200
START_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 8.0
_SETTINGS: Final = (
    "OPENAI_",
    "REALTIME_",
    "MAX_",
    "GRADIO_",
    "PRACTICE_",
    "HF_TOKEN",
    "TURN_",
    "APP_",
    "SPACE_",
    "REPLICA_",
    "FORWARDED_",
)


class AppError(Exception):
    """An app does not start; the text ends with its log."""


@dataclass(frozen=True)
class App:
    """A running app, of one process or several."""

    name: Name
    url: str
    pids: tuple[int, ...]
    start_s: float
    """From the start of the process to the first answer of the page."""

    def cpu_s(self) -> float:
        """Processor time of the processes so far, all threads together."""
        return sum(map(_cpu_s, self.pids))

    def rss_mb(self) -> float:
        """Resident memory of the processes."""
        return sum(map(_rss_mb, self.pids))


@asynccontextmanager
async def running(
    name: Name, upstream: str, practice: bool = False, shared: Mapping[str, str] | None = None
) -> AsyncIterator[App]:
    """An app that answers; `practice` lets ours start its own Realtime server as well.

    `shared` are settings that make a replica of it.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        begun = time.monotonic()
        settings = {**_environment(upstream), **(shared or {})}
        process = _start(_command(name, port, upstream, practice), settings, log)
        try:
            url = f"http://127.0.0.1:{port}"
            if not await _answers(process, url):
                raise AppError(f"{name} does not start:\n{_tail(log)}")
            yield App(name, url, (process.pid,), time.monotonic() - begun)
        finally:
            await asyncio.to_thread(_stop, process)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _command(name: Name, port: int, upstream: str, practice: bool) -> list[str]:
    if name == "ours":
        extra = ["--practice"] if practice else []
        return [sys.executable, str(ROOT / "app.py"), "--port", str(port), *extra]
    numbers = ["--port", str(port), "--calls", str(MAX_CALLS)]
    return [sys.executable, "-m", "bench.plain", "--upstream", upstream, *numbers]


def _environment(upstream: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_SETTINGS)}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "OPENAI_API_KEY": "bench",
        "REALTIME_BASE_URL": upstream,
        # Ears and a voice that take two cores would be measured with the app.
        "PRACTICE_EARS": "small",
        "PRACTICE_VOICE": "small",
        "MAX_CALLS": str(MAX_CALLS),
        "MAX_STARTS_PER_MINUTE": "10000",
    }


def _start(command: list[str], settings: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=log.parent,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _tail(log: Path) -> str:
    return log.read_text("utf-8", errors="replace")[-2000:]


async def _answers(process: "subprocess.Popen[bytes]", url: str) -> bool:
    deadline = time.monotonic() + START_LIMIT_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if (await client.get(url, timeout=10)).is_success:
                    return True
            except httpx.TransportError:
                await asyncio.sleep(0.02)
    return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """A port of this machine that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
