"""Which paths are written as the links of a page write them.

Rule: a path that some file system reads in another way than a router does is none. That is one with
an empty part, a part of dots, a backslash, a colon, a character outside ASCII or a name that
Windows keeps for a device.
"""

import re
from typing import Final

_DEVICE: Final = r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|/|$)"
_PART: Final = rf"(?!{_DEVICE})[a-z0-9_-]([a-z0-9_. -]*[a-z0-9_-])?"
_PLAIN: Final = re.compile(rf"/|(/{_PART})+/?", re.IGNORECASE | re.ASCII)


def is_plain(path: str) -> bool:
    """Whether a path, decoded and without the root path, may be passed on."""
    return bool(_PLAIN.fullmatch(path))
