"""A process with callers in it: their cost does not count as the app's."""

import asyncio
import time
from typing import Any

from bench import control
from bench.peer import Peer


class Callers:
    """Callers are numbered from 0, in the order in which they joined."""

    def __init__(self) -> None:
        self._peers: list[Peer] = []

    async def join(self, url: str, loss: float, reports: bool, inspected: bool) -> int:
        peer = Peer(loss, reports, inspected)
        self._peers.append(peer)
        await peer.join(url)
        return len(self._peers) - 1

    async def heard(self, caller: int, since: int, until: int) -> dict[str, Any]:
        """The marks that went out and the packets that came in, in a time (ns)."""
        peer = self._peers[caller]
        return {
            "marks": [
                (ns, number, frame, frame in peer.lost)
                for ns, number, frame in peer.microphone.marks
                if since <= ns < until
            ],
            "sounds": [sound for sound in peer.sounds if since <= sound[0] < until],
        }

    async def cost(self) -> float:
        """Processor time of this process so far, in seconds."""
        return time.process_time()

    async def leave(self) -> None:
        await asyncio.gather(*(peer.leave() for peer in self._peers))


async def main() -> None:
    callers = Callers()
    await control.serve(
        {name: getattr(callers, name) for name in ("join", "heard", "cost", "leave")}
    )


if __name__ == "__main__":
    asyncio.run(main())
