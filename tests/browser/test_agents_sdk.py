"""The official browser SDK holds a call with the practice server, with a token from the app."""

import os
from pathlib import Path

import pytest

from tests.browser.button import HEARS_SOUND
from tests.running import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]

SDK = ROOT / "tests/direct/agents/node_modules/@openai/agents-realtime/dist/bundle"

CONNECT = """async () => {
  const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebRTC } = window.OpenAIAgentsRealtime;
  const { token, url, model } = await (
    await fetch("api/realtime/token", { method: "POST" })
  ).json();
  const agent = new RealtimeAgent({ name: "Tester", instructions: "Be brief." });
  const transport = new OpenAIRealtimeWebRTC({ baseUrl: url, audioElement: new Audio() });
  const session = new RealtimeSession(agent, { transport, model });
  window.problems = [];
  window.events = [];
  session.on("error", ({ error }) => window.problems.push(JSON.stringify(error)));
  session.transport.on("*", (event) => window.events.push(event.type));
  session.on("history_updated", (history) => {
    window.words = history.flatMap((item) =>
      (item.content || []).map((part) => `${item.role}: ${part.text || part.transcript || ""}`));
  });
  await session.connect({ apiKey: token });
  window.session = session;
}"""


@pytest.fixture(scope="module")
def sdk() -> Path:
    """The SDK as one file; `npm ci --prefix tests/direct/agents` brings it."""
    path = SDK / "openai-realtime-agents.umd.js"
    if not path.exists():
        missing = pytest.fail if os.environ.get("NEED_AGENTS_SDK") else pytest.skip
        missing("the agents SDK is not installed (npm ci --prefix tests/direct/agents)")
    return path


def test_the_agents_sdk_talks_is_answered_and_interrupts(practice, quiet, sdk, visit):
    page = visit(f"{practice}/direct", using=quiet, ready="voice-call .fab")
    page.add_script_tag(path=sdk)
    page.evaluate(CONNECT)
    page.evaluate("window.session.sendMessage('count to thirty')")
    assert page.evaluate(HEARS_SOUND)
    page.evaluate("window.session.interrupt()")
    page.wait_for_function("window.events.includes('output_audio_buffer.cleared')")
    page.evaluate("window.session.sendMessage('what is 12 + 30?')")
    page.wait_for_function("(window.words || []).some((words) => words.includes('42'))")
    page.evaluate("window.session.close()")

    assert page.evaluate("window.problems") == []
    assert "session.updated" in page.evaluate("window.events")
