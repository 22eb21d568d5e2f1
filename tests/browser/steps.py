"""What a test does to the page with scripted calls, and what it asks of it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scripted import Control, ScriptedCall

PAGE_MARKS = [
    pytest.mark.browser,
    pytest.mark.timeout(120),
    # Of Gradio 6, which fastrtc refuses; and of Gradio's own use of its web framework.
    pytest.mark.filterwarnings("ignore:The '.*' parameter in the Blocks constructor"),
    pytest.mark.filterwarnings("ignore:The 'show_api' parameter"),
    pytest.mark.filterwarnings("ignore:The default value of 'allow_tags'"),
    pytest.mark.filterwarnings("ignore:'HTTP_422_UNPROCESSABLE_ENTITY' is deprecated"),
]


LIMIT_MS = 20_000
"""For what a call, a server and a busy machine may take."""
App = tuple[str, Control]
Visit = Callable[..., Page]

ALL_CLOSED = """() => {
  const { tracks, peers, contexts } = window.witness;
  return tracks.length > 0 && tracks.every((track) => track.readyState === "ended")
    && peers.every((peer) => peer.connectionState === "closed")
    && contexts.every((context) => context.state === "closed");
}"""
HEARS_SOUND = """async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const audio = document.querySelector("#call audio");
  context.createMediaStreamSource(audio.srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  for (;;) {
    await new Promise(requestAnimationFrame);
    analyser.getFloatTimeDomainData(samples);
    if (samples.some((sample) => Math.abs(sample) > 0.02)) return context.close().then(() => true);
  }
}"""
SET_STATES = """([peer, ice]) => {
  const pc = window.witness.peers[0];
  for (const [name, value] of [["connectionState", peer], ["iceConnectionState", ice]]) {
    Object.defineProperty(pc, name, { configurable: true, get: () => value });
    pc.dispatchEvent(new Event(name.toLowerCase() + "change"));
  }
}"""
EVENTS = """
const native = window.fetch;
window.streams = [];
window.fetch = async (input, init) => {
  if (!String(input.url).includes("/queue/data")) return native(input, init);
  const response = await native(new Request(input, { signal: null }));
  const reader = response.body.getReader();
  const stream = { silent: false, lost: 0 };
  const ended = new Promise((resolve) => {
    stream.end = () => resolve(reader.cancel());
  });
  window.streams.push(stream);
  const pull = async (controller) => {
    const { done, value } = await reader.read();
    if (stream.silent) {
      stream.lost += 1;
      await ended;
    }
    if (done || stream.silent) controller.error(new TypeError("network error"));
    else controller.enqueue(value);
  };
  return new Response(new ReadableStream({ pull }), { headers: response.headers });
};"""
"""Gradio's streams of events: each can fall silent or end, as a proxy may let it."""
TWO_FRAMES = "new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))"
"""After them, what a click or a message has changed is drawn."""
WATCH_NOTICE = """() => {
  window.notices = [];
  const notice = document.getElementById("notice");
  const note = () => notice.textContent && window.notices.push(notice.textContent);
  new MutationObserver(note).observe(notice, { childList: true });
}"""


def state_of(page: Page, side: str) -> Any:
    return expect(page.locator(f"#{side}-status"))


def connect(page: Page) -> None:
    """A call with whatever server the app has."""
    page.click("#start")
    state_of(page, "connection").to_have_text("Connected", timeout=LIMIT_MS)


def talk_to(page: Page, pane: str) -> None:
    """A call, with a pane of the drawer open."""
    connect(page)
    page.click("#inspect")
    page.click(f"#tab-{pane}")
    expect(page.locator(f"#{pane}")).to_be_visible()


def say(page: Page, words: str) -> None:
    """A typed turn."""
    page.fill("#say", words)
    page.press("#say", "Enter")


def begin(page: Page, control: Control) -> ScriptedCall:
    """One click, and the call is on."""
    page.click("#start")
    call = control.call()
    state_of(page, "connection").to_have_text("Connected")
    return call


def settle(page: Page, connection: str) -> None:
    """The call is over, its sentence stands, and a new one can be started."""
    state_of(page, "connection").to_have_attribute("data-state", connection, timeout=15_000)
    expect(page.locator("#start")).to_have_text(re.compile("^(Start call|Continue)$"))
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator(".toast-body")).to_have_count(0)


def notice(page: Page) -> Any:
    return expect(page.locator("#notice"))


def stub_microphone(body: str) -> str:
    return f"navigator.mediaDevices.getUserMedia = async (constraints) => {{ {body} }};"
