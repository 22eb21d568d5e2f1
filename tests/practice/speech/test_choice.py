import importlib.util
from pathlib import Path

import pytest

from components.practice.speech import weights
from components.practice.speech.choice import choose
from components.practice.speech.ears import Ears
from components.practice.speech.weights import WeightsError

COMMAND = "pip install -r requirements-local.txt"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine for the neural ears, for whose weights one may look."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: found("json" if name == "faster_whisper" else name),
    )


async def test_small_ears_are_taken_when_they_are_wanted() -> None:
    ears, sentence = await choose("small", "", False)
    assert isinstance(ears, Ears)
    assert sentence == ""


async def test_without_the_engine_the_small_ears_go_on_and_the_command_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ears, sentence = await choose("auto", "", False)

    assert isinstance(ears, Ears)
    assert COMMAND in sentence


@pytest.mark.parametrize("wanted", ["auto", "small"])
async def test_who_insists_is_told_instead(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=COMMAND):
        await choose(wanted, "", True)


async def test_an_engine_without_weights_is_not_enough(
    engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "folder", lambda *_: None)
    monkeypatch.setattr(weights, "installed", lambda _: False)
    ears, sentence = await choose("auto", "", False)

    assert isinstance(ears, Ears)
    assert COMMAND in sentence


@pytest.mark.integration
async def test_weights_that_cannot_be_loaded_leave_the_small_ears(
    engine: None, tmp_path: Path
) -> None:
    for name in weights.EARS:
        (tmp_path / name).write_bytes(b"not weights")
    ears, sentence = await choose("auto", str(tmp_path), False)

    assert isinstance(ears, Ears)
    assert "do not run here" in sentence
