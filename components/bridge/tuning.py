"""What the page may change of a call's session, and what it is told of it.

Rule: a page changes only what visitors of this app may change, and is not told what it may not. A
wish that makes no sense, and one that the server refuses, is answered by a sentence beside its
name; the old value stays.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from components.core.link import Agreement
from components.protocol.options import SessionOptions, changes
from components.protocol.toolbox import servers_in
from components.protocol.wishes import NAMES, shown, wished

MOST_WISHES: Final = 40
"""That a page may bring along when it begins."""
NEVER_IN_A_CALL: Final = ("model", "first_word")
"""The one belongs to the socket; the other is about its beginning."""
NEVER_AFTER_SOUND: Final = ("voice",)
"""The API refuses it once the assistant has spoken."""


class Tuning:
    """Of one call."""

    def __init__(self, allowed: Collection[str], *, local: bool = True) -> None:
        """`allowed` are the names of settings that visitors may change; `local` is whether only
        this machine can open the page."""
        self._local = local
        self._allowed = [name for name in NAMES if name in allowed]
        self._problems: dict[str, str] = {}
        self._later: dict[str, Any] = {}

    def begin(self, options: SessionOptions, wishes: Mapping[str, Any]) -> SessionOptions:
        """What the call begins with, as the page wishes it."""
        for name in list(wishes)[:MOST_WISHES]:
            options = self._read(options, name, wishes[name]) or options
        return options

    def wish(
        self, options: SessionOptions, name: str, value: Any, *, spoken: bool
    ) -> SessionOptions | None:
        """These options with one wish in them; None if it may not be now, or makes no sense.

        `spoken` is whether the assistant has.
        """
        found = self._read(options, name, value)
        if found and (name in NEVER_IN_A_CALL or (spoken and name in NEVER_AFTER_SOUND)):
            self._later[name] = getattr(found, name)
            return None
        return found

    def message(self, agreement: Agreement) -> dict[str, Any]:
        """For the page: the values in force, what is on its way or waits for the next call, and
        what went wrong."""
        values = shown(agreement.confirmed)
        pending = changes(agreement.confirmed, agreement.wanted)
        problems = {**agreement.refusals, **self._problems}
        later = {name for name, value in self._later.items() if value != values[name]}
        return {
            "type": "settings",
            "values": {name: values[name] for name in self._allowed},
            "pending": [name for name in self._allowed if name in pending],
            "later": [name for name in self._allowed if name in later],
            "problems": {name: problems[name] for name in self._allowed if name in problems},
        }

    def _read(self, options: SessionOptions, name: str, value: Any) -> SessionOptions | None:
        if name not in self._allowed:
            return None
        self._problems.pop(name, None)
        self._later.pop(name, None)
        try:
            found = wished(options, name, value)
            self._check_servers(found)
            return found
        except ValueError as problem:
            self._problems[name] = str(problem)
            return None

    def _check_servers(self, options: SessionOptions) -> None:
        """Only on a local page may a server be reached without TLS."""
        addresses = [server["server_url"] for server in servers_in(options.tools)]
        if not self._local and not all(url.startswith("https://") for url in addresses):
            raise ValueError("The address of a server begins with https:// here.")
