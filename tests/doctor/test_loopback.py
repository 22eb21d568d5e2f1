"""Sound through the whole bridge, and what is said where it does not get through."""

import pytest

from components.core.places import Places
from components.doctor import loopback as module
from components.doctor.loopback import examine_loopback
from components.practice.server.process import PracticeError
from components.settings import Settings

pytestmark = pytest.mark.integration


async def test_the_bridge_hears_its_caller_and_answers_aloud() -> None:
    found = await examine_loopback()

    assert found.verdict == "ok"
    assert "answered aloud in" in found.found


async def test_where_no_sound_gets_through_the_step_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LIMIT_S", 1.5)
    monkeypatch.setattr(module, "LOUD_DBFS", 1.0)
    found = await examine_loopback()

    assert found.verdict == "failed"
    assert found.found.startswith("the bridge hears nothing of the microphone.")
    assert found.fix


async def test_an_offer_that_is_not_taken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Places):
        def __init__(self, *_: int) -> None:
            super().__init__(1, 1)
            self.close("No calls.")

    monkeypatch.setattr(module, "Places", Full)
    found = await examine_loopback()

    assert found.verdict == "failed"
    assert "No calls." in found.found


async def test_a_practice_server_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: Settings) -> None:
        raise PracticeError("The practice server was not ready after 20 s.")

    monkeypatch.setattr(module, "start_process", broken)
    found = await examine_loopback()

    assert found.verdict == "failed"
    assert found.found == "The practice server was not ready after 20 s."
