"""How long the answers of the rules take, said by the real voice."""

from datetime import datetime

import numpy as np
import pytest

from components.audio import SAMPLE_RATE
from components.practice.brain.rules import EXAMPLES, Context, Say, known, unsure
from components.practice.speech.voice import Voice

pytestmark = pytest.mark.integration

LONGEST_S = 3.0
AUDIBLE = 330
"""-40 dBFS."""
LONG_DATE = datetime(2026, 11, 25, 12, 57)
ASKED = (
    *("hello", "help", "who are you", "how are you", "thank you", "goodbye", "stop"),
    *("what time is it", "what is the date", "what year is it", "what month is it"),
    *("12 plus 30", "what is seven times eight", "1 divided by 0", "2 plus 3 times 4 minus 5"),
    *("roll a dice", "roll two dice", "roll 3 dice", "roll ten dice", "roll fifty dice"),
    *("flip a coin", "a random number", "count to one thousand", "what did you say"),
)


async def seconds(voice: Voice, text: str) -> float:
    """From the first audible sample to the last."""
    pcm = b"".join([chunk.pcm async for chunk in voice.speak(text, "marin")])
    audible = np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16).astype(int)) > AUDIBLE)
    return float(audible[-1] - audible[0]) / SAMPLE_RATE


def known_answer(words: str, guided: bool) -> str:
    answer = known(words, Context(guided=guided), LONG_DATE, lambda: 0.99)
    assert isinstance(answer, Say), words
    return answer.text


def not_understood(words: str | None, turn: int, guided: bool) -> str:
    """The answer to words that are not understood, after `turn` others that were not."""
    content = [{"type": "output_text", "text": "I missed that. Try: what time is it?"}]
    before = {"type": "message", "role": "assistant", "content": content}
    return unsure(words, Context((before,) * turn, seconds=2.3, guided=guided)).text


async def test_no_answer_takes_longer_than_three_seconds(voice: Voice) -> None:
    answers = {known_answer(words, guided) for words in ASKED for guided in (False, True)}
    answers |= {
        not_understood(words, turn, guided)
        for words in (None, "", "Not op ed")
        for turn in range(len(EXAMPLES) + 1)
        for guided in (False, True)
    }
    lasted = {answer: await seconds(voice, answer) for answer in answers}

    assert {answer: s for answer, s in lasted.items() if s > LONGEST_S} == {}
