"""What of a call is recorded, and that the call goes on whatever becomes of it."""

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.audio import FRAME_SAMPLES
from components.bridge import recorder as module
from components.bridge.inspection import Inspection
from components.bridge.recorder import TOO_LONG, Keeping, Recorder
from components.core.allowance import Limits
from components.core.session import Session
from components.protocol.options import Refused
from components.recording.recording import FULL, Recording
from components.recording.shelf import Shelf
from components.settings import Settings
from components.upstream.configuration import session_options
from tests import dialogue

TONE = (8000 * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi / 48)).astype(np.int16).tobytes()
KEY = "a" * 32
BEGIN, END = {"type": "record", "on": True}, {"type": "record", "on": False}
ON = {"type": "recording", "on": True, "sentence": ""}
OFF = {"type": "recording", "on": False, "sentence": ""}


class House:
    """A call that can be recorded."""

    def __init__(
        self,
        may: tuple[str, ...] = ("voice",),
        *,
        events: bool = True,
        session: Session | None = None,
    ) -> None:
        self.told: list[Any] = []
        self.shelf = Shelf()
        options = session_options(Settings(practice=True))
        self.session = session or Session(
            options, limits=Limits(), chance=lambda: 0.5, refused=Refused()
        )
        self.recorder = Recorder(self.session, self.told.append)
        self.inspection = Inspection(recorder=self.recorder)
        self.recorder.keeping = Keeping(
            self.shelf, KEY, may, events, lambda said: {"transcript.md": str(len(said.messages))}
        )

    def obey(self, message: dict[str, Any], now: float) -> None:
        self.inspection.obey(message, now)

    def talk(self, first: float, last: float) -> None:
        for number in range(round(first * 50), round(last * 50)):
            self.inspection.microphone(TONE, -10.0, number / 50)
            self.inspection.sent(TONE, number / 50)

    @property
    def recording(self) -> Recording:
        recording = self.shelf.of(KEY)
        assert recording is not None
        return recording

    async def files(self) -> dict[str, bytes]:
        async with asyncio.timeout(10):
            await self.recording.written()
        assert self.recording.archive is not None
        with zipfile.ZipFile(self.recording.archive) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


async def test_nothing_is_recorded_that_nobody_asked_for(folder: Path) -> None:
    house = House()
    house.talk(0.0, 1.0)
    house.recorder.stopped(1.0)
    house.inspection.end(1.0)
    assert house.shelf.of(KEY) is None
    assert house.told == []


async def test_a_recording_holds_both_voices_and_what_a_visitor_may_see() -> None:
    house = House()
    house.obey(BEGIN, 0.0)
    house.obey({"type": "playout", "delay_ms": 90, "rtt_ms": 20}, 0.0)
    house.talk(0.0, 2.0)
    house.recorder.stopped(2.0)
    house.obey(END, 3.0)
    assert house.told == [ON, OFF]

    files = await house.files()
    assert set(files) == {
        *("sound.ogg", "recording.json", "levels.json", "settings.json", "cost.json"),
        *("timing.json", "events.jsonl", "transcript.md"),
    }
    assert set(json.loads(files["settings.json"])) == {"voice"}
    assert json.loads(files["cost.json"])["usage"]["input_audio"] == 0
    levels = json.loads(files["levels.json"])
    assert levels["user"][:21] == pytest.approx([-15.3] * 20 + [-90.0], abs=0.5)
    assert levels["assistant"][:21] == pytest.approx([-90.0] + [-15.3] * 19 + [-90.0], abs=0.5)
    house.shelf.close()


async def test_who_may_not_look_into_events_finds_none_in_the_recording() -> None:
    house = House((), events=False)
    house.obey(BEGIN, 0.0)
    house.inspection.end(1.0)
    files = await house.files()
    assert not {"events.jsonl", "timing.json"} & set(files)
    assert json.loads(files["settings.json"]) == {}
    house.shelf.close()


async def test_a_muted_microphone_is_not_recorded() -> None:
    house = House()
    house.obey(BEGIN, 0.0)
    house.session.mute(True, 0.0)
    house.talk(0.0, 1.0)
    house.obey(END, 1.0)
    levels = json.loads((await house.files())["levels.json"])
    assert set(levels["user"]) == {-90.0}
    assert max(levels["assistant"]) > -20
    house.shelf.close()


async def test_of_turns_by_hand_only_what_was_sent_is_recorded() -> None:
    session = dialogue.Call(turn_detection="push_to_talk").ready(None).session
    house = House(session=session)
    house.obey(BEGIN, 0.0)
    house.talk(0.0, 2.0)
    session.push_to_talk(True, 2.0)
    house.talk(2.0, 3.0)
    session.push_to_talk(False, 3.0)
    house.talk(3.0, 4.0)
    session.mute(True, 4.0)
    house.talk(4.0, 4.5)
    session.mute(False, 4.5)
    session.push_to_talk(True, 4.6)
    house.talk(4.6, 5.0)
    house.obey(END, 5.0)
    levels = json.loads((await house.files())["levels.json"])["user"]
    sounds = [number for number, level in enumerate(levels) if level > -60]
    # The 400 ms before the button went down are sent as well, but none that were muted.
    assert sounds == [*range(15, 30), *range(45, 50)]
    house.shelf.close()


async def test_it_ends_when_it_is_too_long_and_the_call_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 1.0)
    house = House()
    house.obey(BEGIN, 0.0)
    house.talk(0.0, 1.5)
    assert house.told == [ON, {**OFF, "sentence": TOO_LONG}]
    await house.files()
    house.shelf.close()


async def test_a_disk_that_takes_nothing_is_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    house = House()
    house.obey(BEGIN, 0.0)
    house.talk(0.0, 1.0)
    assert house.told == [{**OFF, "sentence": FULL}]


async def test_a_disk_that_becomes_full_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Recording, "_write_sound", full)
    house = House()
    house.obey(BEGIN, 0.0)
    async with asyncio.timeout(10):
        await house.recording.written()
    house.talk(0.0, 2.0)
    house.inspection.end(2.0)
    assert house.told == [ON, {**OFF, "sentence": FULL}]
    assert house.recording.archive is None
    house.shelf.close()


async def test_a_page_that_switches_without_end_gets_one_a_second(folder: Path) -> None:
    house = House()
    for number in range(50):
        house.obey(BEGIN, number / 100)
        first = house.recording
        house.obey(END, number / 100)
        assert house.recording is first
    house.obey(BEGIN, 2.0)
    assert house.recording is not first
    house.obey(BEGIN, 4.0)
    house.obey({"type": "playout", "delay_ms": "much", "rtt_ms": 1}, 4.0)
    house.shelf.close()


async def test_where_visitors_may_not_record_the_page_is_told_nothing() -> None:
    house = House()
    house.recorder.keeping = None
    house.recorder.greet()
    house.obey(BEGIN, 0.0)
    house.obey(END, 1.0)
    assert house.told == []
