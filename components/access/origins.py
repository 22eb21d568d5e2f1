"""By which names this app may be called, and whose page may use the direct route.

Rule: while only this machine can open our page, it is called by this machine's own names: a foreign
name that points here (DNS rebinding) would otherwise pass as the same origin. A browser names the
page that asks, and of the direct route a request that names none is refused.
"""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_local(authority: str) -> bool:
    """Whether a host and port, as `Host` has them, can be of no other machine (RFC 6761)."""
    name = _hostname(authority).removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_local_page(origin: str) -> bool:
    """Whether a page, as `Origin` names it, comes from this machine."""
    return is_local(_authority(origin.lower()))


def may_ask(origin: str | None, host: str, allowed: Collection[str], reachable: bool) -> bool:
    """`origin` and `host` as the headers of those names say it; `allowed` are other origins."""
    if origin is None:
        return False
    origin = origin.lower()
    if origin in allowed:
        return True
    authority = _authority(origin)
    if not authority or authority != host.lower():
        return False
    return reachable or is_local(authority)


def _authority(origin: str) -> str:
    scheme, separator, authority = origin.partition("://")
    return authority if separator and scheme in ("http", "https") else ""


def _hostname(authority: str) -> str:
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""
