"""Where recordings lie, for how long, and who finds them."""

import asyncio
import stat
from pathlib import Path

import pytest

from components.recording import shelf as module
from components.recording.recording import Recording
from components.recording.shelf import Shelf

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Shelf()


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def recorded(shelf: Shelf, key: str) -> Recording:
    recording = shelf.begin(key, 0.0, lambda _: None)
    recording.end(1.0, lambda _: {})
    async with asyncio.timeout(10):
        await recording.written()
    return recording


async def test_a_recording_is_found_by_its_key_alone_and_read_by_this_user_alone(
    shelf: Shelf, tmp_path: Path
) -> None:
    recording = await recorded(shelf, ADA)
    assert shelf.of(ADA) is recording
    assert shelf.of(BOB) is None
    [root] = inside(tmp_path)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (root, recording.folder)] == [0o700] * 2
    assert ADA not in str(recording.archive)
    shelf.close()


async def test_the_newest_of_a_tab_takes_the_place_of_the_one_before(shelf: Shelf) -> None:
    old, new = await recorded(shelf, ADA), await recorded(shelf, ADA)
    assert shelf.of(ADA) is new
    assert (old.folder.exists(), new.folder.exists()) == (False, True)
    shelf.close()


async def test_it_is_deleted_when_its_time_is_over(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_S", 0.2)
    deleted = asyncio.Event()
    delete = Recording.delete

    def delete_and_tell(self: Recording) -> None:
        delete(self)
        deleted.set()

    monkeypatch.setattr(Recording, "delete", delete_and_tell)
    recording = await recorded(shelf, ADA)
    async with asyncio.timeout(10):
        await deleted.wait()
    assert shelf.of(ADA) is None
    assert not recording.folder.exists()
    shelf.close()


async def test_the_oldest_goes_when_there_are_too_many(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    recordings = [await recorded(shelf, key * 32) for key in "abc"]
    assert [recording.folder.exists() for recording in recordings] == [False, True, True]
    shelf.close()


async def test_nothing_is_left_at_the_end_of_the_app(shelf: Shelf, tmp_path: Path) -> None:
    await recorded(shelf, ADA)
    running = shelf.begin(BOB, 0.0, lambda _: None)
    shelf.close()
    async with asyncio.timeout(10):
        await running.written()
    assert inside(tmp_path) == []
    Shelf().close()
