"""How many calls two processes of the app hold, and one, as `deploy/` has them: nginx and Redis.

The sound of a call goes to its process straight; nginx brings the callers to it, and the words of a
call back to them.
"""

import asyncio
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench import load
from bench.apps import START_LIMIT_S, App, AppError, Name, free_port, running
from bench.control import ROOT
from bench.stage import stage

CALLS: Final = {2: (1, 16, 24, 28, 32), 1: (1, 12, 16, 20)}
"""Talking at once, by the number of processes."""
_TEMPLATE: Final = ROOT / "deploy" / "nginx.conf.template"


async def measure() -> dict[str, Any]:
    """The figures for each number of processes: one run, one machine."""
    figures = {}
    for processes, steps in CALLS.items():
        start = partial(replicated, processes)
        async with stage("ours", load.PROCESSES, start=start) as on:
            figures[str(processes)] = await load.steps_on(on, steps)
    return figures


@asynccontextmanager
async def replicated(processes: int, name: Name, upstream: str) -> AsyncIterator[App]:
    """One or two processes of an app, as one app."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        redis_port, front_port = free_port(), free_port()
        where = ["--bind", "127.0.0.1", "--port", str(redis_port), "--dir", str(folder)]
        redis = [_program("redis-server"), *where, "--save", "", "--appendonly", "no"]
        await stack.enter_async_context(_service(redis, redis_port))
        shared = {
            "REPLICA_STORAGE": f"redis://127.0.0.1:{redis_port}",
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
        }
        apps = [
            await stack.enter_async_context(running(name, upstream, shared=shared))
            for _ in range(processes)
        ]
        conf = folder / "nginx.conf"
        conf.write_text(_configured(folder, front_port, [app.url for app in apps]))
        nginx = [_program("nginx"), "-p", str(folder), "-c", str(conf)]
        nginx += ["-e", str(folder / "log"), "-g", "daemon off;"]
        await stack.enter_async_context(_service(nginx, front_port))
        pids = tuple(pid for app in apps for pid in app.pids)
        start_s = max(app.start_s for app in apps)
        yield App(name, f"http://127.0.0.1:{front_port}", pids, start_s)


def _configured(folder: Path, port: int, urls: Sequence[str]) -> str:
    """The configuration of `deploy/`; one process stands for both replicas."""
    text = _TEMPLATE.read_text("utf-8")
    for name, url in zip("AB", (urls[0], urls[-1]), strict=True):
        host, _, number = url.removeprefix("http://").partition(":")
        text = text.replace(f"${{APP_{name}_SERVICE_HOST}}", host)
        text = text.replace(f"${{APP_{name}_SERVICE_PORT}}", number)
    return text.replace("/tmp/", f"{folder}/").replace("listen 8080;", f"listen 127.0.0.1:{port};")


def _program(name: str) -> str:
    # What serves is often not on the path of who is not root.
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise AppError(f"{name} is not installed")
    return found


@asynccontextmanager
async def _service(command: list[str], port: int) -> AsyncIterator[None]:
    """A program that listens at a port of this machine, for as long as the block lasts."""
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not _is_open(port):
            if process.returncode is not None or time.monotonic() > deadline:
                raise AppError(f"{command[0]} does not start")
            await asyncio.sleep(0.02)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
