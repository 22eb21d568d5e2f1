"""The page's web server: the one that Gradio starts, with limits for which Gradio has no words, and
without uvicorn's looking ten times a second whether it should end.

Rule: what visitors open takes two thirds of the files that the process may have, and leaves one
third to calls. A connection is a file, and what is sent over it may be another.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

import uvicorn
from gradio import http_server, routes

from components.access.connection import Connection
from components.access.crowd import Crowd
from components.access.proxies import Proxies

BACKLOG: Final = 128
"""Connections that are accepted at a time, before any of them is counted."""
DATE_S: Final = 1.0
"""So long an answer may carry the same date."""

log = logging.getLogger(__name__)


@contextmanager
def limited_server(files: int, proxies: Sequence[str]) -> Iterator[None]:
    """Inside, servers that Gradio starts are limited; they print nothing of requests, also later.

    `files` may be open in this process; `proxies` are believed when they name their visitors.
    """
    plain = http_server.Server

    def limited(config: uvicorn.Config, **options: Any) -> Any:
        limit(config, files, proxies)
        return _PatientServer(config=config, **options)

    http_server.Server = limited
    routes.print = _say  # Gradio prints the type of every request of its component
    try:
        yield
    finally:
        http_server.Server = plain


class _PatientServer(http_server.Server):  # type: ignore[misc]  # Gradio's types are not read
    """Ends when it is told to, by `close`, and between that wakes up for the date alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # which sets the date
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), DATE_S)

    def close(self) -> None:
        """From any thread; returns when it has ended, or after some seconds."""
        self.should_exit = True
        if self._loop:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._ending.set)
        super().close()


def limit(config: uvicorn.Config, files: int, proxies: Sequence[str]) -> None:
    """Limit a server that has not been started."""
    crowd = Crowd(files // 3)
    config.http = partial(Connection, crowd, Proxies(proxies))  # type: ignore[assignment]
    config.backlog = min(BACKLOG, files // 8)
    config.forwarded_allow_ips = list(proxies)
    for name in ("uvicorn", "uvicorn.access"):  # one form for every line, and one limit
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _say(*values: object) -> None:
    log.debug("Gradio says: %s", values)
