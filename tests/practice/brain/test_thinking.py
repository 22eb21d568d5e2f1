from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

import pytest

from components.practice.brain.chat import ChatError
from components.practice.brain.rules import Call, Say, Step
from components.practice.brain.thinking import ChatModelThinker, Rules
from components.practice.brain.tour import SILENCE, WELCOME
from components.practice.engine.outputs import Think
from components.practice.server.connection import Thinker
from tests.practice.fakes import think, words_of

NOON = datetime(2026, 11, 22, 12, 0)
RULES = Rules(lambda: NOON, lambda: 0.5)


class ScriptedChat:
    """Yields the steps it was given; an exception among them is raised."""

    def __init__(self, *steps: Say | Call | Exception) -> None:
        self.steps = steps
        self.asked: list[tuple[Any, ...]] = []

    async def answer(
        self, items: Sequence[Any], tools: Sequence[Any] = (), instructions: str = ""
    ) -> AsyncGenerator[Say | Call, None]:
        self.asked.append((items, tools, instructions))
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            yield step


def chatting(*steps: Say | Call | Exception) -> tuple[ChatModelThinker, ScriptedChat]:
    chat = ScriptedChat(*steps)
    return ChatModelThinker(chat, RULES), chat  # type: ignore[arg-type]


async def steps_of(thinker: Thinker, question: Think) -> list[Step]:
    return [step async for step in thinker.answer(question)]


async def test_rules_answer_in_one_step() -> None:
    steps = await steps_of(RULES, think(words="what time is it"))

    assert steps == [Say("It is 12:00 PM.")]


async def test_rules_without_anything_said_greet() -> None:
    assert words_of(await steps_of(RULES, think(words=None))).startswith("Hello!")


async def test_a_chat_model_gets_the_conversation_and_the_instructions() -> None:
    thinker, chat = chatting(Say("Hi."), Call("look", "{}"))
    question = think(items=({"id": "a"},), tools=({"name": "look"},), instructions="Be brief.")

    assert await steps_of(thinker, question) == [Say("Hi."), Call("look", "{}")]
    assert chat.asked == [(({"id": "a"},), ({"name": "look"},), "Be brief.")]


async def test_a_chat_model_gets_no_tools_it_may_not_use() -> None:
    thinker, chat = chatting(Say("Hi."))

    await steps_of(thinker, think(tools=({"name": "look"},), tool_choice="none"))

    assert chat.asked[0][1] == ()


@pytest.mark.parametrize("words", ["", None])
async def test_a_chat_model_is_not_asked_about_speech_without_words(words: str | None) -> None:
    thinker, chat = chatting(Say("Hi."))

    steps = await steps_of(thinker, think(words=words, seconds=2.0))

    assert words_of(steps).endswith(": what time is it?")
    assert chat.asked == []


async def test_an_instruction_alone_is_enough_for_a_chat_model() -> None:
    thinker, _ = chatting(Say("Welcome."))

    assert await steps_of(thinker, think(words=None)) == [Say("Welcome.")]


async def test_a_failing_chat_model_is_named_and_the_rules_answer() -> None:
    thinker, _ = chatting(ChatError("The chat endpoint has failed."))

    steps = await steps_of(thinker, think(words="what time is it"))

    assert words_of(steps) == "The chat endpoint has failed. It is 12:00 PM."


async def test_a_chat_model_that_breaks_off_is_named() -> None:
    thinker, _ = chatting(Say("Once upon"), ChatError("The chat endpoint broke off its answer."))

    steps = await steps_of(thinker, think())

    assert words_of(steps) == (
        "Once upon Here my answer breaks off. The chat endpoint broke off its answer."
    )


async def test_the_tour_begins_with_a_reminder_for_who_stays_silent() -> None:
    guided = Rules(lambda: NOON, lambda: 0.5, guided=True)

    assert await steps_of(guided, think(words="take the tour")) == [Say(WELCOME), SILENCE]
    assert await steps_of(guided, think(words="take the tour", tool_choice="required")) != [
        Say(WELCOME),
        SILENCE,
    ]
    assert SILENCE not in await steps_of(guided, think(words="what time is it"))
