"""Which ears and which voice a server has: the neural ones where they can be had, or the small.

Rule: whatever keeps a neural part away becomes one sentence, with the command that brings it.
"""

import asyncio
import importlib.util
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from components.practice.speech import hub, weights
from components.practice.speech.ears import Ears
from components.practice.speech.neural_ears import NeuralEars
from components.practice.speech.neural_voice import piper
from components.practice.speech.voice import Voice
from components.practice.speech.weights import EARS, INSTALL, VOICE, WeightsError

_Part = TypeVar("_Part", NeuralEars, Voice)
_MISSING: Final = f"Ears that understand more and a voice that sounds human come with: {INSTALL}"


class Wish(NamedTuple):
    """What a part shall be."""

    size: str
    """`auto` or `small`, as `PRACTICE_EARS` and `PRACTICE_VOICE` say it."""
    model: str
    """A folder with other weights, or their name on the hub; empty for the usual ones."""


async def choose(
    ears: Wish, voice: Wish, insist: bool = False
) -> tuple[NeuralEars | Ears, Voice, str]:
    """Ears, voice, and a line for each that is not the best one; the neural ones are started.

    With `insist`, what keeps a neural part away is a `WeightsError`.
    """
    (heard, no_ears), (spoken, no_voice) = await asyncio.gather(
        _started(_ears, ears, insist), _started(_voice, voice, insist)
    )
    problem = "\n".join(dict.fromkeys(filter(None, (no_ears, no_voice))))
    if insist and problem:
        if heard is not None:
            await heard.close()
        if spoken is not None:
            await spoken.close()
        raise WeightsError(problem)
    return heard or Ears(), spoken or Voice(), problem


async def _started(
    make: Callable[[str], _Part], wish: Wish, insist: bool
) -> tuple[_Part | None, str]:
    """A neural part that runs; or none, and why not if it is wanted."""
    if wish.size == "small" and not insist:
        return None, ""
    try:
        part = await asyncio.to_thread(make, wish.model)
    except WeightsError as problem:
        return None, str(problem)
    await part.start()
    if part.degraded:
        await part.close()
        return None, f"{part.name} does not run here: {part.problem}"
    return part, ""


def _ears(model: str) -> NeuralEars:
    _require("faster_whisper")
    found = hub.ears_folder(model)
    if found is None and not weights.installed(EARS):
        raise WeightsError(_MISSING)
    return NeuralEars(found, model or hub.USUAL_EARS)


def _voice(model: str) -> Voice:
    _require("piper")
    found = hub.voice_file(model)
    if found is None and not weights.installed(VOICE):
        raise WeightsError(_MISSING)
    return Voice(piper(found))


def _require(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        raise WeightsError(_MISSING)
