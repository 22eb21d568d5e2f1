"""Whose page may use the direct route.

Rule: a browser names the page that asks, and a request that names none is refused. While only this
machine can open our page, the host must be this machine's as well: a foreign name that points here
(DNS rebinding) would otherwise pass as the same origin.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

_LOCAL = ("localhost", "127.0.0.1", "::1")


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
    return reachable or _hostname(authority) in _LOCAL


def _authority(origin: str) -> str:
    scheme, separator, authority = origin.partition("://")
    return authority if separator and scheme in ("http", "https") else ""


def _hostname(authority: str) -> str:
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""
