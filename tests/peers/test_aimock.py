"""A server that nobody here wrote, at the other end of the app: `@copilotkit/aimock`.

It writes the answers of `fixtures.json`, in text. It hears nothing, and a cancelled answer it
writes to its end.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peer import Peer, caller
from tests.peers.environments import PEERS, node_modules_of
from tests.peers.table import held_against_the_page
from tests.running import STOP_LIMIT_S, environment, free_port, running_app

pytestmark = [pytest.mark.integration, pytest.mark.peers, pytest.mark.timeout(300)]

FIXTURES = PEERS / "aimock/fixtures.json"
START_LIMIT_S = 20


@contextmanager
def aimock(packages: Path, log: Path) -> Iterator[str]:
    """The base URL of a mock of its own."""
    port = free_port()
    command = ["node", str(packages / "@copilotkit/aimock/dist/cli.js"), "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--fixtures", str(FIXTURES)],
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while "listening" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "aimock does not get ready"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(STOP_LIMIT_S)


@pytest.fixture(scope="module")
def packages() -> Path:
    return node_modules_of("aimock")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    with (
        aimock(packages, folder / "aimock.log") as server,
        running_app(folder, REALTIME_BASE_URL=server, OPENAI_API_KEY="mock") as url,
    ):
        yield url


async def _said(peer: Peer, url: str, words: str) -> list[str]:
    """The transcript when a typed line is answered."""
    peer.forget()
    peer.send(type="say", text=words)
    await peer.sees(type="state", assistant="thinking")
    await peer.sees(type="state", assistant="idle")
    return await peer.transcript(url)


async def test_a_typed_turn_is_answered(app):
    async with caller(app) as peer:
        await peer.sees(type="state", connection="connected")

        assert await _said(peer, app, "hello") == ["hello", "Hello, this is a mock."]


async def test_a_function_is_called_and_its_output_told(app):
    async with caller(app) as peer:
        await peer.sees(type="state", connection="connected")

        _, call, answer = await _said(peer, app, "what is the time in Tokyo?")

        assert "Asia/Tokyo" in call
        assert "+09:00" in call
        assert answer == "The clock has told me."


async def test_an_interrupted_answer_ends_and_what_is_said_next_is_answered(app):
    async with caller(app) as peer:
        await peer.sees(type="state", connection="connected")
        peer.send(type="say", text="tell me a story")
        while "Once upon" not in " ".join(await peer.transcript(app)):
            await peer.sees(since=len(peer.messages), type="fetch_output")

        peer.send(type="interrupt")
        await peer.sees(type="state", assistant="idle")
        _, story, *_ = await peer.transcript(app)
        later = await _said(peer, app, "goodbye")

        assert story.endswith("interrupted")
        assert "the end of" not in story
        assert later == ["tell me a story", story, "goodbye", "Goodbye to you."]


def test_the_table_has_this_run(packages):
    manifest = json.loads((packages / "@copilotkit/aimock/package.json").read_text("utf-8"))
    parts = {"typed": "yes", "function": "yes", "interruption": "without a word"}
    parts["spoken"] = "no: it hears nothing"
    held_against_the_page("aimock", manifest["version"], parts)
