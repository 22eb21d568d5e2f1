"""Reads variables of the environment and of a `.env` file, by what they are to hold.

Rule: what is wrong with a value becomes one sentence that names the variable, what it got and what
it may be; a secret's value is never part of it. An empty value counts as not set.
"""

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

_T = TypeVar("_T", bound=str)
HTTP: Final = ("http", "https")
SPACE: Final = {
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_SERVER_PORT": "7860",
    "MAX_CALL_SECONDS": "600",
    "MAX_CALL_COST": "0.5",
    "MAX_VISITOR_COST": "2",
}
"""What holds on a Hugging Face Space where nothing else is set: everybody finds it, and talks at
its owner's cost."""


class Environment:
    """Takes typed values out of a mapping and notes what is wrong with them."""

    def __init__(self, values: Mapping[str, str], problems: list[str]) -> None:
        self._values = values
        self.problems = problems

    def text(self, name: str, default: str) -> str:
        return self._values.get(name, "").strip() or default

    def unless_off(self, name: str, default: str | None) -> str | None:
        text = self.text(name, default or "off")
        return None if text == "off" else text

    def secret(self, name: str) -> str:
        value = self.text(name, "")
        if not value.isascii() or not value.isprintable() or " " in value:
            self.problems.append(
                f"{name} holds a character that no key has (a space, a line break, or one outside "
                "ASCII); copy it again. Its value is not shown here."
            )
        return value

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        text = self.text(name, "")
        if not text:
            return default
        # Seven digits are more than any bound here, and int() refuses thousands of them.
        if re.fullmatch(r"[0-9]{1,7}", text) and least <= int(text) <= most:
            return int(text)
        self.reject(name, text, f"a whole number from {least} to {most}")
        return default

    def dollars(self, name: str, default: float, *, most: int) -> float:
        text = self.text(name, f"{default:g}")
        if re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", text) and float(text) <= most:
            return float(text)
        self.reject(name, text, f"an amount of US dollars from 0 to {most}, such as 0.50")
        return default

    def choice(self, name: str, choices: tuple[_T, ...], default: _T) -> _T:
        text = self.text(name, default)
        for choice in choices:
            if text == choice:
                return choice
        self.reject(name, text, one_of(choices))
        return default

    def switch(self, name: str) -> bool:
        text = self.text(name, "false").lower()
        if text not in ("true", "false", "1", "0"):
            self.reject(name, text, "true or false")
        return text in ("true", "1")

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        text = self.text(name, default)
        if not is_url(text, schemes):
            allowed = one_of([f"{scheme}://" for scheme in schemes])
            self.reject(name, without_secrets(text), f"an address that starts with {allowed}")
        return text

    def origins(self, name: str) -> tuple[str, ...]:
        """Pages of other hosts: scheme, host and port, separated by commas."""
        origins = tuple(o.strip().rstrip("/").lower() for o in self.text(name, "").split(","))
        for origin in filter(None, origins):
            if not is_url(origin, HTTP) or origin.count("/") != 2 or "@" in origin:
                example = "addresses such as https://example.org, separated by commas"
                self.reject(name, without_secrets(origin), example)
        return tuple(filter(None, origins))

    def networks(self, name: str) -> tuple[str, ...]:
        """Addresses and networks (CIDR), separated by commas."""
        networks = tuple(filter(None, (n.strip() for n in self.text(name, "").split(","))))
        for network in networks:
            try:
                ip_network(network)
            except ValueError:
                example = "addresses or networks such as 10.0.0.0/8, separated by commas"
                self.reject(name, network, example)
        return networks

    def names(self, name: str, known: tuple[str, ...]) -> tuple[str, ...] | None:
        """Of what is known: `all`, `none`, or names, separated by commas; None if unset."""
        text = self.text(name, "")
        if text in ("", "all", "none"):
            return {"": None, "all": known, "none": ()}[text]
        found = tuple(word.strip() for word in text.split(","))
        if not set(found) <= set(known):
            self.reject(name, text, f"all, none, or some of {','.join(known)}")
        return found

    def file(self, name: str, flag: str | None) -> Path | None:
        text = flag or self.text(name, "")
        if not text:
            return None
        path = Path(text)
        if path.is_dir() or not path.absolute().parent.is_dir():
            self.reject(
                "--trace" if flag else name, text, "the path of a file in a folder that exists"
            )
        return path

    def pair(self, first: str, second: str) -> tuple[str, str] | None:
        values = self.text(first, ""), self.text(second, "")
        if all(values):
            return values
        if any(values):
            there, missing = (first, second) if values[0] else (second, first)
            self.problems.append(f"{there} is set, but {missing} is not; set both or neither.")
        return None

    def keys(self, first: str, second: str) -> tuple[str, str] | None:
        """A pair that travels in the head of a request."""
        self.secret(first)
        self.secret(second)
        return self.pair(first, second)

    def reject(self, name: str, got: str, expected: str) -> None:
        """Note that a variable has a value that cannot be used."""
        shown = got if len(got) <= 80 else f"{got[:79]}…"
        self.problems.append(f"{name} is {shown!r}, but must be {expected}.")


def read_dotenv(path: Path, problems: list[str]) -> dict[str, str]:
    """The variables of a `.env` file; what cannot be read becomes a problem, never a guess."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problems.append(f"{path.name} cannot be read: {reason}.")
        return {}
    if "\0" in text:  # which no environment can hold
        problems.append(f"{path.name} cannot be read: it is not text.")
        return {}
    bindings = list(parse_stream(StringIO(text)))
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            problems.append(
                f"{path.name}, line {binding.original.line}: this is not NAME=value "
                "(put a value with spaces or quotes inside quotes)."
            )
    return {b.key: b.value for b in bindings if b.key and b.value is not None}


def with_defaults_of_a_space(values: Mapping[str, str]) -> Mapping[str, str]:
    """The same values, with what holds on a Space where they say nothing."""
    if not values.get("SPACE_ID", "").strip():
        return values
    return {**SPACE, **{name: value for name, value in values.items() if value.strip()}}


def bracketed(host: str) -> str:
    """A host as Gradio takes it: an address of IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether a text is an address with a host, of one of these schemes."""
    if re.search(r"\s", text):  # which urlsplit lets pass, or drops
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        return False


def without_secrets(url: str) -> str:
    """An address as messages may show it: some hold a password, some a key in their query."""
    return re.sub(r"//.*@", "//…@", re.sub(r"\?.*", "?…", url, flags=re.DOTALL))


def one_of(choices: Sequence[str]) -> str:
    """Choices as a sentence names them."""
    return f"{', '.join(choices[:-1])} or {choices[-1]}"
