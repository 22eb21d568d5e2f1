"""The official browser SDK holds a call with the practice server, with a token from the app."""

import base64
import io
import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.button import HEARS_SOUND
from tests.peers.environments import PEERS, node_modules_of
from tests.peers.table import held_against_the_page
from tests.running import running_app
from tests.speech import speech

pytestmark = [
    *(pytest.mark.browser, pytest.mark.integration, pytest.mark.peers),
    pytest.mark.timeout(240),
]

RATE = 24_000


@pytest.fixture(scope="module")
def sdk() -> Path:
    """The SDK's own folder."""
    return node_modules_of("agents_realtime") / "@openai/agents-realtime"


@pytest.fixture(scope="module")
def question() -> str:
    """A WAV file that asks for the time, as a page can take it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(speech("what time is it", rate=RATE).tobytes())
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tmp_path_factory.mktemp("app")) as url:
        yield url


def test_the_agents_sdk_holds_a_whole_conversation(
    app: str, quiet: Browser, sdk: Path, question: str, visit: Callable[..., Page]
) -> None:
    page = visit(f"{app}/direct", using=quiet, ready="voice-call .fab")
    complaints: list[str] = []

    def told(said: ConsoleMessage) -> None:
        if said.type in ("warning", "error"):
            complaints.append(said.text)

    page.on("console", told)
    page.add_script_tag(path=sdk / "dist/bundle/openai-realtime-agents.umd.js")
    page.add_script_tag(path=PEERS / "agents_realtime/page.js")

    def peer(method: str, *arguments: str) -> Any:
        call = f"(given) => window.peer.{method}(...given)"
        return page.evaluate(call, list(arguments))

    peer("connect")
    typed = peer("ask", "what is 12 + 30?")
    spoken = peer("spoken", question)
    called = peer("ask", "what is the weather in Bern?")
    interrupted = peer("interruption", question)
    stopped = peer("stopped")
    sound_and_words = f"Promise.all([({HEARS_SOUND})(), window.peer.ask('what is 12 + 30?')])"
    _, after = page.evaluate(sound_and_words)
    peer("close")

    assert typed["answer"] == after["answer"] == "12 plus 30 is 42."
    assert spoken["heard"].lower().strip(" ?") == "what time is it"
    assert spoken["answer"].startswith("It is ")
    assert called["called"] == [{"city": "Bern"}]
    assert "It is sunny in Bern." in called["answer"]
    assert (interrupted["status"], interrupted["reason"]) == ("cancelled", "turn_detected")
    assert 1000 <= interrupted["heard_ms"] < 5000
    assert interrupted["answer"].startswith("It is ")
    assert stopped == {"status": "cancelled", "reason": "client_cancelled"}
    assert page.evaluate("window.peer.problems") == []
    assert complaints == []
    version = json.loads((sdk / "package.json").read_text("utf-8"))["version"]
    parts = {"typed": "yes", "spoken": "yes", "function": "yes", "interruption": "by speech"}
    held_against_the_page("agents_realtime_webrtc", version, parts)
