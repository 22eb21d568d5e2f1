"""What several tests of the practice server need, started anew for each."""

from collections.abc import AsyncIterator

import pytest

from components.practice.speech.voice import Voice


@pytest.fixture
async def voice() -> AsyncIterator[Voice]:
    voice = Voice()
    await voice.start()
    yield voice
    await voice.close()
