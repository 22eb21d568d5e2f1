"""The whole app as its users start it: a process of its own, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
START_LIMIT_S = 60
STOP_LIMIT_S = 10
MOST_LOG = 100_000
"""Characters of it that are shown."""
OURS = (
    *("OPENAI_", "REALTIME_", "MAX_", "RATE_LIMIT_", "DIRECT_", "GRADIO_", "PRACTICE_"),
    *("HF_TOKEN", "TURN_", "ICE_", "APP_", "FORWARDED_", "SPACE_ID"),
    *("METRICS_", "DRAIN_", "LOG_FORMAT", "VISITOR_", "CLOUDFLARE_", "TWILIO_"),
)


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without any setting of the app but those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    # An Ollama of whoever runs the tests would answer in place of the rules.
    ours = {"GRADIO_ANALYTICS_ENABLED": "False", "PRACTICE_LLM_BASE_URL": "off"}
    return {**inherited, **ours, **variables}


def usual_signals() -> None:
    """For a process that begins: tests that run in the background may not hear of these."""
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class App:
    """A started app."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path


@contextmanager
def started_app(
    folder: Path,
    *flags: str,
    host: str = "127.0.0.1",
    port: int = 0,
    program: Path = ROOT / "app.py",
    output: Path | None = None,
    **variables: str,
) -> Iterator[App]:
    """An app that answers, in a process group of its own, as a terminal would start it.

    In `folder` it looks for `.env` and leaves its log, unless its output goes elsewhere. It gets a
    free port, unless the caller has told it of one in another way. Stopped at the end, if it still
    runs.
    """
    if not port:
        port = free_port()
        flags = ("--host", host, "--port", str(port), *flags)
    log = output or folder / "app.log"
    with log.open("wb") as opened:
        process = subprocess.Popen(
            [sys.executable, str(program), *flags],
            cwd=folder,
            env=environment(PYTHONPATH=str(ROOT), **variables),
            stdout=opened,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=usual_signals,
        )
        try:
            name = f"[{host}]" if ":" in host else host
            app = App(f"http://{name}:{port}", process, log)
            _wait(app)
            yield app
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_S)


@contextmanager
def running_app(folder: Path, *flags: str, port: int = 0, **variables: str) -> Iterator[str]:
    """The address of a `started_app`."""
    typed: dict[str, Any] = dict(variables)
    with started_app(folder, *flags, port=port, **typed) as app:
        yield app.url


def _wait(app: App) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline and app.process.poll() is None:
            try:
                if client.get(app.url).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
    with app.log.open(errors="replace") as log:  # which may be a device without an end
        raise AssertionError(f"the app did not start:\n{log.read(MOST_LOG)}")


@contextmanager
def practice_server(*flags: str) -> Iterator[str]:
    """The base URL of a practice server of its own."""
    port = free_port()
    with TemporaryFile() as output:  # not a pipe, which somebody would have to empty
        process = subprocess.Popen(
            [sys.executable, "-m", "components.practice", "--port", str(port), *flags],
            cwd=ROOT,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + START_LIMIT_S
            while b"ready" not in os.pread(output.fileno(), 10_000, 0):
                assert process.poll() is None, os.pread(output.fileno(), 10_000, 0).decode()
                assert time.monotonic() < deadline, "the practice server does not get ready"
                time.sleep(0.05)
            yield f"ws://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_S)
