"""Finds an answer: by the rules of the brain, or by a chat model with the rules to fall back on.

Rule: a chat model that fails is named, and the rules answer in its place.
"""

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Final

from components.practice.brain.chat import Chat, ChatError
from components.practice.brain.rules import Call, Context, Say, reply
from components.practice.engine.outputs import Think

Clock = Callable[[], datetime]

_BROKEN_OFF: Final = "Here my answer breaks off. "


class Rules:
    """Thinks without a language model."""

    def __init__(self, clock: Clock = datetime.now, rng: Callable[[], float] = random.random):
        self._clock = clock
        self._rng = rng

    async def answer(self, think: Think) -> AsyncGenerator[Say | Call, None]:
        """One sentence, or one call."""
        context = Context(think.items, think.tools, think.tool_choice, think.seconds)
        yield reply(think.words, context, self._clock(), self._rng)


class ChatModelThinker:
    """Lets a chat model think."""

    def __init__(self, chat: Chat, rules: Rules) -> None:
        self._chat = chat
        self._rules = rules

    async def answer(self, think: Think) -> AsyncGenerator[Say | Call, None]:
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
