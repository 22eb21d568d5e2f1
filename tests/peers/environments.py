"""Environments of their own for code nobody here wrote, so that it cannot disturb the app's.

Rule: an environment is made once for what its folder pins, outside of the tree, and then only read.
It stands in the user's cache; deleting it there is safe.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

PEERS = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "realtime-voice-ui/peers"
INSTALL_LIMIT_S = 300


def python_of(peer: str) -> Path:
    """The Python of the environment that `tests/peers/<peer>/requirements.txt` pins."""

    def make(folder: Path) -> None:
        _run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        # What is never imported need not be compiled.
        _run([*pip, "install", "--no-compile", "-r", str(PEERS / peer / "requirements.txt")])

    return _made(peer, ["requirements.txt"], sys.version, make) / "bin/python"


def node_modules_of(peer: str) -> Path:
    """The folder of packages that `tests/peers/<peer>/package-lock.json` pins."""
    npm = shutil.which("npm")
    if npm is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("npm is not installed")
    pins = ["package.json", "package-lock.json"]

    def make(folder: Path) -> None:
        folder.mkdir()
        for name in pins:
            shutil.copy(PEERS / peer / name, folder)
        _run([npm, "ci", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error"])

    return _made(peer, pins, "", make) / "node_modules"


def _made(peer: str, pins: Sequence[str], more: str, make: Callable[[Path], None]) -> Path:
    """The environment's folder, made by whoever comes first; the others wait for him."""
    content = b"".join((PEERS / peer / name).read_bytes() for name in pins) + more.encode()
    folder = CACHE / f"{peer}-{hashlib.sha256(content).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of who was stopped in the middle
            make(folder)
            whole.touch()
    return folder


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
