import random
import re
from datetime import datetime

import pytest

from components.practice.brain.grammar import grammar
from components.practice.brain.rules import Say
from components.practice.brain.thinking import Rules
from tests.practice.fakes import think


def phrase(rules: dict[str, str], name: str, choose: random.Random) -> str:
    """One way to say a rule of the grammar."""
    text = rules[name]
    inside = re.compile(r"\[([^\[\]()]*)\]|\(([^\[\]()]*)\)")
    while found := inside.search(text):
        optional = [""] if found[1] is not None else []
        parts = (found[1] or found[2] or "").split("|")
        text = text[: found.start()] + choose.choice(parts + optional) + text[found.end() :]
    text = choose.choice(text.split("|"))
    return re.sub(r"<(\w+)>", lambda found: phrase(rules, found[1], choose), text)


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    return dict(re.findall(r"<(\w+)> = (.*) ;", grammar()))


async def test_every_phrase_of_the_grammar_has_an_answer(rules: dict[str, str]) -> None:
    for seed in range(300):
        said = " ".join(phrase(rules, "phrase", random.Random(seed)).split())
        thinker = Rules(lambda: datetime(2026, 11, 22), lambda: 0.5, guided=True)
        answer, *_ = [step async for step in thinker.answer(think(words=said))]

        assert isinstance(answer, Say), said
        assert "I don't know that" not in answer.text, said


def test_every_rule_that_is_used_is_there(rules: dict[str, str]) -> None:
    used = set(re.findall(r"<(\w+)>", " ".join(rules.values())))
    assert used | {"phrase"} == set(rules)
