"""What a test does to the voice button, and what it asks of it."""

import json

from playwright.sync_api import Page, expect

from tests.browser.steps import ALL_CLOSED

LIMIT_MS = 25_000
# Keeps the data channels, and shortens the patience of the widget.
CHANNELS = """
window.channels = [];
window.connections = [];
addEventListener("voicestate", ({ detail }) => window.connections.push(detail.connection));
const create = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (...args) {
  const channel = create.apply(this, args);
  window.channels.push(channel);
  return channel;
};
"""
IMPATIENT = """
const wait = window.setTimeout;
const shorter = (ms) => (ms > 10000 ? 3000 : Math.min(ms, 300));
window.setTimeout = (task, ms, ...args) => wait(task, shorter(ms), ...args);
"""
HEARS_SOUND = """async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const receiver = window.witness.peers.at(-1).getReceivers()[0];
  context.createMediaStreamSource(new MediaStream([receiver.track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  for (;;) {
    await new Promise(requestAnimationFrame);
    analyser.getFloatTimeDomainData(samples);
    if (samples.some((sample) => Math.abs(sample) > 0.02)) return context.close().then(() => true);
  }
}"""
FALLS_SILENT = """async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const receiver = window.witness.peers.at(-1).getReceivers()[0];
  context.createMediaStreamSource(new MediaStream([receiver.track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  for (let quiet = 0; quiet < 10; ) {
    await new Promise(requestAnimationFrame);
    analyser.getFloatTimeDomainData(samples);
    quiet = samples.some((sample) => Math.abs(sample) > 0.01) ? 0 : quiet + 1;
  }
  return context.close().then(() => true);
}"""


def part(page, name):
    return page.locator(f"voice-call .{name}")


def begin(page):
    part(page, "start").click()
    expect(part(page, "connection")).to_have_text("Connected", timeout=LIMIT_MS)


def say(page, text):
    """A typed turn, over the widget's own channel."""
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    for event in ({"type": "conversation.item.create", "item": item}, {"type": "response.create"}):
        page.evaluate("event => window.channels.at(-1).send(event)", json.dumps(event))


def settled(page, connection):
    """The call is over: everything is let go, and the button is back."""
    expect(part(page, "connection")).to_have_text(connection, timeout=LIMIT_MS)
    expect(part(page, "start")).to_have_text("Start call")
    expect(part(page, "start")).to_be_enabled()
    page.wait_for_function(ALL_CLOSED)


def comes_back(page: Page) -> None:
    """The call is lost and made again, perhaps too quickly to be seen from here."""
    page.wait_for_function("window.connections.includes('reconnecting')", timeout=LIMIT_MS)
    page.wait_for_function("window.channels.length === 2", timeout=LIMIT_MS)
    expect(part(page, "connection")).to_have_text("Connected", timeout=LIMIT_MS)
