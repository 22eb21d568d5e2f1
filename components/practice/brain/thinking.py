"""Finds an answer: by the rules of the brain, or by a chat model with the rules to fall back on.

Rule: a chat model that fails is named, and the rules answer in its place.
"""

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Final

from components.practice.brain import tour
from components.practice.brain.chat import Chat, ChatError
from components.practice.brain.rules import Context, Say, Step, known, unsure
from components.practice.engine.outputs import Think

Clock = Callable[[], datetime]

_BROKEN_OFF: Final = "Here my answer breaks off. "


class Rules:
    """Thinks without a language model."""

    def __init__(
        self,
        clock: Clock = datetime.now,
        rng: Callable[[], float] = random.random,
        *,
        guided: bool = False,
    ) -> None:
        """`guided`: there is a tour, which must then hear of every turn."""
        self._clock = clock
        self._rng = rng
        self._guided = guided

    async def answer(self, think: Think) -> AsyncGenerator[Step, None]:
        """One sentence, or one call; on the tour, one sentence or more."""
        guided = self._guided and think.tool_choice in ("auto", "none")
        context = Context(
            think.items, think.tools, think.tool_choice, think.seconds, think.silence_s, guided
        )
        answer = known(think.words, context, self._clock(), self._rng)
        sentences = tour.sentences(think.words, context, answer) if guided else ()
        for sentence in sentences:
            yield Say(sentence)
            if sentence == tour.WELCOME:
                yield tour.SILENCE
        if not sentences:
            yield answer or unsure(think.words, context)


class ChatModelThinker:
    """Lets a chat model think."""

    def __init__(self, chat: Chat, rules: Rules) -> None:
        self._chat = chat
        self._rules = rules

    async def answer(self, think: Think) -> AsyncGenerator[Step, None]:
        """Sentences as they come, then the calls."""
        if not _has_words(think):
            # There is nothing to send; the rules say what the matter is.
            async with aclosing(self._rules.answer(think)) as steps:
                async for step in steps:
                    yield step
            return
        tools = () if think.tool_choice == "none" else think.tools
        spoke = False
        try:
            async with aclosing(self._chat.answer(think.items, tools, think.instructions)) as said:
                async for step in said:
                    spoke = True
                    yield step
            return
        except ChatError as error:
            yield Say(f"{_BROKEN_OFF if spoke else ''}{error}")
        if not spoke:
            async with aclosing(self._rules.answer(think)) as steps:
                async for step in steps:
                    yield step


def _has_words(think: Think) -> bool:
    """Whether there is anything to answer; an instruction alone is enough."""
    return bool(think.words) or think.seconds == 0
