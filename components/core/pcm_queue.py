"""Sound that waits, in the order in which it came.

Rule: adding or taking moves at most `BLOCK_BYTES` of what waits. In one piece, minutes of sound
would be copied whole whenever they grow, on the thread that carries every call, and be there twice.
"""

from collections import deque
from typing import Final

BLOCK_BYTES: Final = 64 * 1024
"""1.4 seconds of 24 kHz. A bound from below, too: a block for each delta of two bytes would cost
twenty times what it holds."""


class PcmQueue:
    """Bytes in, bytes out; its length is what waits."""

    def __init__(self) -> None:
        self._blocks: deque[bytearray] = deque()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, pcm: bytes) -> None:
        """Sound of any length, after all that waits."""
        self._waiting += len(pcm)
        start = 0
        while start < len(pcm):
            if not self._blocks or len(self._blocks[-1]) >= BLOCK_BYTES:
                self._blocks.append(bytearray())
            end = start + BLOCK_BYTES - len(self._blocks[-1])
            self._blocks[-1] += pcm[start:end]
            start = end

    def take(self, size: int) -> bytes:
        """The oldest `size` bytes; fewer only if fewer wait."""
        taken = bytearray()
        while self._blocks and len(taken) < size:
            first = self._blocks[0]
            share = first[: size - len(taken)]
            taken += share
            del first[: len(share)]
            if not first:
                self._blocks.popleft()
        self._waiting -= len(taken)
        return bytes(taken)
