"""A child process that runs one of our worker modules and exchanges frames with it over pipes.

Rule: nothing here waits without a limit, and no worker outlives its server: the end of stdin ends
it, whatever became of the parent.
"""

import asyncio
import contextlib
import logging
import sys
from pathlib import Path
from typing import Final

from components.practice.speech import framing
from components.practice.speech.framing import READY, REFUSED, Frame

logger = logging.getLogger(__name__)

START_LIMIT_S: Final = 20.0
_CLOSE_LIMIT_S: Final = 2.0
_ROOT: Final = Path(__file__).resolve().parents[3]


class WorkerError(Exception):
    """The worker could not start, has died, does not answer, or answers nonsense."""


class Worker:
    """A running worker. Make one with `start`, end it with `close`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout

    @classmethod
    async def start(cls, module: str, *arguments: str) -> "Worker":
        """Run a module and wait until it is ready; `WorkerError` if it will not be."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # The program may have been started from anywhere.
                cwd=_ROOT,
            )
        except OSError as error:
            raise WorkerError(f"{module} does not start: {error}") from error
        worker = cls(process)
        try:
            frame = await worker.receive(START_LIMIT_S)
        except BaseException:
            await worker.close()
            raise
        if frame.kind != READY:
            await worker.close()
            if frame.kind == REFUSED:
                raise WorkerError(frame.payload.decode(errors="replace"))
            raise WorkerError(f"{module} began with {frame.kind!r}")
        logger.info("= %s runs as process %d", module, process.pid)
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, frame: Frame) -> None:
        """Queue a frame; never blocks. What a dead worker gets is lost, `receive` tells."""
        if self._process.returncode is None and not self._stdin.is_closing():
            self._stdin.write(framing.pack(frame))

    async def receive(self, limit_s: float) -> Frame:
        """The next frame; `WorkerError` if it does not come in time. Then close this worker."""
        try:
            async with asyncio.timeout(limit_s):
                header = await self._stdout.readexactly(framing.HEADER_BYTES)
                kind, length = framing.unpack_header(header)
                return Frame(kind, await self._stdout.readexactly(length))
        except TimeoutError as error:
            raise WorkerError(f"no answer within {limit_s} s") from error
        except (asyncio.IncompleteReadError, ValueError, OSError) as error:
            raise WorkerError(f"the worker is gone or out of step: {error}") from error

    async def close(self) -> None:
        """End the process: politely, then not."""
        self._stdin.close()
        try:
            async with asyncio.timeout(_CLOSE_LIMIT_S):
                await self._process.wait()
        except TimeoutError:
            logger.warning("! process %d does not end by itself", self.pid)
        finally:
            # Also when the caller has no time to wait for it.
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
