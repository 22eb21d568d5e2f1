"""Which ears a server has: the neural ones where they can be had, otherwise the small ones.

Rule: whatever keeps the neural ears away becomes one sentence, with the command that brings them.
"""

import asyncio
import importlib.util
from typing import Final

from components.practice.speech import weights
from components.practice.speech.ears import Ears
from components.practice.speech.neural_ears import NeuralEars
from components.practice.speech.weights import EARS, EARS_REPOSITORY, INSTALL, WeightsError

_MISSING: Final = f"Ears that understand much better come with: {INSTALL}"


async def choose(wanted: str, folder: str, insist: bool) -> tuple[NeuralEars | Ears, str]:
    """The ears, and a sentence if they are not the best ones; the neural ears are started.

    `wanted` is a value of `PRACTICE_EARS`, `folder` holds other weights. With `insist`, what keeps
    the neural ears away is a `WeightsError`.
    """
    if wanted == "small" and not insist:
        return Ears(), ""
    try:
        ears = await _neural(folder)
    except WeightsError as problem:
        if insist:
            raise
        return Ears(), str(problem)
    return ears, ""


async def _neural(folder: str) -> NeuralEars:
    if importlib.util.find_spec("faster_whisper") is None:
        raise WeightsError(_MISSING)
    found = await asyncio.to_thread(weights.folder, folder, EARS_REPOSITORY, EARS)
    if found is None and not weights.installed(EARS):
        raise WeightsError(_MISSING)
    ears = NeuralEars(found)
    await ears.start()
    if ears.degraded:
        await ears.close()
        raise WeightsError(ears.degraded)
    return ears
