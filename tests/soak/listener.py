"""An honest caller whose microphone sends marks, so that their way to the server can be measured.

The way of a mark is from the hand-over of its frame to the server's receipt of the append that
holds it. Sessions are renewed every two seconds here, and once an hour in life: marks that are
handed over while one begins do not count.
"""

import base64
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import numpy as np

from bench.figures import Sent, delays
from bench.signals import CYCLE, find_marks, mark_of_frame, microphone
from tests.peer import FRAME, Microphone, Peer
from tests.soak.relay import LISTEN, Relay

UNDER_WAY_NS: Final = 1_000_000_000
"""Marks as young as this at the end may not have arrived yet, and are not expected."""


class MarkedMicrophone(Microphone):
    """`marks` are those that were handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[Sent] = []
        self._cycle = microphone().reshape(CYCLE, FRAME)

    async def recv(self) -> Any:
        frame = await super().recv()
        assert frame.pts is not None
        number = frame.pts // FRAME
        frame.planes[0].update(self._cycle[number % CYCLE].tobytes())
        mark = mark_of_frame(number)
        if mark is not None:
            self.marks.append(Sent(time.monotonic_ns(), mark, number))
        return frame


class Listener:
    """The caller; `way_ms` tells how its marks fared."""

    def __init__(self, upstream: Relay) -> None:
        self._upstream = upstream
        self.peer = Peer()
        self.peer.microphone = self._microphone = MarkedMicrophone()

    def way_ms(self, since: int) -> tuple[Sequence[float], int]:
        """The way of each mark that was handed over since (ns), and how many there were."""
        until = time.monotonic_ns() - UNDER_WAY_NS
        pcm = [base64.b64decode(audio) for _, audio in self._upstream.appended]
        arrivals, end = [], 0
        for (ns, _), piece in zip(self._upstream.appended, pcm, strict=True):
            end += len(piece) // 2
            arrivals.append((end, ns))
        found = find_marks(np.frombuffer(b"".join(pcm), np.int16))
        way = delays(self._microphone.marks, found, arrivals)
        sent = [mark.ns for mark in self._microphone.marks if since <= mark.ns < until]
        counted = {ns for ns in sent if not self._renewed_at(ns)}
        return [each.ms for each in way if each.ns in counted], len(counted)

    def _renewed_at(self, ns: int) -> bool:
        """Whether a session was about to begin: what is said meanwhile waits for it, by design."""
        return any(begun <= ns <= ready for begun, ready in self._upstream.renewals)


@asynccontextmanager
async def listening(url: str, upstream: Relay) -> AsyncIterator[Listener]:
    """A listener whose call has begun, and of whose microphone the relay keeps what comes."""
    listener = Listener(upstream)
    try:
        await listener.peer.join(url)
        await listener.peer.sees(type="state", connection="connected")
        listener.peer.send(type="say", text=LISTEN)
        await listener.peer.hears(100)
        yield listener
    finally:
        await listener.peer.hang_up()
