"""What the documents of the repository say, taken apart: links, names of files, commands.

Nothing here judges; `tests/test_documents.py` does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/*.md") for path in ROOT.glob(pattern) if path.is_file()
)
_FENCE = re.compile(r"(?:<!-- (needs [^\n]*) -->\n)?```(\w*)\n(.*?)```\n", re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.*)$", re.M)
_FLAG = re.compile(r"app\.py ([^\n|&#`]*)")


@dataclass(frozen=True)
class Block:
    """A fenced piece of a document."""

    language: str
    text: str
    needs: str
    """What it cannot run without, as the comment above it says; empty if it runs offline."""

    @property
    def commands(self) -> list[str]:
        """Its lines, those that go on in the next one put together, without comments."""
        joined = re.sub(r"\s*\\\n\s*", " ", self.text)
        lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
        return [line for line in lines if line]


def blocks(text: str) -> list[Block]:
    return [Block(language, body, needs) for needs, language, body in _FENCE.findall(text)]


def prose(text: str) -> str:
    """A document without its fenced pieces."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Where it leads inside the repository: a path, perhaps with an anchor."""
    found = _LINK.findall(prose(text))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def spans(text: str) -> list[str]:
    """What stands between backticks on one line."""
    return _SPAN.findall(prose(text))


def anchors(text: str) -> set[str]:
    """What a link may name after the `#`, as public hosts form it of headings."""
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(text)))
    return {title.strip().replace(" ", "-") for title in titles}


def code(text: str) -> str:
    """All that is meant to be typed: commands of the shell, and what stands between backticks."""
    shell = (line for block in blocks(text) if block.language == "sh" for line in block.commands)
    return "\n".join([*shell, *spans(text)])


def targets(text: str) -> set[str]:
    """Of `make`, without those that are set in passing."""
    return set(re.findall(r"\bmake ([a-z]+)\b", code(text)))


def modules(text: str) -> set[str]:
    """That Python is to run."""
    return set(re.findall(r"(?:python|python3) -m ([\w.]+)", code(text)))


def flags(text: str) -> set[str]:
    """Of `app.py`."""
    return {flag for rest in _FLAG.findall(code(text)) for flag in re.findall(r"--[a-z-]+", rest)}


def assignments(command: str) -> Iterator[tuple[str, str]]:
    """The variables that a command sets for itself."""
    yield from re.findall(r"(?:^|(?<=\s))([A-Z][A-Z_]+)=(\S+)", command)
