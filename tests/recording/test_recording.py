"""A recording on disk: whole, bounded, and no harm to anybody if the disk is."""

import asyncio
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import pytest

from components.audio import FRAME_SAMPLES
from components.recording import recording as module
from components.recording.recording import BEHIND, DELETED, FULL, SOUND, Recording
from components.recording.voices import Voices

TONE = (8000 * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi / 48)).astype(np.int16).tobytes()
FULL_DISK = Path("/dev/full")


class Kept:
    """A recording and what it told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.told: list[str] = []
        self.recording = Recording(folder, 0.0, self.told.append)

    def talk(self, first: float, last: float) -> None:
        for number in range(round(first * 50), round(last * 50)):
            at = number / 50
            self.recording.put("left", TONE, at, at)
            self.recording.put("right", TONE, at + 0.5, at)

    async def is_written(self) -> None:
        async with asyncio.timeout(10):
            await self.recording.written()


def papers(voices: Voices) -> Mapping[str, bytes]:
    return {"onsets.txt": str((voices.user.onsets, voices.assistant.onsets)).encode()}


def loud(path: Path) -> tuple[float, float, float]:
    """The seconds of a sound, and how many of them are loud on each side."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples = np.concatenate(frames, axis=1)
    left, right = (np.count_nonzero(np.abs(side) > 0.05) / 48_000 for side in samples)
    return samples.shape[1] / 48_000, left / 0.87, right / 0.87


async def test_both_voices_lie_in_the_zip_beside_what_is_known_of_them(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "r")
    kept.talk(1.0, 4.0)
    assert not kept.recording.over
    kept.recording.end(4.2, papers)
    kept.talk(4.2, 5.0)
    assert kept.recording.archive is None
    await kept.is_written()

    assert kept.recording.over
    assert kept.recording.archive is not None
    assert [path.name for path in (tmp_path / "r").iterdir()] == [kept.recording.archive.name]
    with zipfile.ZipFile(kept.recording.archive) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.read("onsets.txt") == b"([1.0], [1.5])"
        archive.extract(SOUND, tmp_path)
    assert loud(tmp_path / SOUND) == pytest.approx((4.2, 3.0, 2.7), abs=0.1)
    assert kept.told == []


async def test_an_interrupted_answer_is_as_long_as_it_was_heard(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "r")
    kept.talk(0.0, 2.0)
    kept.recording.cut(2.0)
    kept.recording.end(3.0, papers)
    await kept.is_written()
    assert kept.recording.archive is not None
    with zipfile.ZipFile(kept.recording.archive) as archive:
        archive.extract(SOUND, tmp_path)
    assert loud(tmp_path / SOUND) == pytest.approx((3.0, 2.0, 1.5), abs=0.1)


@pytest.mark.skipif(not FULL_DISK.exists(), reason="needs a device that is always full")
async def test_a_full_disk_ends_the_recording_with_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / SOUND).symlink_to(FULL_DISK)
    kept = Kept(folder)
    kept.talk(0.0, 20.0)
    kept.recording.end(20.0, papers)
    await kept.is_written()
    assert kept.told == [FULL]
    assert kept.recording.archive is None
    assert not folder.exists()


async def test_papers_that_cannot_be_made_are_a_sentence_too(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "r")
    kept.recording.end(1.0, lambda voices: {"a": voices.nothing})  # type: ignore[attr-defined]
    await kept.is_written()
    assert kept.told == [FULL]
    assert not (tmp_path / "r").exists()


async def test_a_disk_that_is_too_slow_ends_the_recording_and_never_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = threading.Event()
    write = Recording._write

    def slow(self: Recording) -> None:
        stuck.wait(10)
        write(self)

    monkeypatch.setattr(Recording, "_write", slow)
    kept = Kept(tmp_path / "r")
    kept.talk(0.0, module.MOST_WAITING + 5.0)
    assert kept.told == [BEHIND]
    stuck.set()
    await kept.is_written()
    assert kept.recording.archive is None
    assert not (tmp_path / "r").exists()


async def test_one_that_is_deleted_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "r")
    kept.talk(0.0, 3.0)
    kept.recording.delete()
    await kept.is_written()
    assert kept.told == [DELETED]
    assert not (tmp_path / "r").exists()
