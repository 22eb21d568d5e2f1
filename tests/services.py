"""Programs that replicas stand behind, started as processes of their own on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import free_port

START_LIMIT_S = 20
STOP_LIMIT_S = 10


def program(name: str, package: str) -> str:
    """Where a program is; where it is missing the test is skipped, and in CI fails."""
    # What serves is often not on the path of who is not root.
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{name} is missing: apt-get install {package}")
    return found or pytest.skip(f"{name} is not installed: apt-get install {package}")


class Service:
    """A program that can be killed, and begun again at the same port."""

    def __init__(
        self, command: list[str], port: int, folder: Path, host: str = "127.0.0.1"
    ) -> None:
        self.host = host
        self.port = port
        self._command = command
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def begin(self) -> None:
        """Returns when somebody listens at its port (TCP)."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_LIMIT_S
        while not is_open(self.host, self.port):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def kill(self) -> None:
        """Without a chance to say goodbye, and its workers with it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process:
            os.killpg(process.pid, number)
            process.wait(STOP_LIMIT_S)


def is_open(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


@contextmanager
def running(service: Service) -> Iterator[Service]:
    service.begin()
    try:
        yield service
    finally:
        service.stop()


@contextmanager
def redis_server(folder: Path) -> Iterator[Service]:
    """A Redis server that writes nothing to the disk, as `deploy/` starts it."""
    port = free_port()
    where = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    command = [program("redis-server", "redis-server"), *where, "--save", "", "--appendonly", "no"]
    with running(Service(command, port, folder)) as service:
        yield service


DEPLOY = Path(__file__).parents[1] / "deploy"


@contextmanager
def nginx(folder: Path, *replicas: int) -> Iterator[Service]:
    """nginx before the two replicas at these ports, with the configuration of `deploy/`."""
    port = free_port()
    text = (DEPLOY / "nginx.conf.template").read_text()
    for name, replica in zip("AB", replicas, strict=True):
        text = text.replace(f"${{APP_{name}_SERVICE_HOST}}", "127.0.0.1")
        text = text.replace(f"${{APP_{name}_SERVICE_PORT}}", str(replica))
    text = text.replace("/tmp/", f"{folder}/").replace("listen 8080;", f"listen 127.0.0.1:{port};")
    (folder / "nginx.conf").write_text(text)
    own = ["-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "log")]
    command = [program("nginx", "nginx"), *own, "-g", "daemon off;"]
    with running(Service(command, port, folder)) as service:
        yield service


RELAY_USER = "voice"


@contextmanager
def coturn(folder: Path, password: str, address: str, port: int = 0) -> Iterator[Service]:
    """A relay with the configuration of `deploy/`, at this address of the machine, to it alone."""
    port = port or free_port()
    text = (DEPLOY / "turnserver.conf").read_text()
    text = text.replace("/tmp/", f"{folder}/").replace("=3478", f"={port}")
    (folder / "turnserver.conf").write_text(text)
    own = ["-c", str(folder / "turnserver.conf"), "--realm=voice"]
    where = [f"--{what}={address}" for what in ("listening-ip", "relay-ip", "allowed-peer-ip")]
    user = [f"--user={RELAY_USER}:{password}"]
    command = [program("turnserver", "coturn"), *own, *where, *user]
    with running(Service(command, port, folder, address)) as service:
        yield service
