"""The page in Chromium when its connection is lost: it comes back to its call, or says why not."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from components.core.conversation import Assistant, Message, Status
from tests.browser.conftest import Serve
from tests.browser.scripted import Control, ScriptedCall
from tests.browser.steps import (
    ALL_CLOSED,
    EVENTS,
    HEARS_SOUND,
    PAGE_MARKS,
    SET_STATES,
    TWO_FRAMES,
    App,
    Visit,
    begin,
    notice,
    settle,
    state_of,
)

pytestmark = PAGE_MARKS

REQUESTS = "**/component_server/"
ASKED = "window.asked = 0; const ask = navigator.mediaDevices.getUserMedia; " + (
    "navigator.mediaDevices.getUserMedia = (wishes) => { window.asked += 1; return ask(wishes); };"
)


def back(page: Page, control: Control, call: ScriptedCall) -> None:
    """The page has come back to the same call."""
    assert control.call() is call
    state_of(page, "connection").to_have_text("Connected", timeout=15_000)


def offers_of(page: Page) -> list[dict[str, Any]]:
    """Fills with the offers that this page makes."""
    offers: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if "/component_server" in request.url:
            body = json.loads(request.post_data or "{}")
            if body["data"] and body["data"].get("type") == "offer":
                offers.append(body)

    page.on("request", note)
    return offers


def said(*texts: str) -> tuple[Message, ...]:
    return tuple(
        Message(str(number), "user", Status.DONE, (text,)) for number, text in enumerate(texts)
    )


def words(page: Page) -> Any:
    return expect(page.locator("#transcript .user.message"))


def test_a_lost_connection_is_made_anew_for_the_same_call(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url, script=ASKED)
    offers = offers_of(page)
    call = begin(page, control)
    assert call.heard.wait(20)
    call.change(messages=said("Before."))
    words(page).to_have_text(["Before."])

    call.heard.clear()
    call.drop()
    back(page, control, call)

    assert call.heard.wait(20)
    call.change(messages=said("Before.", "After."), assistant=Assistant.SPEAKING)
    words(page).to_have_text(["Before.", "After."])
    assert page.evaluate(HEARS_SOUND)
    notice(page).to_be_empty()
    first, second = [offer["data"] for offer in offers]
    assert first["rejoin"] is False
    assert second["rejoin"] is True
    assert first["key"] == second["key"] == page.evaluate("window.realtimeVoice.key()")
    assert page.evaluate("window.asked") == 1
    page.click("#start")
    settle(page, "ended")
    assert call.next("hangup")
    page.wait_for_function(ALL_CLOSED)


@pytest.mark.parametrize("states", [["failed", "failed"], ["disconnected", "disconnected"]])
def test_a_connection_that_does_not_recover_is_made_anew(
    app: App, visit: Visit, states: list[str]
) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    page.evaluate(SET_STATES, states)
    back(page, control, call)

    page.fill("#say", "Still here?")
    page.click("#send")
    assert call.next("say")["text"] == "Still here?"
    closed = "window.witness.peers[0].signalingState"
    assert page.evaluate(closed) == "closed"


DEAF = """
const add = RTCDataChannel.prototype.addEventListener;
RTCDataChannel.prototype.addEventListener = function (name, handle) {
  add.call(this, name, (event) => {
    if (name !== "message" || !window.deaf) handle.call(this, event);
  });
};"""
"""Nothing that the app says arrives, while `window.deaf`."""


LOSSY = """
window.taken = [];
const pass = RTCDataChannel.prototype.send;
RTCDataChannel.prototype.send = function (text) {
  return window.cut ? window.taken.push(String(text)) : pass.call(this, text);
};"""
"""Nothing that the page says arrives, while `window.cut`."""


SENT = """
window.said = [];
const send = RTCDataChannel.prototype.send;
RTCDataChannel.prototype.send = function (text) {
  if (String(text).includes('"say"')) window.said.push(window.witness.peers.length);
  return send.call(this, text);
};"""
"""By which connection each line went, in `window.said`."""


def test_an_app_that_falls_silent_is_joined_anew(app: App, visit: Visit) -> None:
    """Before the browser itself finds that the connection is broken."""
    url, control = app
    page = visit(url, script=DEAF)
    call = begin(page, control)

    page.evaluate("window.deaf = true")
    state_of(page, "connection").to_have_text("Reconnecting")
    assert page.evaluate("window.witness.peers[0].iceConnectionState") == "connected"
    page.wait_for_function("window.witness.peers.length === 2")
    page.evaluate("window.deaf = false")

    back(page, control, call)


@pytest.mark.parametrize("lost", [True, False])
def test_a_line_typed_while_the_app_is_silent_is_said_when_it_is_back(
    app: App, visit: Visit, lost: bool
) -> None:
    url, control = app
    page = visit(url, script=DEAF + SENT)
    call = begin(page, control)

    page.evaluate("window.deaf = true")
    state_of(page, "connection").to_have_text("Reconnecting")
    page.fill("#say", "Still here?")
    page.click("#send")
    if lost:
        page.wait_for_function("window.witness.peers.length === 2")
    page.evaluate("window.deaf = false")

    if lost:
        back(page, control, call)
    assert call.next("say")["text"] == "Still here?"
    assert page.evaluate("window.said") == [2 if lost else 1]


def test_a_line_that_a_cut_network_took_along_is_said_by_the_next_connection(
    app: App, visit: Visit
) -> None:
    """Before anybody can know that the network is cut."""
    url, control = app
    page = visit(url, script=LOSSY)
    call = begin(page, control)
    page.fill("#say", "Heard?")
    page.click("#send")
    assert call.next("say")["text"] == "Heard?"

    page.evaluate("window.cut = true")
    page.fill("#say", "Still here?")
    page.click("#send")
    page.wait_for_function("window.taken.some((text) => text.includes('Still here?'))")
    call.drop()
    page.evaluate("window.cut = false")
    back(page, control, call)
    assert call.next("say")["text"] == "Still here?"
    assert not [each for each in list(call.received.queue) if each.get("text") == "Heard?"]


def test_a_pause_of_the_app_is_not_a_loss(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url, script=DEAF)
    begin(page, control)

    page.evaluate("window.deaf = true")
    state_of(page, "connection").to_have_text("Reconnecting")
    page.evaluate("window.deaf = false")
    state_of(page, "connection").to_have_text("Connected")

    assert page.evaluate("window.witness.peers.length") == 1


def test_a_call_survives_one_loss_after_another(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    for _ in range(3):
        call.left.clear()
        call.drop()
        assert call.left.wait(20)
        back(page, control, call)

    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)


def test_a_page_that_comes_back_says_that_it_is_muted(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    page.click("#mute")
    assert call.next("mute")["on"] is True

    call.drop()
    back(page, control, call)

    assert call.next("mute")["on"] is True
    expect(page.locator("#mute")).to_have_text("Muted")
    assert page.evaluate("window.witness.tracks.every((track) => !track.enabled)")


def test_a_talk_button_held_over_a_loss_is_released(serve: Serve, visit: Visit) -> None:
    url, control = serve(turn_detection="push_to_talk")
    page = visit(url)
    call = begin(page, control)
    page.locator("#talk").hover()
    page.mouse.down()
    assert call.next("talk")["down"] is True

    call.drop()
    back(page, control, call)

    assert call.next("talk")["down"] is False


def test_a_call_that_ended_meanwhile_is_explained(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    call.drop(over=True)
    settle(page, "failed")

    notice(page).to_contain_text("The call has ended meanwhile")
    page.wait_for_function(ALL_CLOSED)
    assert begin(page, control) is not call
    notice(page).to_be_empty()


def test_an_app_that_does_not_answer_is_asked_again(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    tries: list[str] = []

    def refuse(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) == 1:
            route.abort()
        elif len(tries) == 2:
            route.fulfill(status=502, body="Bad gateway")
        else:
            route.continue_()

    page.route(REQUESTS, refuse)
    call.drop()
    state_of(page, "connection").to_have_text("Reconnecting")
    notice(page).to_contain_text("tries to get it back")
    expect(page.locator("#start")).to_have_text("End call")
    state_of(page, "connection").to_have_text("Connected", timeout=15_000)

    assert control.call() is call
    notice(page).to_be_empty()
    expect(page.locator(".toast-body")).to_have_count(0)


def test_coming_back_can_be_given_up_at_once(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    page.route(REQUESTS, lambda route: route.abort())
    call.drop()
    notice(page).to_contain_text("tries to get it back")

    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)

    page.unroute(REQUESTS)
    begin(page, control)
    notice(page).to_be_empty()


RELAY_ALONE = """
window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
  construct: (Native, [options]) =>
    new Native({ ...options, iceTransportPolicy: window.blocked ? "relay" : "all" }),
});"""


@pytest.mark.parametrize("blocked", ["requests", "sound"])
def test_after_twenty_seconds_the_loss_is_told(app: App, visit: Visit, blocked: str) -> None:
    url, control = app
    page = visit(url, script=RELAY_ALONE)
    call = begin(page, control)
    if blocked == "requests":
        page.route(REQUESTS, lambda route: route.abort())
    page.evaluate("(yes) => { window.blocked = yes; }", blocked == "sound")

    call.drop()
    notice(page).to_contain_text("The connection to the app was lost", timeout=40_000)
    settle(page, "failed")
    page.wait_for_function(ALL_CLOSED)

    page.unroute(REQUESTS)
    page.evaluate("window.blocked = false")
    begin(page, control)
    notice(page).to_be_empty()


def test_the_transcript_survives_a_cut_network(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    call.change(messages=said("Before."))
    words(page).to_have_text(["Before."])

    page.context.set_offline(True)
    call.drop()
    notice(page).to_contain_text("tries to get it back")
    call.change(messages=said("Before.", "Meanwhile."))
    page.context.set_offline(False)
    back(page, control, call)

    words(page).to_have_text(["Before.", "Meanwhile."])
    call.change(messages=said("Before.", "Meanwhile.", "After."))
    words(page).to_have_text(["Before.", "Meanwhile.", "After."])
    expect(page.locator(".toast-body")).to_have_count(0)


def test_the_transcript_survives_a_broken_stream_of_events(app: App, visit: Visit) -> None:
    """A proxy that ends the long request, while the sound flows on."""
    url, control = app
    page = visit(url, script=EVENTS)
    call = begin(page, control)
    call.change(messages=said("Before."))
    words(page).to_have_text(["Before."])

    spoken = ["Before."]
    with page.expect_request("**/queue/join*"):
        page.evaluate("window.streams[0].end()")
        for number in range(10):  # the app learns that nobody listens when it has more to tell
            spoken.append(f"After {number}.")
            call.change(messages=said(*spoken))
            page.wait_for_timeout(100)

    words(page).to_have_text(spoken)
    expect(page.locator(".toast-body")).to_have_count(0)


COUNT_NEWS = """() => {
  const { snapshots } = window.realtimeVoice;
  const { begin } = snapshots;
  window.news = 0;
  snapshots.begin = (...of) => {
    window.news += 1;
    begin(...of);
  };
}"""
"""Counts how often the page has heard of words, by its other connection."""


def test_words_that_a_broken_stream_took_along_are_asked_for_again(app: App, visit: Visit) -> None:
    """Though the app, which has written them, has nothing new to tell."""
    url, control = app
    page = visit(url, script=EVENTS)
    page.evaluate(COUNT_NEWS)
    call = begin(page, control)
    call.change(messages=said("Before."))
    words(page).to_have_text(["Before."])
    page.wait_for_function("window.news === 2")  # of the call, and of its first words

    page.evaluate("window.streams[0].silent = true")
    call.change(messages=said("Before.", "Lost."))
    page.wait_for_function("window.streams[0].lost && window.news === 3")
    page.evaluate(TWO_FRAMES)  # Gradio has seen that their event is under way
    page.evaluate("window.streams[0].end()")

    words(page).to_have_text(["Before.", "Lost."])


def test_words_asked_for_just_before_their_session_is_given_up_are_asked_for_again(
    app: App, visit: Visit
) -> None:
    """The app knows no such event under the new name, of which Gradio tells in a toast."""
    url, control = app
    page = visit(url)
    asked = []

    def begin_it_late(route: Route) -> None:
        asked.append(route.request.url)
        response = route.fetch()
        if len(asked) == 1:
            page.evaluate("window.realtimeVoice.gradio.renew()")
        route.fulfill(response=response)

    page.route("**/queue/join*", begin_it_late)
    call = begin(page, control)
    call.change(messages=said("Hello?"))

    words(page).to_have_text(["Hello?"])
    assert len(asked) > 1
    expect(page.locator(".toast-body")).to_have_count(0)


def test_a_stream_that_fell_silent_takes_no_words_along(app: App, visit: Visit) -> None:
    """The app still writes to it, as nothing has told it that nobody is there."""
    url, control = app
    page = visit(url, script=EVENTS)
    call = begin(page, control)
    call.change(messages=said("Before."))
    words(page).to_have_text(["Before."])

    page.evaluate("window.streams[0].silent = true")
    page.evaluate("window.witness.peers[0].close = () => {}")
    page.evaluate(SET_STATES, ["failed", "failed"])
    back(page, control, call)

    spoken = ["Before."]
    for number in range(5):
        spoken.append(f"After {number}.")
        call.change(messages=said(*spoken))
        words(page).to_have_text(spoken)


def test_an_unplugged_microphone_is_told_during_a_loss_too(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    page.route(REQUESTS, lambda route: route.abort())
    call.drop()
    notice(page).to_contain_text("tries to get it back")

    page.evaluate("window.witness.tracks[0].dispatchEvent(new Event('ended'))")
    notice(page).to_contain_text("The microphone stopped")
    page.unroute(REQUESTS)
    back(page, control, call)

    notice(page).to_contain_text("The microphone stopped")


DRAWN_AT_THE_EDGE = """() => {
  const canvas = document.getElementById("levels");
  const colour = getComputedStyle(canvas).getPropertyValue("--rv-user").trim();
  const [red, green, blue] = colour.match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
  const strip = Math.round(canvas.width / 20);
  const context = canvas.getContext("2d");
  const edge = canvas.width - 8 * devicePixelRatio - strip;
  const { data } = context.getImageData(edge, 0, strip, canvas.height);
  for (let at = 0; at < data.length; at += 4) {
    const far = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green);
    if (data[at + 3] > 200 && far + Math.abs(data[at + 2] - blue) < 30) return true;
  }
  return false;
}"""


def test_the_plot_goes_on_at_its_edge(app: App, visit: Visit) -> None:
    """The handler's clock may begin anew with the connection."""
    url, control = app
    page = visit(url)
    call = begin(page, control)
    drawn(page, 40)
    page.wait_for_function(DRAWN_AT_THE_EDGE)

    call.drop()
    back(page, control, call)
    drawn(page, 40)

    assert page.evaluate(DRAWN_AT_THE_EDGE)


def drawn(page: Page, more: int) -> None:
    """So many levels have come, at twenty a second."""
    plot = "document.getElementById('levels').dataset"
    page.evaluate(f"window.enough = Number({plot}.points) + {more}")
    page.wait_for_function(f"{plot}.points >= window.enough")
