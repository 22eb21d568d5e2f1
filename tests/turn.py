"""A STUN and TURN server on loopback that allocates and relays nothing, for candidates alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aioice import stun
from aioice.turn import make_integrity_key

REALM = "example"
USER, PASSWORD = "ann", "right"
REFLEXIVE = ("203.0.113.7", 40_001)
RELAY = ("203.0.113.9", 50_001)


class TurnServer(asyncio.DatagramProtocol):
    """Says that everybody comes from `REFLEXIVE`, and relays at `RELAY` for who knows the word."""

    def __init__(self) -> None:
        self.port = 0
        self.allocated = asyncio.Event()
        self._key = make_integrity_key(USER, REALM, PASSWORD)
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            request = stun.parse_message(data)
        except ValueError:
            return
        answer = stun.Message(
            request.message_method, stun.Class.RESPONSE, transaction_id=request.transaction_id
        )
        answer.attributes["XOR-MAPPED-ADDRESS"] = REFLEXIVE
        if request.message_method != stun.Method.BINDING:
            self._authorise(request, answer)
        self._transport.sendto(bytes(answer), addr)

    def _authorise(self, request: stun.Message, answer: stun.Message) -> None:
        if "MESSAGE-INTEGRITY" in request.attributes and request.check_message_integrity(self._key):
            answer.attributes["LIFETIME"] = 600
            answer.attributes["XOR-RELAYED-ADDRESS"] = RELAY
            answer.add_message_integrity(self._key)
            self.allocated.set()
            return
        answer.message_class = stun.Class.ERROR
        answer.attributes.clear()
        answer.attributes["ERROR-CODE"] = (401, "Unauthorized")
        answer.attributes["NONCE"] = b"once"
        answer.attributes["REALM"] = REALM


@asynccontextmanager
async def turn_server() -> AsyncIterator[TurnServer]:
    """It answers at 127.0.0.1, at its `port`."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        TurnServer, local_addr=("0.0.0.0", 0)
    )
    try:
        yield server
    finally:
        transport.close()
