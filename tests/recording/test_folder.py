"""What becomes of the folders of recordings when their process is killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.recording.folder import LOCK, PREFIX, OwnFolder, sweep

OTHER = (
    "from components.recording.folder import OwnFolder\n"
    "folder = OwnFolder()\n"
    "(folder.path / 'sound.ogg').write_bytes(b'OggS')\n"
    "print(folder.path, flush=True)\n"
    "input()\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Another process, and its folder."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_what_a_killed_process_leaves_is_deleted_and_nothing_while_it_runs(
    other: tuple["subprocess.Popen[str]", Path],
) -> None:
    process, theirs = other
    mine = OwnFolder()
    sweep()
    assert (theirs / "sound.ogg").is_file()
    assert mine.path.is_dir()

    process.kill()
    process.wait()
    sweep()
    assert not theirs.exists()
    assert mine.path.is_dir()
    mine.delete()
    assert not mine.path.exists()


def test_what_is_not_ours_stays(folder: Path) -> None:
    unlocked, foreign = folder / f"{PREFIX}abc", folder / "another"
    linked, target = folder / f"{PREFIX}link", folder / "target"
    for path in (unlocked, foreign, target):
        path.mkdir()
    for path in (foreign, target):
        (path / LOCK).touch()
    linked.symlink_to(target)
    (folder / f"{PREFIX}file").touch()
    sweep()
    assert len(list(folder.iterdir())) == 5
    assert (target / LOCK).exists()


def test_a_folder_of_another_user_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = folder / f"{PREFIX}left"
    left.mkdir()
    (left / LOCK).touch()
    user = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: user + 1)
    sweep()
    assert left.is_dir()
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    sweep()
    assert not left.exists()
