"""The voice button in Chromium: it talks with the practice server, and fails in sentences."""

import json
import re
from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import ALL_CLOSED
from tests.running import running_app

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]

Visit = Callable[..., Page]
LIMIT_MS = 25_000
NONE_YET = "\N{EN DASH}"
VISITORS = count(1)
INTERJECTION = "thank you very much, that is enough for now"

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


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture
def demo(app, quiet, visit: Visit):
    """Opens the demo page and the overlay of its button."""

    def go(*, using=quiet, script=CHANNELS):
        page = visit(
            f"{app}/direct",
            using=using,
            script=script,
            ready="voice-call .fab",
            # Each test is a visitor of its own, whose calls are counted alone.
            extra_http_headers={"X-Forwarded-For": f"192.0.2.{next(VISITORS)}"},
        )
        page.click("voice-call .fab")
        return page

    return go


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


def test_a_spoken_question_is_written_down_and_answered_aloud(demo, says):
    page = demo(using=says(2.0, "what time is it", 30.0))
    page.evaluate(
        "addEventListener('voicestate', ({ detail }) => (window.states ??= []).push(detail))"
    )
    begin(page)

    expect(part(page, "side.user dd")).to_have_text("Speaking", timeout=LIMIT_MS)
    expect(part(page, "side.assistant dd")).to_have_text("Speaking", timeout=LIMIT_MS)
    assert page.evaluate(HEARS_SOUND)
    expect(page.locator("voice-call li.user")).to_contain_text("What time is it?", timeout=LIMIT_MS)
    expect(page.locator("voice-call li.assistant")).to_contain_text("It is", timeout=LIMIT_MS)
    expect(part(page, "side.assistant dd")).to_have_text("Idle", timeout=LIMIT_MS)
    page.click("voice-call .start")
    settled(page, "Ended")
    assert {"connecting", "connected", "ended"} <= {
        state["connection"] for state in page.evaluate("window.states")
    }


def test_speaking_over_the_answer_stops_it(demo, says):
    page = demo(using=says(2.0, "count to thirty", 4.0, INTERJECTION, 30.0))
    begin(page)
    expect(part(page, "side.assistant dd")).to_have_text("Speaking", timeout=LIMIT_MS)
    expect(page.locator("voice-call li.assistant").first).to_contain_text(
        "interrupted", timeout=LIMIT_MS
    )
    expect(page.locator("voice-call li.user")).to_have_count(2, timeout=LIMIT_MS)


def test_interrupt_and_mute(demo):
    page = demo()
    begin(page)
    expect(part(page, "interrupt")).to_be_disabled()
    say(page, "count to thirty")
    assert page.evaluate(HEARS_SOUND)
    part(page, "interrupt").click()
    assert page.evaluate(FALLS_SILENT)
    expect(page.locator("voice-call li.assistant")).to_contain_text("interrupted")
    say(page, "count to thirty")
    assert page.evaluate(HEARS_SOUND)
    part(page, "start").focus()
    page.keyboard.press("Escape")
    assert page.evaluate(FALLS_SILENT)
    expect(part(page, "panel")).to_be_visible()

    part(page, "mute").click()
    expect(part(page, "side.user dd")).to_have_text("Muted")
    assert page.evaluate("window.witness.tracks.every((track) => !track.enabled)")
    part(page, "mute").click()
    expect(part(page, "side.user dd")).to_have_text("Listening")
    assert page.evaluate("window.witness.tracks.every((track) => track.enabled)")


def test_closing_the_overlay_ends_the_call_and_the_next_one_works(demo):
    page = demo()
    for _ in range(2):
        begin(page)
        page.keyboard.press("Escape")
        expect(part(page, "panel")).to_be_hidden()
        page.wait_for_function(ALL_CLOSED)
        assert page.evaluate("document.activeElement.tagName") == "VOICE-CALL"
        page.keyboard.press("Enter")
        expect(part(page, "panel")).to_be_visible()


def test_a_dropped_call_goes_on_where_it_was(demo):
    page = demo(script=CHANNELS + IMPATIENT)
    begin(page)
    say(page, "what is 12 + 30?")
    expect(page.locator("voice-call li.assistant")).to_contain_text("42", timeout=LIMIT_MS)
    page.evaluate("window.channels.at(-1).close()")

    comes_back(page)
    assert page.evaluate("window.channels.length") == 2
    say(page, "what is 2 times 4?")
    expect(page.locator("voice-call li")).to_have_text(
        [
            re.compile("12 \\+ 30"),
            re.compile("42"),
            re.compile("2 times 4"),
            re.compile("8"),
        ],
        timeout=LIMIT_MS,
    )


def refuse(status, code, message):
    def handle(route: Route):
        body = json.dumps({"error": {"code": code, "message": message}})
        route.fulfill(status=status, content_type="application/json", body=body)

    return handle


TOKEN = "**/api/realtime/token"
CALLS = re.compile("/v1/realtime/calls")


@pytest.mark.parametrize(
    ("where", "answer", "sentence"),
    [
        (TOKEN, refuse(429, "too_many_requests", "Wait a minute."), "Wait a minute."),
        (TOKEN, refuse(502, "upstream", "The server does not accept the key."), "accept the key"),
        (TOKEN, lambda route: route.fulfill(status=200, body="<html>"), "makes no sense"),
        (TOKEN, lambda route: route.abort(), "does not answer"),
        (CALLS, refuse(401, "invalid_api_key", "This client secret has expired."), "has expired"),
        (CALLS, refuse(400, "invalid_offer", "No audio."), "No audio."),
        (CALLS, refuse(429, "insufficient_quota", "You exceeded"), "no credit"),
        (CALLS, lambda route: route.fulfill(status=201, body="junk"), "makes no sense"),
    ],
)
def test_a_refusal_is_a_sentence_and_the_button_works_again(demo, where, answer, sentence):
    page = demo(script=CHANNELS + IMPATIENT)
    page.route(where, answer)
    part(page, "start").click()
    settled(page, "Failed")
    expect(part(page, "notice")).to_contain_text(sentence)

    page.unroute(where)
    begin(page)
    expect(part(page, "notice")).to_be_empty()


def test_a_token_that_was_too_old_is_fetched_anew(demo):
    page = demo(script=CHANNELS + IMPATIENT)
    expired = refuse(401, "invalid_api_key", "This client secret has expired.")
    page.route(CALLS, expired, times=1)
    begin(page)

    expect(part(page, "notice")).to_be_empty()


def test_a_network_that_carries_no_sound_is_told(demo):
    def misdirect(route: Route):
        answer = route.fetch()
        lines = [line for line in answer.text().splitlines() if not line.startswith("a=candidate")]
        route.fulfill(response=answer, body="\r\n".join(lines) + "\r\n")

    page = demo(script=CHANNELS + IMPATIENT)
    page.route(CALLS, misdirect)
    part(page, "start").click()
    settled(page, "Failed")
    expect(part(page, "notice")).to_contain_text("no way through the network")


def test_a_call_that_cannot_be_made_again_is_lost_with_a_sentence(demo):
    page = demo(script=CHANNELS + IMPATIENT)
    begin(page)
    page.route(TOKEN, lambda route: route.abort())
    page.evaluate("window.channels.at(-1).close()")

    settled(page, "Failed")
    expect(part(page, "notice")).not_to_be_empty()


# A connection says that it is lost, and then that it is not, as a phone's does in a tunnel.
WAVERS = """(states) => {
  const pc = window.witness.peers.at(-1);
  for (const state of states) {
    Object.defineProperty(pc, "connectionState", { configurable: true, get: () => state });
    pc.onconnectionstatechange();
  }
}"""


def test_a_connection_that_dies_is_made_again_and_one_that_recovers_is_kept(demo):
    page = demo(script=CHANNELS + IMPATIENT)
    begin(page)
    page.evaluate(WAVERS, ["disconnected", "connected"])
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
    expect(part(page, "connection")).to_have_text("Connected")
    assert page.evaluate("window.channels.length") == 1

    page.evaluate(WAVERS, ["disconnected"])
    comes_back(page)
    assert page.evaluate("window.channels.length") == 2


def test_the_end_of_an_old_connection_does_not_end_the_new_one(demo):
    page = demo()
    begin(page)
    # Its patience of four seconds begins, and then its channel closes at once.
    page.evaluate(WAVERS, ["disconnected"])
    page.evaluate("window.channels.at(-1).close()")
    comes_back(page)
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 4200))")

    assert page.evaluate("window.channels.length") == 2
    expect(part(page, "connection")).to_have_text("Connected")


def test_who_mutes_before_the_microphone_is_there_is_not_heard(demo):
    page = demo()
    page.evaluate(
        """() => {
          const devices = navigator.mediaDevices;
          const ask = devices.getUserMedia;
          devices.getUserMedia = async (wishes) => {
            await new Promise((resolve) => (window.allow = resolve));
            return ask(wishes);
          };
        }"""
    )
    part(page, "start").click()
    part(page, "mute").click()
    page.evaluate("window.allow()")
    expect(part(page, "connection")).to_have_text("Connected", timeout=LIMIT_MS)

    expect(part(page, "side.user dd")).to_have_text("Muted")
    assert page.evaluate("window.witness.tracks.map((track) => track.enabled)") == [False]


def test_an_answer_that_never_ends_is_not_waited_for(demo):
    page = demo(script=CHANNELS + IMPATIENT)
    page.evaluate(
        """() => {
          const ask = window.fetch;
          window.fetch = (url, { signal, ...options }) => {
            const endless = new ReadableStream({
              start(controller) {
                signal.addEventListener("abort", () => controller.error(new Error("aborted")));
              },
            });
            return Promise.resolve(new Response(endless));
          };
        }"""
    )
    part(page, "start").click()
    settled(page, "Failed")
    expect(part(page, "notice")).to_contain_text("does not answer")


def test_a_browser_without_calls_is_told(demo):
    page = demo(script="delete window.RTCPeerConnection;")
    part(page, "start").click()

    expect(part(page, "connection")).to_have_text("Failed")
    expect(part(page, "notice")).to_contain_text("This browser cannot make calls")


def test_what_was_under_way_when_the_connection_went_is_marked(demo):
    page = demo(script=CHANNELS + IMPATIENT)
    begin(page)
    page.evaluate(
        """() => {
          const tell = (event) => window.channels.at(-1).onmessage({ data: JSON.stringify(event) });
          tell({ type: "input_audio_buffer.speech_started", item_id: "u" });
          tell({ type: "response.output_audio_transcript.delta", item_id: "a", delta: "I think" });
        }"""
    )
    page.evaluate("window.channels.at(-1).close()")

    expect(page.locator("voice-call li.user")).to_contain_text("(not transcribed)")
    expect(page.locator("voice-call li.assistant")).to_contain_text("interrupted")


def test_an_answer_that_ran_into_a_limit_is_marked(demo):
    page = demo()
    begin(page)
    page.evaluate(
        """() => {
          const tell = (event) => window.channels.at(-1).onmessage({ data: JSON.stringify(event) });
          tell({ type: "response.output_audio_transcript.delta", item_id: "a", delta: "I think" });
          const response = { status: "incomplete", output: [{ id: "a", type: "message" }] };
          tell({ type: "response.done", response });
        }"""
    )

    expect(page.locator("voice-call li.assistant")).to_contain_text("cut off: length limit")


def test_a_microphone_that_is_not_allowed_is_told(app, says, visit: Visit):
    page = visit(f"{app}/direct", using=says(1.0, allow=False), ready="voice-call .fab")
    page.click("voice-call .fab")
    part(page, "start").click()

    expect(part(page, "connection")).to_have_text("Failed", timeout=LIMIT_MS)
    expect(part(page, "notice")).to_contain_text("does not allow the microphone")
    expect(part(page, "start")).to_be_enabled()


def test_the_element_takes_its_session_from_its_attributes(demo):
    page = demo()
    page.evaluate(
        """() => {
          const element = document.querySelector("voice-call");
          element.setAttribute("instructions", "Be brief.");
          element.setAttribute("voice", "cedar");
          addEventListener("voicetranscript", ({ detail }) => (window.words = detail.messages));
        }"""
    )
    page.evaluate(
        """() => {
          const send = RTCDataChannel.prototype.send;
          RTCDataChannel.prototype.send = function (text) {
            (window.sent ??= []).push(JSON.parse(text));
            return send.call(this, text);
          };
        }"""
    )
    begin(page)

    session = {"type": "realtime", "instructions": "Be brief."}
    assert page.evaluate("window.sent")[0] == {
        "type": "session.update",
        "session": {**session, "audio": {"output": {"voice": "cedar"}}},
    }
    say(page, "hello")
    page.wait_for_function("(window.words || []).length === 2")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_overlay_fits(app, quiet, visit: Visit, width):
    page = visit(
        f"{app}/direct",
        using=quiet,
        ready="voice-call .fab",
        viewport={"width": width, "height": 640},
    )
    page.click("voice-call .fab")
    box = part(page, "panel").bounding_box()

    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 640
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_has_a_name_and_is_reached_by_keyboard(demo):
    page = demo()

    assert page.evaluate("document.querySelector('voice-call').shadowRoot.activeElement.className")
    names = page.locator("voice-call").aria_snapshot()
    for name in (
        'dialog "Voice call"',
        'button "Close"',
        'button "Start call"',
        'log "Transcript"',
    ):
        assert name in names


def test_the_tab_shows_what_the_server_sees_of_the_call(app, says, visit: Visit):
    page = visit(app, using=says(3.0, "what time is it", 30.0), script=CHANNELS)
    page.get_by_role("tab", name="Direct").click()
    figures = page.locator("#direct-timing dd")
    expect(figures).to_have_text([NONE_YET, "0"])
    begin(page)

    expect(page.locator("#direct-connection-status")).to_have_text("Connected", timeout=LIMIT_MS)
    expect(page.locator("#direct-transcript .user.message")).to_have_text(
        "What time is it?", timeout=LIMIT_MS
    )
    expect(page.locator("#direct-transcript .bot.message")).to_contain_text(
        "It is", timeout=LIMIT_MS
    )
    expect(page.locator("#direct-assistant-status")).to_have_text("Idle", timeout=LIMIT_MS)
    expect(figures).to_have_text([re.compile(r"\d\.\d\d s"), re.compile("[1-9]")])
    part(page, "start").click()
    expect(page.locator("#direct-connection-status")).to_have_text("Ended", timeout=LIMIT_MS)

    # The other tab's call works as ever.
    page.get_by_role("tab", name="Talk").click()
    page.click("#start")
    expect(page.locator("#connection-status")).to_have_text("Connected", timeout=LIMIT_MS)


# The old connection stays open until `closeOld`; every state that the tab shows is kept.
LINGERS = """() => {
  const close = RTCPeerConnection.prototype.close;
  RTCPeerConnection.prototype.close = function () {
    window.closeOld = () => close.call(this);
    RTCPeerConnection.prototype.close = close;
  };
  window.states = [];
  new MutationObserver(() => {
    window.states.push(document.querySelector("#direct-connection-status")?.dataset.state);
  }).observe(document.querySelector("#direct-seen"), { childList: true, subtree: true });
}"""


def test_the_tab_follows_a_call_that_is_made_again(app, quiet, visit: Visit):
    page = visit(app, using=quiet, script=CHANNELS)
    page.get_by_role("tab", name="Direct").click()
    begin(page)
    say(page, "what is 12 + 30?")
    expect(page.locator("#direct-transcript .bot.message")).to_contain_text("42", timeout=LIMIT_MS)
    page.evaluate(LINGERS)
    page.evaluate("window.channels.at(-1).close()")
    comes_back(page)

    say(page, "what is 2 times 4?")
    expect(page.locator("#direct-transcript")).to_contain_text("2 times 4", timeout=LIMIT_MS)
    page.evaluate("window.closeOld()")
    say(page, "what is 3 times 5?")
    expect(page.locator("#direct-transcript")).to_contain_text("15", timeout=LIMIT_MS)
    assert "ended" not in page.evaluate("window.states")
    part(page, "start").click()
    expect(page.locator("#direct-connection-status")).to_have_text("Ended", timeout=LIMIT_MS)


def test_a_function_runs_on_the_server_and_both_transcripts_tell_of_it(app, quiet, visit: Visit):
    page = visit(app, using=quiet, script=CHANNELS)
    page.get_by_role("tab", name="Direct").click()
    begin(page)
    expect(page.locator("#direct-connection-status")).to_have_text("Connected", timeout=LIMIT_MS)
    say(page, "what time is it now in Tokyo")

    expect(page.locator("voice-call li.assistant")).to_contain_text("Asia/Tokyo", timeout=LIMIT_MS)
    expect(page.locator("#direct-transcript .tool").first).to_contain_text("world_clock")
    expect(page.locator("#direct-transcript")).to_contain_text("Asia/Tokyo", timeout=LIMIT_MS)


def test_a_call_that_was_too_long_is_not_begun_again(tmp_path, quiet, visit: Visit):
    with running_app(tmp_path, MAX_CALL_SECONDS="3") as url:
        page = visit(url, using=quiet, script=CHANNELS + IMPATIENT)
        page.get_by_role("tab", name="Direct").click()
        begin(page)

        expect(part(page, "connection")).to_have_text("Failed", timeout=LIMIT_MS)
        expect(part(page, "notice")).to_contain_text("The time for this call is up")
        expect(page.locator("#direct-seen")).to_contain_text("The time for this call is up")


def test_limits_hold_for_the_button_on_any_page(tmp_path, quiet, visit: Visit):
    with running_app(tmp_path, MAX_CALL_SECONDS="3") as url:
        page = visit(
            f"{url}/direct", using=quiet, ready="voice-call .fab", script=CHANNELS + IMPATIENT
        )
        page.click("voice-call .fab")
        begin(page)
        settled(page, "Failed")
        expect(part(page, "notice")).to_contain_text("The time for this call is up")


def test_a_page_of_another_port_gets_no_token(app, quiet, visit: Visit, tmp_path):
    with running_app(tmp_path) as other:
        page = visit(f"{other}/direct", using=quiet, ready="voice-call .fab")
        page.click("voice-call .fab")
        page.evaluate(
            "url => document.querySelector('voice-call').setAttribute('token-url', url)",
            f"{app}/api/realtime/token",
        )
        part(page, "start").click()

        expect(part(page, "connection")).to_have_text("Failed", timeout=LIMIT_MS)
        expect(part(page, "notice")).to_contain_text("may not use the voice button")
        page.wait_for_function(ALL_CLOSED)


def test_a_page_that_is_allowed_may_talk(quiet, visit: Visit, tmp_path, app):
    with running_app(tmp_path, DIRECT_ORIGINS=app) as other:
        page = visit(f"{app}/direct", using=quiet, ready="voice-call .fab", script=CHANNELS)
        page.click("voice-call .fab")
        for attribute, path in (("token-url", "token"), ("call-url", "call")):
            page.evaluate(
                "([name, url]) => document.querySelector('voice-call').setAttribute(name, url)",
                [attribute, f"{other}/api/realtime/{path}"],
            )
            begin(page)
            say(page, "what is 12 + 30?")
            expect(page.locator("voice-call li.assistant")).to_contain_text("42", timeout=LIMIT_MS)
            part(page, "start").click()
            settled(page, "Ended")


def test_a_login_covers_the_route(tmp_path, quiet, visit: Visit):
    with running_app(tmp_path, APP_USERNAME="me", APP_PASSWORD="secret") as url:
        page = visit(url, using=quiet, ready="input[type=password]")
        refused = page.request.post(f"{url}/api/realtime/token", headers={"Origin": url})
        assert refused.status == 401
        page.locator("input").first.fill("me")
        page.fill("input[type=password]", "secret")
        page.keyboard.press("Enter")
        page.wait_for_selector("#start:visible")
        page.goto(f"{url}/direct")
        page.click("voice-call .fab")
        begin(page)
