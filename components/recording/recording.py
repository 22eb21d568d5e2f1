"""One recording: its sound on disk while the call goes on, and then its ZIP.

Rule: the call never waits for the disk, and never ends because of it: encoding and writing belong
to a thread of the recording's own, and what cannot be written ends the recording with a sentence.
"""

import asyncio
import logging
import queue
import shutil
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import av
import numpy as np

from components.audio import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE, Samples, level_dbfs
from components.recording.stereo import Side, Slot, Stereo
from components.recording.voices import Voices

log = logging.getLogger(__name__)

BIT_RATE: Final = 64_000
OPTIONS: Final = {"application": "lowdelay"}
"""Without Opus's modes for speech alone: where it changes between them in stereo, one voice can be
heard as a click on the other side."""
PORTION_S: Final = 1.0
"""What is handed to the thread at a time."""
MOST_WAITING: Final = 30
"""Portions that a slow disk may be behind."""
SOUND: Final = "sound.ogg"
ARCHIVE: Final = "recording.zip"
FULL: Final = "The recording has stopped and could not be kept: the disk is full. The call goes on."
BEHIND: Final = (
    "The recording has stopped and could not be kept: the disk is too slow. The call goes on."
)
DELETED: Final = "The recording has stopped and was deleted. The call goes on."

Papers = Callable[[Voices], Mapping[str, bytes]]
"""The files that go beside the sound, by their names; called in the thread, once."""


class Recording:
    """Of one call. All methods belong to the event loop and return at once, but `written`."""

    def __init__(self, folder: Path, begun: float, on_failure: Callable[[str], None]) -> None:
        """Begin to write into a folder of its own, at the moment `begun` of the call's clock.

        `on_failure` is called on the event loop, once, with a sentence, if it cannot go on.
        """
        self.folder = folder
        self.begun = begun
        self.voices = Voices()
        self._on_failure = on_failure
        self._stereo = Stereo(begun)
        self._portions: queue.Queue[list[Slot] | Papers | None] = queue.Queue(MOST_WAITING)
        self._loop = asyncio.get_running_loop()
        self._over = False
        self._failed = False
        self._taken_at = begun
        self._done = asyncio.Event()
        threading.Thread(target=self._write, name="recording", daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether nothing more is taken."""
        return self._over

    @property
    def archive(self) -> Path | None:
        """The ZIP, when it is written; None if there is none, or not yet."""
        return self.folder / ARCHIVE if self._done.is_set() and not self._failed else None

    def put(self, side: Side, pcm: bytes, at: float, now: float) -> None:
        """Sound (PCM16, 24 kHz, mono) that is heard from the moment `at` on."""
        if self._over:
            return
        self._stereo.put(side, pcm, at)
        if now >= self._taken_at + PORTION_S:
            self._taken_at = now
            self._hand_on(self._stereo.take(now))

    def cut(self, now: float) -> None:
        """The assistant falls silent now."""
        self._stereo.cut(now)

    def end(self, now: float, papers: Papers) -> None:
        """Nothing more is taken; the ZIP is written a moment later."""
        if not self._over:
            self._hand_on(self._stereo.rest(now))
            self._hand_on(papers)
            self._over = True

    async def written(self) -> None:
        """Returns when nothing more is written."""
        await self._done.wait()

    def delete(self) -> None:
        """Nothing of it is left on disk, now or when its thread has ended."""
        if not self._over:
            self._fail(DELETED)
        self._failed = True
        self._abandon()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _hand_on(self, portion: list[Slot] | Papers) -> None:
        try:
            self._portions.put_nowait(portion)
        except queue.Full:
            log.warning("! a recording ends here: the disk is too slow")
            self._abandon()
            self._fail(BEHIND)

    def _abandon(self) -> None:
        """The thread ends without a ZIP as soon as it can."""
        self._over = True
        while not self._portions.empty():
            try:
                self._portions.get_nowait()
            except queue.Empty:  # the thread was faster
                break
        self._portions.put_nowait(None)

    def _fail(self, sentence: str) -> None:
        if not self._failed:
            self._failed = self._over = True
            self._on_failure(sentence)

    # What follows belongs to the thread.

    def _write(self) -> None:
        """To the end, or to the first failure; what a failure leaves behind is deleted."""
        try:
            with (self.folder / SOUND).open("wb") as file:
                papers = self._write_sound(file)
            if papers and not self._failed:
                self._write_archive(papers(self.voices))
        except Exception as error:  # of the disk, of the encoder, or of what was to be written
            log.warning("! a recording ends here: %s", error)
            self._tell(lambda: self._fail(FULL))
            papers = None
        if papers is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._tell(self._done.set)

    def _write_sound(self, file: BinaryIO) -> Papers | None:
        with av.open(file, "w", format="ogg") as container:
            stream = container.add_stream(
                "libopus", rate=SAMPLE_RATE, options=OPTIONS, layout="stereo"
            )
            stream.bit_rate = BIT_RATE
            stream.codec_context.thread_count = 1
            while isinstance(portion := self._portions.get(), list):
                if portion:
                    container.mux(stream.encode(self._frame(portion)))
            container.mux(stream.encode(None))
        return portion

    def _write_archive(self, papers: Mapping[str, bytes]) -> None:
        """Nothing in it is compressed, so that a page can read it with little code."""
        sound = self.folder / SOUND
        unfinished = self.folder / f"{ARCHIVE}.part"
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            archive.write(sound, SOUND)
            for name, content in papers.items():
                archive.writestr(name, content)
        sound.unlink()
        unfinished.rename(self.folder / ARCHIVE)

    def _frame(self, portion: list[Slot]) -> av.AudioFrame:
        sides = np.zeros((len(portion), FRAME_SAMPLES, 2), np.int16)
        for number, slot in enumerate(portion):
            for side, pcm in enumerate(slot):
                if pcm:
                    sides[number, :, side] = _samples(pcm)
            self.voices.user.slot(level_dbfs(sides[number, :, 0]))
            self.voices.assistant.slot(level_dbfs(sides[number, :, 1]))
        frame = av.AudioFrame(format="s16", layout="stereo", samples=len(portion) * FRAME_SAMPLES)
        frame.sample_rate = SAMPLE_RATE
        frame.planes[0].update(sides.tobytes())
        return frame

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(what)
        except RuntimeError:  # the app has ended
            return


def _samples(pcm: bytes) -> Samples:
    return (
        np.frombuffer(pcm, np.int16, FRAME_SAMPLES)
        if len(pcm) == FRAME_BYTES
        else np.zeros(FRAME_SAMPLES, np.int16)
    )
