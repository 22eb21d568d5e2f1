"""Where recordings lie, and who may have them.

Rule: a recording belongs to the tab whose key it was begun with, and is found by that alone. It
lies in a folder that only this user may read, under a name that nobody can guess; it is deleted an
hour after its beginning at the latest, when there are too many, and when the app ends; if that was
killed, when the next one starts.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.recording.folder import OwnFolder
from components.recording.recording import Recording

log = logging.getLogger(__name__)

LONGEST_S: Final = 30 * 60.0
"""Some twelve megabytes of sound."""
KEPT_S: Final = 60 * 60.0
MOST_KEPT: Final = 40


@dataclass(slots=True)
class _Kept:
    recording: Recording
    deletion: asyncio.TimerHandle


class Shelf:
    """The recordings of this process, the newest of each tab. It belongs to the event loop."""

    def __init__(self) -> None:
        self._own: OwnFolder | None = None
        self._kept: dict[str, _Kept] = {}

    def begin(self, key: str, now: float, on_failure: Callable[[str], None]) -> Recording:
        """A new recording in the place of the tab's last one; `OSError` if the disk is full."""
        self.delete(key)
        while len(self._kept) >= MOST_KEPT:
            self.delete(next(iter(self._kept)))
        if self._own is not None and not self._own.path.is_dir():
            self._own.delete()
            self._own = None
        self._own = self._own or OwnFolder()
        folder = Path(tempfile.mkdtemp(dir=self._own.path))
        recording = Recording(folder, now, on_failure)
        deletion = asyncio.get_running_loop().call_later(KEPT_S, self.delete, key)
        self._kept[key] = _Kept(recording, deletion)
        return recording

    def of(self, key: str) -> Recording | None:
        """The newest recording of a tab, whether it is written or still under way."""
        kept = self._kept.get(key)
        return kept.recording if kept else None

    def delete(self, key: str) -> None:
        """Let go of the recording of a tab, if there is one."""
        if kept := self._kept.pop(key, None):
            kept.deletion.cancel()
            kept.recording.delete()

    def close(self) -> None:
        """Delete all of them."""
        for key in list(self._kept):
            self.delete(key)
        if self._own is not None:
            self._own.delete()
