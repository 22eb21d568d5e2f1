"""Visitors who mean harm, beside the honest ones: `python -m tests.soak.attackers URL`.

A process of its own, so that their work is not the honest callers'. Each seat makes one attack
after the other, until the process is asked to end; it then says how often each was made. An attack
is a class whose `strike` lasts some seconds and may be refused, hung up on or answered: what counts
is what the others notice. All of it is bounded, and goes to loopback alone.
"""

import asyncio
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from fractions import Fraction
from typing import Any, ClassVar, Final, Protocol

import av
import httpx
import orjson
from aiortc import InvalidStateError

from tests.peer import FRAME, RATE, Microphone, Peer

SEATS: Final = 3
ADDRESS: Final = "127.0.0.9"
"""Where they come from: the honest callers have another."""
STRIKE_S: Final = 8.0
PAUSE_S: Final = 0.2
REFUSED: Final = (OSError, TimeoutError, httpx.HTTPError, InvalidStateError)


class Attack(Protocol):
    """What a seat does."""

    async def strike(self, url: str) -> None:
        """Attack the app at this address."""


class HalfHeads:
    """Requests whose head does not end, as many as one visitor may have open and more."""

    connections: Final = 300
    said: ClassVar = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "

    async def strike(self, url: str) -> None:
        where = httpx.URL(url)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.connections):
                group.create_task(self._wait(where.host, where.port))

    async def _wait(self, host: str, port: int | None) -> None:
        with suppress(*REFUSED):
            reader, writer = await asyncio.open_connection(host, port, local_addr=(ADDRESS, 0))
            writer.write(self.said)
            try:
                async with asyncio.timeout(STRIKE_S):
                    await reader.read()
            finally:
                writer.transport.abort()


class HalfBodies(HalfHeads):
    """The same, with a body that does not come."""

    said: ClassVar = (
        b"POST /gradio_api/component_server/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
    )


class JunkOffers:
    """Offers that lead nowhere, and answers in their place."""

    offers: Final = 60

    async def strike(self, url: str) -> None:
        for number in range(self.offers):
            peer = Peer()
            peer.address = ADDRESS
            sdp = ("junk", "v=0\r\n" * 1000, "v=0\r\nm=audio 9 RTP/AVP 0\r\n")[number % 3]
            with suppress(*REFUSED):
                await peer.offer(url, {"type": "offer", "sdp": sdp})
            await asyncio.sleep(STRIKE_S / self.offers)


class SecondChannels:
    """A call that opens one data channel after the other, and talks in all of them."""

    channels: Final = 20
    rounds: Final = 40
    text: Final = "x" * 8000

    async def strike(self, url: str) -> None:
        async with _joined(url) as peer:
            channels = [peer.another_channel(f"second{n}") for n in range(self.channels)]
            for _ in range(self.rounds):
                for channel in channels:
                    if channel.readyState == "open":
                        channel.send(self.text)
                await asyncio.sleep(STRIKE_S / self.rounds)


class JumpingTimestamps:
    """A microphone whose every packet claims to come almost five seconds after the last."""

    async def strike(self, url: str) -> None:
        async with _joined(url, JumpingMicrophone()):
            await asyncio.sleep(STRIKE_S)


class JumpingMicrophone(Microphone):
    """Encoded packets of three bytes, fifty a second."""

    jump: Final = 239_000
    """Of the RTP clock: just less than what is taken for another stream."""
    silence: Final = b"\xf8\xff\xfe"

    async def recv(self) -> Any:
        frame = await super().recv()
        packet = av.Packet(self.silence)
        assert frame.pts is not None
        packet.pts = frame.pts // FRAME * self.jump
        packet.time_base = Fraction(1, RATE)
        return packet


class TypingFlood:
    """A page that types without a pause, and asks for long answers."""

    lines: Final = 160

    async def strike(self, url: str) -> None:
        async with _joined(url) as peer:
            for number in range(self.lines):
                peer.send(type="say", text=f"count to {number % 9 + 90}")
                await asyncio.sleep(STRIKE_S / self.lines)


class JunkMessages:
    """A page whose messages are none."""

    rounds: Final = 100
    junk: Final = ("", "{", "[" * 60_000, "null", '{"type": 7}', '{"type": "say"}', "x" * 60_000)

    async def strike(self, url: str) -> None:
        async with _joined(url) as peer:
            for _ in range(self.rounds):
                for text in self.junk:
                    peer.send_text(text)
                await asyncio.sleep(STRIKE_S / self.rounds)


ATTACKS: Final[tuple[type[Attack], ...]] = (
    HalfHeads,
    SecondChannels,
    TypingFlood,
    HalfBodies,
    JumpingTimestamps,
    JunkOffers,
    JunkMessages,
)


@asynccontextmanager
async def _joined(url: str, microphone: Microphone | None = None) -> AsyncIterator[Peer]:
    """A call that has begun, and is left without a word."""
    peer = Peer()
    peer.address = ADDRESS
    peer.microphone = microphone or peer.microphone
    try:
        await peer.join(url)
        await peer.is_now("connected", "failed")
        yield peer
    finally:
        await peer.vanish()


async def _attack(url: str, done: Counter[str]) -> None:
    """Every attack equally often, in no order."""
    while True:
        for attack in random.sample(ATTACKS, len(ATTACKS)):
            with suppress(*REFUSED):
                async with asyncio.timeout(3 * STRIKE_S):
                    await attack().strike(url)
            done[attack.__name__] += 1
            await asyncio.sleep(PAUSE_S)


async def main(url: str) -> None:
    """Attack until SIGTERM, then say so."""
    done: Counter[str] = Counter()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.set_exception_handler(lambda *_: None)  # most connections here die
    attacking = [asyncio.create_task(_attack(url, done)) for _ in range(SEATS)]
    await asyncio.wait(
        [*attacking, asyncio.create_task(over.wait())], return_when="FIRST_COMPLETED"
    )
    for task in attacking:
        if task.done():
            await task  # a fault of this program
        task.cancel()
    sys.stdout.buffer.write(orjson.dumps(done))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
