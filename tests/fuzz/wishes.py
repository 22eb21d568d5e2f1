"""What a link or a page may wish, and which paths and names a request may have.

What must hold: a wish is refused by a sentence, or leads to an event of the API; what is taken for
a plain path is one that no file system reads in another way.
"""

from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from hypothesis import strategies as st

from components.access.admission import visitor_of
from components.access.origins import is_local
from components.access.paths import is_plain
from components.bridge.tuning import Tuning
from components.protocol.options import session_update
from components.protocol.wishes import NAMES
from components.settings import Settings
from components.upstream.configuration import session_options
from tests.fuzz.mutation import ODD_WORDS, odd_values
from tests.fuzz.target import Target
from tests.wire import validate_client_event

PARTS = [
    "static",
    "..",
    ".",
    "",
    "windows",
    "win.ini",
    "c:",
    "con",
    "nul.txt",
    "a b",
    "%2e%2e",
    "\\",
]


def _check_wishes(wishes: dict[str, Any]) -> None:
    tuning = Tuning(NAMES)
    options = tuning.begin(session_options(Settings(practice=False)), wishes)
    validate_client_event(session_update(options, "settings_1"))


def _check_path(path: str) -> None:
    if not is_plain(path):
        return
    windows = PureWindowsPath(path)
    assert ".." not in windows.parts
    assert windows.drive == ""
    assert windows.parts[1:] == PurePosixPath(path).parts[1:]
    assert path.isascii()
    assert "%" not in path


def _check_name(name: str) -> None:
    visitor = visitor_of(name)
    assert visitor == "unknown" or visitor_of(visitor.partition("/")[0])
    assert is_local(name) in (True, False)


WISHES = Target(
    "wishes",
    st.dictionaries(st.sampled_from([*NAMES, "api_key"]), odd_values, max_size=8),
    _check_wishes,
    150,
)
PATHS = Target(
    "paths",
    st.lists(st.sampled_from(PARTS) | st.text(max_size=6), max_size=6).map(
        lambda parts: "/" + "/".join(parts)
    ),
    _check_path,
    300,
)
HOSTS = Target(
    "hosts",
    st.sampled_from([*ODD_WORDS, "localhost", "127.0.0.1:80", "[::1]:7", "::ffff:10.0.0.1%eth0"])
    | st.text(max_size=30)
    | st.ip_addresses().map(str),
    _check_name,
    300,
)
