"""Clients that nobody here wrote hold a conversation with the practice server.

All at once, each in an environment and a process of its own.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.peers.environments import PEERS, node_modules_of, python_of
from tests.peers.table import held_against_the_page
from tests.running import environment, practice_server
from tests.speech import speech

pytestmark = [pytest.mark.integration, pytest.mark.peers, pytest.mark.timeout(300)]

RATE = 24_000
TALK_LIMIT_S = 90

Talk = dict[str, dict[str, Any]]
"""What a driver has told of each part."""


def _python(peer: str) -> tuple[Sequence[str], Path]:
    """The command of a driver, and the folder in which it runs."""
    driver = PEERS / peer / "driver.py"
    return [str(python_of(peer)), "-I", str(driver)], driver.parent


def _node(peer: str) -> tuple[Sequence[str], Path]:
    return ["node", str(PEERS / peer / "driver.mjs")], node_modules_of(peer).parent


COMMANDS: dict[str, Callable[[str], tuple[Sequence[str], Path]]] = {
    "openai_agents": _python,
    "livekit_openai": _python,
    "agents_realtime": _node,
}
"""By the client's folder."""


def _talk(peer: str, url: str, question: Path) -> Talk:
    command, folder = COMMANDS[peer](peer)
    done = subprocess.run(
        [*command, url, str(question)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TALK_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {part.pop("part"): part for part in told}


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Talk]]]:
    """Of each client, what it will have told."""
    question = tmp_path_factory.mktemp("speech") / "time.pcm"
    quiet = np.zeros(RATE, np.int16)
    question.write_bytes(np.concatenate([speech("what time is it", rate=RATE), quiet]).tobytes())
    with practice_server() as url, ThreadPoolExecutor() as pool:
        yield {peer: pool.submit(_talk, peer, url, question) for peer in COMMANDS}


@pytest.fixture(params=COMMANDS)
def peer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def talk(talks: dict[str, Future[Talk]], peer: str) -> Talk:
    return talks[peer].result()


def test_a_typed_turn_is_answered(talk):
    assert talk["typed"]["answer"] == "12 plus 30 is 42."


def test_a_spoken_turn_is_written_down_and_answered_aloud(talk):
    assert talk["spoken"]["heard"].lower().strip(" ?") == "what time is it"
    assert talk["spoken"]["answer"].startswith("It is ")
    assert talk["spoken"]["sound_ms"] > 500


def test_a_function_is_called_and_its_output_told(talk):
    assert talk["function"]["called"] == [{"city": "Bern"}]
    assert "It is sunny in Bern." in talk["function"]["answer"]


def test_speech_interrupts_an_answer_and_is_answered(talk):
    assert talk["interruption"]["status"] == "cancelled"
    assert talk["interruption"]["reason"] == "turn_detected"
    assert 1000 <= talk["interruption"]["heard_ms"] < 5000
    assert talk["interruption"]["noticed"]
    assert talk["interruption"]["answer"].startswith("It is ")


def test_the_client_complains_of_nothing(talk):
    assert talk["end"]["problems"] == []


def test_the_table_has_this_run(talk, peer):
    parts = {part: "yes" for part in ("typed", "spoken", "function") if part in talk}
    if talk["interruption"]["reason"] == "turn_detected":
        parts["interruption"] = "by speech"
    held_against_the_page(peer, talk["peer"]["version"], parts)
