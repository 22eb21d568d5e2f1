"""The whole app as its users start it: a process of its own, on a free port."""

import multiprocessing
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
START_LIMIT_S = 60
STOP_LIMIT_S = 10
END_LIMIT_S = 50
"""For what ends by itself; shorter than a test may take."""
MOST_LOG = 100_000
"""Characters of it that are shown."""
OURS = (
    *("OPENAI_", "REALTIME_", "MAX_", "RATE_LIMIT_", "DIRECT_", "GRADIO_", "PRACTICE_"),
    *("HF_TOKEN", "TURN_", "ICE_", "APP_", "FORWARDED_", "SPACE_ID", "REPLICA_"),
    *("METRICS_", "DRAIN_", "LOG_FORMAT", "VISITOR_", "CLOUDFLARE_", "TWILIO_"),
)

NO_CALLS: dict[str, Any] = {"REALTIME_BASE_URL": "ws://127.0.0.1:9/v1"}
"""For an app in which nobody calls: the practice server is more than half of its start."""


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without any setting of the app but those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    ours = {
        "GRADIO_ANALYTICS_ENABLED": "False",
        # An Ollama of whoever runs the tests would answer in place of the rules.
        "PRACTICE_LLM_BASE_URL": "off",
        # Neural ears and voice take two cores and two seconds to start: only their tests want them.
        "PRACTICE_EARS": "small",
        "PRACTICE_VOICE": "small",
    }
    return {**inherited, **ours, **variables}


_ONE_AT_A_TIME = threading.Lock()
"""Several threads may start apps; the environment is that of the whole process."""
_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(["tests.warm"])


def usual_signals() -> None:
    """For a process that begins: tests that run in the background may not hear of these."""
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def free_port() -> int:
    """A port that nobody has; nor gets one of those that connect meanwhile, which are given higher
    ones."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def ended_app(folder: Path, *flags: str, **variables: str) -> tuple[int, str, str]:
    """Status, standard output and errors of an app that should end by itself, when it has."""
    process = subprocess.run(
        [sys.executable, str(ROOT / "app.py"), *flags],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=END_LIMIT_S,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr


def ended_fork(folder: Path, *flags: str, **variables: str) -> tuple[int, str, str]:
    """The same of one that is begun like a `forked_app`."""
    files = folder / "output", folder / "errors"
    variables = environment(PYTHONPATH=str(ROOT), **variables)
    return _ended(_fork(_run, folder, files, flags, variables), files)


def _placed(host: str, port: int, flags: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Port and flags of an app: a free port, unless it has been told of one in another way."""
    if port:
        return port, flags
    port = free_port()
    return port, ("--host", host, "--port", str(port), *flags)


@dataclass(frozen=True)
class App:
    """A running app, its process and its log."""

    url: str
    pid: int
    log: Path


@dataclass(frozen=True)
class StartedApp(App):
    """The same, of which one can ask all that a shell can."""

    process: "subprocess.Popen[bytes]"

    def ended(self, limit_s: float) -> int | None:
        """Its status when it has ended; `subprocess.TimeoutExpired` if it does not."""
        return self.process.wait(limit_s)


@dataclass(frozen=True)
class ForkedApp(App):
    """The same, of which one can ask less."""

    process: BaseProcess

    def ended(self, limit_s: float) -> int | None:
        """Its status when it has ended; None if it does not."""
        self.process.join(limit_s)
        return self.process.exitcode


@contextmanager
def started_app(
    folder: Path,
    *flags: str,
    host: str = "127.0.0.1",
    port: int = 0,
    program: Path = ROOT / "app.py",
    output: Path | None = None,
    **variables: str,
) -> Iterator[StartedApp]:
    """An app that answers, in a process group of its own, as a terminal would start it.

    In `folder` it looks for `.env` and leaves its log, unless its output goes elsewhere. It gets a
    free port, unless the caller has told it of one in another way. Stopped at the end, if it still
    runs.
    """
    port, flags = _placed(host, port, flags)
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
            url = _url(host, port)
            _wait(url, log, lambda: process.poll() is None)
            yield StartedApp(url, process.pid, log, process)
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_S)


@contextmanager
def running_app(folder: Path, *flags: str, port: int = 0, **variables: str) -> Iterator[str]:
    """The address of a `forked_app` of whose process nobody asks."""
    with forked_app(folder, *flags, port=port, **variables) as app:
        yield app.url


@contextmanager
def forked_app(
    folder: Path, *flags: str, host: str = "127.0.0.1", port: int = 0, **variables: str
) -> Iterator[ForkedApp]:
    """Like a `started_app`, but begun by a process that has imported all of it, which saves two
    seconds of work. What Gradio reads of the environment while it is imported does not reach it.
    """
    port, flags = _placed(host, port, flags)
    log = folder / "app.log"
    log.write_bytes(b"")
    variables = environment(PYTHONPATH=str(ROOT), **variables)
    process = _fork(_run, folder, (log, log), flags, variables)
    try:
        url = _url(host, port)
        _wait(url, log, process.is_alive)
        assert process.pid
        yield ForkedApp(url, process.pid, log, process)
    finally:
        process.terminate()
        process.join(STOP_LIMIT_S)
        assert process.exitcode is not None, "the app does not end"


def ended_code(folder: Path, code: str) -> tuple[str, str]:
    """What this code wrote to standard output and error, run in a process that had imported the
    whole app; it should end well by itself."""
    files = folder / "output", folder / "errors"
    status, output, errors = _ended(_fork(_run_code, code, files), files)
    assert status == 0, errors
    return output, errors


def _ended(process: BaseProcess, files: tuple[Path, Path]) -> tuple[int, str, str]:
    """Status of a process that ends by itself, and what it wrote to its two files."""
    process.join(END_LIMIT_S)
    output, errors = (file.read_text() for file in files)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"it does not end:\n{errors}")
    return process.exitcode, output, errors


def _fork(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process that runs `target`, and has imported the app."""
    process = _WARM.Process(target=target, args=arguments)
    with _ONE_AT_A_TIME, _environment(environment(PYTHONPATH=str(ROOT))):  # of who imports
        process.start()
    return process


def _run_code(code: str, files: tuple[Path, Path]) -> None:
    _be_a_program(files)
    exec(code, {})


def _be_a_program(files: tuple[Path, Path]) -> None:
    """Hear signals as a shell would have it, and write output and errors to these files."""
    usual_signals()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files, 1):
        with file.open("ab") as opened:
            os.dup2(opened.fileno(), number)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(
    folder: Path, files: tuple[Path, Path], flags: tuple[str, ...], variables: dict[str, str]
) -> None:
    """Be the app, as it were if a shell had started it."""
    os.setsid()
    _be_a_program(files)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = [str(ROOT / "app.py"), *flags]
    sys.exit(import_module("app").main())


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Inside, this is the environment of this process."""
    usual = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(usual)


def _wait(url: str, log: Path, runs: Callable[[], bool]) -> None:
    """Until the app answers, as long as it `runs`."""
    deadline = time.monotonic() + START_LIMIT_S
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline and runs():
            try:
                if client.get(url).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
    with log.open(errors="replace") as opened:  # it may be a device without an end
        raise AssertionError(f"the app did not start:\n{opened.read(MOST_LOG)}")


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
