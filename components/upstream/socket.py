"""The WebSocket of `websockets`, with bounds on what the other end can make this one do and hold.

Rule: nothing that a server sends may block the event loop, which carries the sound of every call,
for longer than a frame lasts, or take memory without end.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import CTRL_OPCODES, CloseCode, Frame
from websockets.http11 import Request, Response
from websockets.protocol import OPEN

READ_BYTES: Final = 4096
"""Bytes that are read at a time. asyncio would read 256 KiB: 130,000 empty frames, which are
parsed in one go for a second. Of these, 2,000 take some 10 ms; an answer's sound takes a hundred
reads a second."""
MOST_CONTROL_FRAMES: Final = 200
"""Pings and pongs taken in a second, as each costs an answer; servers send one in many seconds."""
UNSENT_BYTES: Final = 16 * 1024
"""Bytes that the kernel may hold: a quarter of a second of microphone. Linux would take
megabytes from us on a stalled network, a minute of sound, and deliver all of it when the stall is
over."""
CLOSE_LIMIT_S: Final = 1.0
"""Once either end has begun to close, the other has so long to finish."""


class Connection(ClientConnection, asyncio.BufferedProtocol):
    """To be given to `connect` as `create_connection`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._second = 0.0
        self._control_frames = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # not on every system
        wire = transport.get_extra_info("socket")
        if option is not None and wire is not None:
            with suppress(OSError):
                wire.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)

    def takes_at_once(self) -> bool:
        """Whether `write` has nothing to wait for."""
        return self.state is OPEN and not self.paused

    def write(self, text: str) -> None:
        """Send a message, while `takes_at_once`: the library's `send` needs a task to wait in."""
        self.protocol.send_text(text.encode())
        self.send_data()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._control_frames > MOST_CONTROL_FRAMES and self.state is OPEN:
            self.protocol.fail(CloseCode.POLICY_VIOLATION, "too many pings")
            self.send_data()
        if self._deadline is None and self.protocol.close_expected():
            # The library waits without end for a server that breaks the rules and then stays.
            self._deadline = self.loop.call_later(CLOSE_LIMIT_S, self.transport.abort)

    def process_event(self, event: Frame | Request | Response) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode in CTRL_OPCODES:
            now = self.loop.time()
            if now >= self._second + 1:
                self._second, self._control_frames = now, 0
            self._control_frames += 1

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)
