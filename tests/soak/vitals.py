"""What a process holds: memory, threads, files, and what it says of its own tasks and objects."""

import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import orjson

NOTE = "SOAK_NOTE"
"""The environment variable that names the file for the app's notes."""
NOTE_LIMIT_S = 20
RENEWAL_S = 2.0
"""After so long the app renews a session, as soon as nobody speaks: hours pass in seconds."""


@dataclass(frozen=True)
class Vitals:
    """Memory in MB; everything else is a number of things."""

    memory: float
    threads: int
    pooled: int
    """Threads that belong to a pool, out of all."""
    files: int
    sockets: int
    """Out of the files."""
    tasks: Counter[str]
    """Unfinished ones, by the name of their coroutine."""
    objects: Counter[str]
    """Those that belong to calls, by class."""

    def __str__(self) -> str:
        return (
            f"{self.memory:.1f} MB, {self.threads} threads ({self.pooled} of pools), "
            f"{self.files} files ({self.sockets} sockets), {self.tasks.total()} tasks, "
            f"{self.objects.total()} objects of calls {dict(self.objects)}"
        )


def memory(pid: int) -> float:
    """Resident memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(_field("VmRSS", status)) / 1024


def vitals(pid: int, note: Path) -> Vitals:
    """Of a `watched_app` that writes its notes to this file; takes a moment."""
    note.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + NOTE_LIMIT_S
    while not note.exists():
        assert time.monotonic() < deadline, "the app does not tell what it holds"
        time.sleep(0.05)
    told = orjson.loads(note.read_bytes())
    targets = _targets(Path(f"/proc/{pid}/fd"))
    return Vitals(
        memory=memory(pid),
        threads=int(_field("Threads", Path(f"/proc/{pid}/status").read_text("ascii"))),
        pooled=told["pooled"],
        files=len(targets),
        sockets=sum(target.startswith("socket:") for target in targets),
        tasks=Counter(told["tasks"]),
        objects=Counter(told["objects"]),
    )


def _field(name: str, status: str) -> str:
    match = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    assert match, f"no {name} in the status of the process"
    return match[1]


def _targets(folder: Path) -> list[str]:
    """Where open files lead; one that is closed meanwhile is none."""
    targets = []
    for link in folder.iterdir():
        try:
            targets.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return targets
