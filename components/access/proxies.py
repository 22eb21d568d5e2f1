"""Which proxies are believed when they say for whom they ask (`X-Forwarded-For`).

Rule: a proxy is believed only if it is named: by the settings, or by the app itself where it knows
what stands before it. Of a named proxy's list the right-most address that is no named proxy counts,
which a visitor cannot write.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from components.settings import Settings

SPACE: Final = (*("127.0.0.1", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),)
"""What stands before a Space."""
TUNNEL: Final = ("127.0.0.1", "::1")
"""Where the end of Gradio's share tunnel asks from: it is a process of ours."""


def named_proxies(settings: Settings) -> tuple[str, ...]:
    """Addresses and networks, as uvicorn takes them."""
    if settings.on_space:
        return SPACE
    return settings.proxies + (TUNNEL if settings.share else ())


class Proxies:
    """The named proxies, to ask who is one."""

    def __init__(self, named: Sequence[str]) -> None:
        networks = [ip_network(each) for each in named]

        @lru_cache(maxsize=1024)
        def is_named(host: str) -> bool:
            try:
                address = ip_address(host)
            except ValueError:
                return False
            return any(address in network for network in networks)

        self._is_named = is_named

    def __contains__(self, host: str) -> bool:
        return self._is_named(host)
