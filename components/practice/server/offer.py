"""Which addresses of an offer the server tries.

Rule: a candidate is a wish that packets be sent somewhere. Few are taken, only addresses, never
names that would have to be looked up; a browser behind a name sends checks itself, and is answered
where these come from.
"""

from ipaddress import ip_address
from typing import Final

MOST_CANDIDATES: Final = 20
MOST_CHARACTERS: Final = 100_000
_MARK: Final = "a=candidate:"
_END: Final = "a=end-of-candidates"


def bounded(offer: str) -> str:
    """The offer with the candidates that are tried; `ValueError` if it is absurdly long.

    If some were left out, it no longer says that these are all: ICE would give up with them.
    """
    if len(offer) > MOST_CHARACTERS:
        raise ValueError("The offer is too long.")
    lines = offer.splitlines()
    named = [line for line in lines if line.startswith(_MARK)]
    kept = set(list(dict.fromkeys(filter(_is_address, named)))[:MOST_CANDIDATES])
    left_out = not kept.issuperset(named)
    those = [line for line in lines if line in kept or not _goes(line, left_out)]
    return "\r\n".join([*those, ""])


def _goes(line: str, left_out: bool) -> bool:
    return line.startswith(_MARK) or (left_out and line.strip() == _END)


def _is_address(line: str) -> bool:
    """Whether a candidate is an address of UDP to which something can be sent."""
    words = line[len(_MARK) :].split()
    if len(words) < 8 or words[2].lower() != "udp":
        return False
    try:
        return not ip_address(words[4]).is_multicast and 0 < int(words[5]) < 65_536
    except ValueError:
        return False
