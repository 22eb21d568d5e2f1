"""The voice button in Chromium: it talks with the practice server, and fails in sentences."""

import json
import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.button import (
    CHANNELS,
    FALLS_SILENT,
    HEARS_SOUND,
    IMPATIENT,
    LIMIT_MS,
    begin,
    comes_back,
    part,
    say,
    settled,
)
from tests.browser.steps import ALL_CLOSED, Visit

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]


INTERJECTION = "thank you very much, that is enough for now"


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
    cut = page.locator("voice-call li.assistant").first
    expect(cut).to_contain_text("1, 2,")
    expect(cut.locator("del")).not_to_be_empty()
    expect(page.locator("voice-call li.user")).to_have_count(2, timeout=LIMIT_MS)


def test_words_come_as_they_sound(demo):
    page = demo()
    begin(page)
    say(page, "count to thirty")
    answer = page.locator("voice-call li.assistant")
    expect(answer).to_contain_text("2,", timeout=LIMIT_MS)
    assert "30" not in answer.inner_text()
    expect(answer).to_contain_text("30.", timeout=40_000)


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


def test_a_closed_overlay_shows_that_its_call_goes_on_and_the_next_one_works(demo):
    page = demo()
    for close in (lambda: page.keyboard.press("Escape"), part(page, "close").click):
        begin(page)
        close()
        expect(part(page, "panel")).to_be_hidden()
        button = expect(part(page, "fab"))
        button.to_have_attribute("data-live", "user")
        button.to_have_attribute("aria-label", "Call under way. Open it")
        assert page.evaluate("window.witness.tracks.some((t) => t.readyState === 'live')")
        assert page.evaluate("document.activeElement.tagName") == "VOICE-CALL"
        page.keyboard.press("Enter")
        expect(part(page, "panel")).to_be_visible()
        expect(part(page, "connection")).to_have_text("Connected")
        part(page, "start").click()
        page.wait_for_function(ALL_CLOSED)
        button.to_have_attribute("data-live", "")


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


def test_a_microphone_that_is_not_allowed_is_told(practice, denying, visit: Visit):
    page = visit(f"{practice}/direct", using=denying, ready="voice-call .fab")
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
def test_the_overlay_fits(practice, quiet, visit: Visit, width):
    page = visit(
        f"{practice}/direct",
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
