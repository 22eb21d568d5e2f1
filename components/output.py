"""What the program prints and logs, made safe to write.

Rule: what cannot be written, because a disk is full or a reader has gone, is lost. It never breaks
what printed it: Gradio prints a line for every offer of a page.
"""

import sys
from contextlib import suppress
from typing import Any, TextIO, cast


class Output:
    """A text stream whose `write` and `flush` do not raise; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Takes all of the text, whether it can be written or not."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Writes what waits, if that is possible."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def protect_output() -> None:
    """From now on nothing that is printed or logged raises."""
    sys.stdout = cast(TextIO, Output(sys.stdout))
    sys.stderr = cast(TextIO, Output(sys.stderr))
