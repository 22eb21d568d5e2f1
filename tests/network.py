"""A bad network between an aiortc caller and the app: it loses, delays, reorders, doubles and cuts.

It stands between aioice and its sockets, where every datagram of both directions passes: checks,
handshake, sound and data channel. The fate of the nth datagram of a direction depends on the seed
alone.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from aiortc import RTCPeerConnection

OVERTAKEN_S = 0.05
"""How long a datagram is held so that two later ones of 20 ms come before it."""


class Network:
    """Probabilities are per datagram. Without any, and until it is cut, it is a perfect network."""

    def __init__(
        self,
        seed: int = 0,
        *,
        loss: float = 0.0,
        reorder: float = 0.0,
        duplicate: float = 0.0,
        delay_s: float = 0.0,
    ) -> None:
        self.met: Counter[str] = Counter()
        """How many datagrams met which fate: passed, lost, reordered, duplicated, cut."""
        self.loss = loss
        self._reorder = reorder
        self._duplicate = duplicate
        self._delay_s = delay_s
        self._there = random.Random(f"{seed} there")
        self._back = random.Random(f"{seed} back")
        self._whole_from = 0.0

    def cut(self, seconds: float = float("inf")) -> None:
        """Let nothing pass for so long from now; what is under way is lost, too."""
        self._whole_from = asyncio.get_running_loop().time() + seconds

    @property
    def is_cut(self) -> bool:
        return asyncio.get_running_loop().time() < self._whole_from

    def carry(self, pc: RTCPeerConnection) -> None:
        """Carry the datagrams of a connection whose candidates are gathered."""
        for protocol in _protocols(pc):
            arrive = protocol.datagram_received
            protocol.datagram_received = partial(self._receive, arrive)
            protocol.transport = _Transport(protocol.transport, self._send)

    def _send(self, deliver: Callable[..., None], data: bytes, address: Any) -> None:
        self._pass(self._there, partial(deliver, data, address))

    def _receive(self, deliver: Callable[..., None], data: bytes, address: Any) -> None:
        self._pass(self._back, partial(deliver, data, address))

    def _pass(self, chance: random.Random, deliver: Callable[[], None]) -> None:
        lost, reordered, duplicated = (chance.random() for _ in range(3))
        if self.is_cut:
            self.met["cut"] += 1
        elif lost < self.loss:
            self.met["lost"] += 1
        else:
            self._deliver(reordered < self._reorder, deliver)
            if duplicated < self._duplicate:
                self.met["duplicated"] += 1
                self._deliver(False, deliver)

    def _deliver(self, late: bool, deliver: Callable[[], None]) -> None:
        self.met["reordered" if late else "passed"] += 1
        pause_s = self._delay_s + OVERTAKEN_S * late
        if pause_s:
            asyncio.get_running_loop().call_later(pause_s, self._arrive, deliver)
        else:
            deliver()

    def _arrive(self, deliver: Callable[[], None]) -> None:
        if not self.is_cut:
            deliver()


class _Transport:
    """A datagram transport whose sending goes through the network."""

    def __init__(self, inner: asyncio.DatagramTransport, send: Callable[..., None]) -> None:
        self._inner = inner
        self._send = send

    def sendto(self, data: bytes, address: Any = None) -> None:
        self._send(self._deliver, data, address)

    def _deliver(self, data: bytes, address: Any) -> None:
        if not self._inner.is_closing():
            self._inner.sendto(data, address)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _protocols(pc: RTCPeerConnection) -> Iterator[Any]:
    """aioice's objects, each with a socket; aiortc has no public way to them."""
    transports = {each.receiver.transport.transport for each in pc.getTransceivers()}
    if pc.sctp:
        transports.add(pc.sctp.transport.transport)
    for transport in transports:
        yield from transport._connection._protocols
