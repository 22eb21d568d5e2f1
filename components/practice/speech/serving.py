"""A worker process's side of its pipes.

Rule: only frames go to standard output, whatever a library prints, and the worker ends when its
standard input does: the server has gone, or wants it no more.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable

from components.practice.speech import framing
from components.practice.speech.framing import READY, REFUSED, Frame

Answer = Callable[[Frame], Frame | None]
"""What to send back for a frame, if anything."""


def serve(begin: Callable[[str], Answer], refusals: tuple[type[Exception], ...] = ()) -> None:
    """Answer each frame until standard input ends.

    `begin` gets the program's argument, empty without one, and loads what the answers need. One of
    `refusals` that it raises is told in place of READY, and the worker ends.
    """
    # The server may leave in the middle of an answer.
    with contextlib.suppress(BrokenPipeError):
        _serve(begin, refusals)


def _serve(begin: Callable[[str], Answer], refusals: tuple[type[Exception], ...]) -> None:
    # Ctrl-C reaches the whole process group; the server decides when this worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get between the frames.
    os.dup2(2, 1)
    try:
        answer = begin(sys.argv[1] if len(sys.argv) > 1 else "")
    except refusals as error:
        framing.write(out, Frame(REFUSED, (str(error) or type(error).__name__).encode()))
        return
    framing.write(out, Frame(READY))
    while (frame := framing.read(sys.stdin.buffer)) is not None:
        if (answered := answer(frame)) is not None:
            framing.write(out, answered)
