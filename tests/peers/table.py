"""The table of docs/compatibility.md: what was run with each peer, and what came of it.

Rule: each run leaves a record of what it has seen, and is held against the page, which has no date
and no figure that another run would change. `python -m tests.peers.table` writes it from the newest
records.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/compatibility.md"
RECORDS = ROOT / "test-results/peers"
COMMAND = "make peers; python -m tests.peers.table"
PARTS = ("typed", "spoken", "function", "interruption")


@dataclass(frozen=True)
class Peer:
    """One row of the table."""

    package: str
    role: str
    pins: str
    """The file in `tests/peers` that says which version is run."""

    @property
    def pinned(self) -> str:
        """That version."""
        text = (Path(__file__).parent / self.pins).read_text("utf-8")
        found = re.search(rf'^ *"?{re.escape(self.package)}"?(?:==|: ")([^"\s]+)', text, re.M)
        assert found, self.package
        return found[1]

    def row(self, version: str, *parts: str) -> str:
        """As the page has it."""
        return f"| {' | '.join([f'`{self.package}`', version, self.role, *parts])} |"


PEERS = {
    "openai_agents": Peer(
        "openai-agents",
        "client of the practice server, WebSocket",
        "openai_agents/requirements.txt",
    ),
    "livekit_openai": Peer(
        "livekit-plugins-openai",
        "client of the practice server, WebSocket",
        "livekit_openai/requirements.txt",
    ),
    "agents_realtime": Peer(
        "@openai/agents-realtime",
        "client of the practice server, WebSocket in Node.js",
        "agents_realtime/package.json",
    ),
    "agents_realtime_webrtc": Peer(
        "@openai/agents-realtime",
        "client of the practice server, WebRTC in Chromium",
        "agents_realtime/package.json",
    ),
    "aimock": Peer(
        "@copilotkit/aimock",
        "server of the app, WebSocket",
        "aimock/package.json",
    ),
}

HEAD = f"""# Compatibility

What is run with each change, against code that nobody here wrote, in environments of its own
(`make peers`). A run that sees something else than this page says fails;
`{COMMAND}` writes it anew.

| Peer | Version | What it is | Typed turn | Spoken turn | Function | Interruption |
|---|---|---|---|---|---|---|
"""
TAIL = """
Each peer holds one conversation, and complains of nothing in it:

- **Typed turn**: a sum is typed, and answered; aimock is greeted, and answers what it was told to.
- **Spoken turn**: somebody asks for the time aloud; the words are written down, and answered aloud.
- **Function**: a question makes the model call a function of its client, and is answered with what
  that gave.
- **Interruption**: the answer is a count to thirty, or a slow story; amid it somebody speaks, or
  stops it without a word. It ends there, the conversation keeps no more of it than was heard, and
  what is said next is answered.
"""


def held_against_the_page(peer: str, version: str, parts: Mapping[str, str]) -> None:
    """Keep a record of a run: of each part what the table says.

    `AssertionError` if the committed page says something else.
    """
    assert set(parts) == set(PARTS)
    RECORDS.mkdir(parents=True, exist_ok=True)
    row = PEERS[peer].row(version, *(parts[part] for part in PARTS))
    (RECORDS / peer).write_text(row, "utf-8")
    assert row in PAGE.read_text("utf-8").splitlines(), f"`{COMMAND}` writes {PAGE.name} anew"


def page() -> str:
    """What the newest records make; `FileNotFoundError` if one is missing."""
    rows = [(RECORDS / peer).read_text("utf-8") for peer in PEERS]
    return HEAD + "".join(f"{row}\n" for row in rows) + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE}\n")
