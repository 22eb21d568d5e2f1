"""The folder in which a process keeps its recordings, and those that killed processes have left.

Rule: a folder belongs to the process that holds the lock of the file in it. The system lets go of
that lock when the process ends, however it ends; only then, and only of this user, is a folder
deleted by anybody else.
"""

import logging
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

if sys.platform != "win32":
    import fcntl

log = logging.getLogger(__name__)

PREFIX: Final = "realtime-voice-"
LOCK: Final = "owner.lock"


class OwnFolder:
    """A folder of this process, which only this user may read."""

    def __init__(self) -> None:
        """`OSError` if there can be none."""
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        unfinished = self.path / f"{LOCK}.part"
        self._file: BinaryIO = unfinished.open("wb")
        _lock(self._file)
        # By its name only when it is locked: a file without a lock is taken for a dead process's.
        unfinished.rename(self.path / LOCK)

    def delete(self) -> None:
        """The folder, with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._file.close()


def sweep() -> None:
    """Delete what processes of this user have left that were killed; never raises."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if _is_left(path):
                shutil.rmtree(path, ignore_errors=True)
                log.info("= recordings of an app that was killed are deleted")


def _is_left(path: Path) -> bool:
    if sys.platform == "win32" or path.is_symlink() or path.stat().st_uid != os.getuid():
        return False
    with (path / LOCK).open("rb") as file:
        return _lock(file)


def _lock(file: BinaryIO) -> bool:
    """Whether nobody else holds the lock of a file; it is held until that is closed."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
