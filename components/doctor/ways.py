"""Which ways sound finds to this machine: its own addresses, through STUN, by a TURN relay.

Rule: each server of the settings is asked as a call would ask it, with fresh credentials, and what
was allocated is given back. Where only this machine opens the page, no server is asked.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aioice import stun
from aioice.ice import get_host_addresses
from aioice.turn import create_turn_endpoint
from aiortc.rtcicetransport import parse_stun_turn_uri

from components.doctor.findings import Finding, failed, ok, warning
from components.media.ice import STUN, TurnError, turn_servers
from components.settings import Settings, TurnCredentials

HOST, REFLEXIVE, RELAY = "Ways: own addresses", "Ways: STUN", "Ways: TURN"
LIMIT_S: Final = 8.0
GIVE_BACK_S: Final = 1.0
NEEDED: Final = "Set HF_TOKEN, or TURN_URL with TURN_USERNAME and TURN_CREDENTIAL."


async def examine_ways(settings: Settings, stun_url: str = STUN["urls"]) -> list[Finding]:
    """Host, reflexive and relay, in this order; `stun_url` is that of a STUN server."""
    addresses = get_host_addresses(use_ipv4=True, use_ipv6=True)
    if not settings.reachable:
        return [ok(HOST, "only this machine opens the page: no other way is needed.")]
    if not addresses:
        return [failed(HOST, "this machine has no network address.", "Connect it to a network.")]
    mapped = await _mapped(stun_url)
    relay = await _relay(settings.turn) if settings.turn else None
    return [
        ok(HOST, f"{len(addresses)} to be called at from the same network{_lack(addresses)}."),
        _reflexive(stun_url, mapped),
        relay or _no_relay(settings, mapped is not None),
    ]


def _lack(addresses: Sequence[str]) -> str:
    if any(":" in address for address in addresses):
        return ""
    return "; none is of IPv6, so who has nothing else needs TURN"


def _reflexive(url: str, mapped: tuple[str, float] | None) -> Finding:
    if mapped is None:
        found = f"{url} does not answer: its name is not found, or no UDP gets out to it."
        return warning(REFLEXIVE, found, "Let UDP out, or rely on TURN over TCP.")
    return ok(REFLEXIVE, f"seen as {mapped[0]}, round trip {mapped[1] * 1000:.0f} ms.")


def _no_relay(settings: Settings, has_reflexive: bool) -> Finding:
    found = "no TURN server is set"
    if has_reflexive:
        found = f"{found}: callers behind strict firewalls do not get through."
        return warning(RELAY, found, NEEDED)
    found = f"{found}, and STUN does not answer: only callers of the same network get through."
    elsewhere = settings.share or settings.on_space
    return (failed if elsewhere else warning)(RELAY, found, NEEDED)


async def _mapped(url: str) -> tuple[str, float] | None:
    """The address that a STUN server sees, and the round trip in seconds; None without answer."""
    loop = asyncio.get_running_loop()
    address = _address(url)
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(LIMIT_S):
            transport, asked = await loop.create_datagram_endpoint(_Asked, remote_addr=address)
            try:
                return await asked.answer()
            finally:
                transport.close()
    return None


class _Asked(asyncio.DatagramProtocol):
    """One question to a STUN server, said again until it is answered."""

    def __init__(self) -> None:
        self._request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        self._answer: asyncio.Future[stun.Message] = asyncio.get_running_loop().create_future()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        with suppress(ValueError):
            message = stun.parse_message(data)
            mine = message.transaction_id == self._request.transaction_id
            if mine and "XOR-MAPPED-ADDRESS" in message.attributes and not self._answer.done():
                self._answer.set_result(message)

    async def answer(self) -> tuple[str, float]:
        while True:
            begun = time.monotonic()
            self._transport.sendto(bytes(self._request))
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    message = await asyncio.shield(self._answer)
                    host, _ = message.attributes["XOR-MAPPED-ADDRESS"]
                    return str(host), time.monotonic() - begun


class _Relayed(asyncio.DatagramProtocol):
    """An allocation, through which nothing is sent."""

    def __init__(self) -> None:
        self.given_back = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.given_back.set()


async def _relay(turn: TurnCredentials) -> Finding:
    """Whether the TURN server of the settings relays for us."""
    try:
        servers = await asyncio.to_thread(turn_servers, turn)
    except TurnError as error:
        return failed(RELAY, str(error))
    urls = [(url, server) for server in servers for url in _urls(server)]
    outcomes = await asyncio.gather(*(_allocated(url, server) for url, server in urls))
    for (url, _), outcome in zip(urls, outcomes, strict=True):
        if isinstance(outcome, float):
            return ok(RELAY, f"{url} relays, allocated in {outcome * 1000:.0f} ms.")
    refused = next((each for each in outcomes if each in ("401", "403", "438", "441")), None)
    if refused:
        found = f"{urls[0][0]} does not accept the credentials ({refused})."
        return failed(RELAY, found, f"Check {_VARIABLES[turn.provider]}.")
    host = urls[0][0] if urls else "the provider"
    found = f"{host} does not relay: {outcomes[0] if outcomes else 'it names no TURN server'}."
    return failed(RELAY, found, f"Check {_VARIABLES[turn.provider]} and the firewall.")


async def _allocated(url: str, server: Mapping[str, Any]) -> float | str:
    """How many seconds an allocation took; or the error's number, or words for it."""
    begun = time.monotonic()
    try:
        parsed = parse_stun_turn_uri(url)
        async with asyncio.timeout(LIMIT_S):
            transport, relayed = await create_turn_endpoint(
                _Relayed,
                (parsed["host"], parsed["port"]),
                server.get("username"),
                server.get("credential"),
                ssl=True if parsed["scheme"] == "turns" else None,
                transport=parsed["transport"],
            )
        took_s = time.monotonic() - begun
        transport.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(relayed.given_back.wait(), GIVE_BACK_S)
        return took_s
    except stun.TransactionFailed as error:
        return str(error.response.error_code)
    except (TimeoutError, stun.TransactionError):
        return "it does not answer"
    except (OSError, ValueError):
        return "it cannot be reached"


def _urls(server: Mapping[str, Any]) -> Sequence[str]:
    urls = server["urls"]
    listed = [urls] if isinstance(urls, str) else urls
    return [url for url in listed if url.startswith(("turn:", "turns:"))]


def _address(url: str) -> tuple[str, int]:
    parsed = parse_stun_turn_uri(url)
    return parsed["host"], parsed["port"]


_VARIABLES: Final = {
    "static": "TURN_URL, TURN_USERNAME and TURN_CREDENTIAL",
    "cloudflare": "CLOUDFLARE_TURN_KEY_ID and CLOUDFLARE_TURN_KEY_API_TOKEN",
    "twilio": "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    "huggingface": "HF_TOKEN",
}
