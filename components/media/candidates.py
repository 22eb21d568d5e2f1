"""Where the checks of ICE may be sent: which candidates of a browser are taken, and how many.

Rule: a candidate is a wish that packets be sent somewhere, and any visitor may utter it. So few are
taken of a connection, of its offer and later ones together; each names an address and a port that
a browser elsewhere may have. Names are never looked up, those of mDNS neither: a browser that hides
its addresses behind them sends checks itself, and is answered where these come from.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

MOST_CANDIDATES: Final = 20
"""Of a connection. Each costs up to seven packets from each address of this machine; a browser with
four networks has some ten of UDP."""

_CANDIDATE: Final = re.compile(
    r"(?:candidate:)?(?P<foundation>[A-Za-z0-9+/]{1,32}) 1 udp (?P<priority>[0-9]{1,10}) "
    r"(?P<ip>[0-9A-Fa-f.:]{2,45}) (?P<port>[0-9]{1,5}) typ (?P<type>host|srflx|relay)(?: .*)?",
    re.IGNORECASE | re.ASCII,
)
"""Of UDP, as no other transport is spoken, and of the first component, as RTCP has none its own."""


@dataclass(frozen=True)
class Targets:
    """Which addresses a visitor may name."""

    outside: bool
    """Whether visitors come from other machines: then none names this one, or its link."""
    private: bool = True
    """Whether visitors from outside may name addresses that only a private network knows."""

    def hold(self, ip: str) -> bool:
        """Whether packets may be sent there."""
        try:
            address = _unmapped(ip_address(ip))
        except ValueError:
            return False
        if address.is_multicast or address.is_unspecified or address.is_reserved:
            return address.is_loopback and not self.outside  # ::1 lies in a reserved block
        if not self.outside:
            return True
        if address.is_loopback or address.is_link_local:
            return False
        return self.private or address.is_global


@dataclass(frozen=True)
class Candidate:
    """One that is taken: an address, and what ICE wants to know of it."""

    foundation: str
    priority: int
    ip: str
    port: int
    type: str

    def line(self) -> str:
        """As a line of a session description has it, after `a=candidate:`."""
        return f"{self.foundation} 1 udp {self.priority} {self.ip} {self.port} typ {self.type}"


class Candidates:
    """Those of one connection."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._taken: set[tuple[str, int]] = set()

    def take(self, text: str) -> Candidate | None:
        """The candidate of a line in the offer, if it is to be used; each section may repeat it."""
        found = _CANDIDATE.fullmatch(text.strip())
        if found is None:
            return None
        port, priority = int(found["port"]), int(found["priority"])
        where = (found["ip"].lower(), port)
        if not (0 < port < 65_536 and 0 < priority < 1 << 31):
            return None
        if where not in self._taken:
            if len(self._taken) >= MOST_CANDIDATES or not self._targets.hold(found["ip"]):
                return None
            self._taken.add(where)
        return Candidate(found["foundation"], priority, *where, found["type"].lower())

    def take_late(self, text: str) -> Candidate | None:
        """The candidate of a message after the offer, if it is to be used and news."""
        known = len(self._taken)
        candidate = self.take(text)
        return candidate if len(self._taken) > known else None


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as one of IPv6 is what it is."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
