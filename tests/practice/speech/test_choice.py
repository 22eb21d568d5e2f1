import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from components.practice.speech import choice, hub, weights
from components.practice.speech.choice import Wish, choose
from components.practice.speech.ears import Ears
from components.practice.speech.voice import ESPEAK, Voice
from components.practice.speech.weights import WeightsError

COMMAND = "pip install -r requirements-local.txt"
ANY, SMALL = Wish("auto", ""), Wish("small", "")


class Part:
    """A neural part that starts, or does not."""

    name = "Neural"

    def __init__(self, problem: str = "") -> None:
        self.degraded = self.problem = problem
        self.closed = False

    async def start(self) -> None: ...

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> tuple[Part, Part]:
    """Ears that start, and a voice that does not."""
    ears, voice = Part(), Part("it has no sound.")
    monkeypatch.setattr(choice, "_ears", lambda model: ears)
    monkeypatch.setattr(choice, "_voice", lambda model: voice)
    return ears, voice


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines for neural ears and voice, for whose weights one may look."""
    found, ours = importlib.util.find_spec, ("faster_whisper", "piper")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: found("json" if name in ours else name)
    )


def are_small(ears: Any, voice: Any) -> bool:
    return isinstance(ears, Ears) and isinstance(voice, Voice) and voice.name == ESPEAK.name


async def test_small_parts_are_taken_when_they_are_wanted(parts: tuple[Part, Part]) -> None:
    ears, voice, problem = await choose(SMALL, SMALL)
    assert are_small(ears, voice)
    assert problem == ""


async def test_one_part_that_does_not_start_does_not_cost_the_other(
    parts: tuple[Part, Part],
) -> None:
    ears, voice, problem = await choose(ANY, ANY)

    assert ears is parts[0]
    assert voice.name == ESPEAK.name
    assert parts[1].closed
    assert problem == "Neural does not run here: it has no sound."


async def test_who_insists_is_told_and_nothing_is_left_running(parts: tuple[Part, Part]) -> None:
    with pytest.raises(WeightsError, match="no sound"):
        await choose(ANY, ANY, insist=True)
    assert parts[0].closed


async def test_without_the_engines_the_small_parts_go_on_and_the_command_is_named_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ears, voice, problem = await choose(ANY, ANY)

    assert are_small(ears, voice)
    assert COMMAND in problem
    assert "\n" not in problem


@pytest.mark.parametrize("wanted", [ANY, SMALL])
async def test_who_insists_is_told_the_command(
    wanted: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=COMMAND):
        await choose(wanted, wanted, insist=True)


async def test_engines_without_weights_are_not_enough(
    engines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(weights, "installed", lambda _: False)
    ears, voice, problem = await choose(ANY, ANY)

    assert are_small(ears, voice)
    assert COMMAND in problem


@pytest.fixture
async def chosen_from_garbage(engines: None, tmp_path: Path) -> AsyncIterator[tuple[Any, ...]]:
    for name in (*weights.EARS, *weights.VOICE):
        (tmp_path / name).write_bytes(b"not weights")
    model = Wish("auto", str(tmp_path))
    ears, voice, problem = await choose(model, model)
    yield ears, voice, problem
    await ears.close()
    await voice.close()


@pytest.mark.integration
async def test_weights_that_cannot_be_loaded_leave_the_small_parts(
    chosen_from_garbage: tuple[Any, ...], tmp_path: Path
) -> None:
    ears, voice, problem = chosen_from_garbage

    assert are_small(ears, voice)
    assert [line.partition(":")[0] for line in problem.splitlines()] == [
        f"Whisper {tmp_path.name} does not run here",
        "Piper Joe does not run here",
    ]
