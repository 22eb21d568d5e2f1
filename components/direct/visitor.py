"""Who a visitor is, for a provider that has to stop an abuser without stopping the whole key.

Rule: no address leaves this machine. What leaves is a keyed hash, made with the key that the
provider has given us: the same visitor is the same after a restart and on every replica, and nobody
without the key can try out addresses. (A salt of the process would be another visitor every time.)
"""

import hmac
from ipaddress import IPv6Address, IPv6Network, ip_address


def identifier(address: str, key: str) -> str:
    """For `OpenAI-Safety-Identifier`; empty where there is no key to hash with, or no visitor."""
    if not key or not address:
        return ""
    purpose = f"visitor {_household(address)}"
    return hmac.new(key.encode(), purpose.encode(), "sha256").hexdigest()[:32]


def _household(address: str) -> str:
    """What stays of an address: a machine changes the lower half of its IPv6 one every day."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)
