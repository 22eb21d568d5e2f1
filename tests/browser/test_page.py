"""The page in Chromium, with scripted calls in place of a model."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from components.core.conversation import (
    Assistant,
    Connection,
    Message,
    Status,
    User,
)
from tests.browser.conftest import RESULTS, Launch, Serve
from tests.browser.scripted import Control, ScriptedCall

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(120),
    # Of Gradio 6, which fastrtc refuses; and of Gradio's own use of its web framework.
    pytest.mark.filterwarnings("ignore:The '.*' parameter in the Blocks constructor"),
    pytest.mark.filterwarnings("ignore:The 'show_api' parameter"),
    pytest.mark.filterwarnings("ignore:The default value of 'allow_tags'"),
    pytest.mark.filterwarnings("ignore:'HTTP_422_UNPROCESSABLE_ENTITY' is deprecated"),
]

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


def state_of(page: Page, side: str) -> Any:
    return expect(page.locator(f"#{side}-status"))


def begin(page: Page, control: Control) -> ScriptedCall:
    """One click, and the call is on."""
    page.click("#start")
    call = control.call()
    state_of(page, "connection").to_have_text("Connected")
    return call


def settle(page: Page, connection: str) -> None:
    """The call is over, its sentence stands, and a new one can be started."""
    state_of(page, "connection").to_have_attribute("data-state", connection, timeout=15_000)
    expect(page.locator("#start")).to_have_text("Start call")
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator(".toast-body")).to_have_count(0)


def notice(page: Page) -> Any:
    return expect(page.locator("#notice"))


def stub_microphone(body: str) -> str:
    return f"navigator.mediaDevices.getUserMedia = async (constraints) => {{ {body} }};"


def test_one_click_starts_a_call_that_hears_and_is_heard(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    state_of(page, "connection").to_have_text("Idle")
    assert page.evaluate("window.witness.tracks.length") == 0

    call = begin(page, control)
    expect(page.locator("#start")).to_have_text("End call")
    assert call.heard.wait(20)

    call.change(assistant=Assistant.SPEAKING)
    assert page.evaluate(HEARS_SOUND)


def test_what_is_buffered_of_an_interrupted_reply_is_not_played(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    plays = "window.witness.peers[0].getReceivers()[0].track.enabled"
    assert page.evaluate(plays)

    call.raw({"type": "stop"})
    page.wait_for_function(f"!{plays}")
    page.wait_for_function(plays)


def test_hanging_up_closes_all_that_was_opened(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    page.click("#start")
    settle(page, "ended")
    assert call.next("hangup") == {"type": "hangup"}
    assert call.left.wait(20)
    page.wait_for_function(ALL_CLOSED)

    notice(page).to_be_empty()


def test_a_second_call_works_like_the_first(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    for words in ("The first call.", "The second call."):
        call = begin(page, control)
        assert call.heard.wait(20)
        call.change(messages=(Message("1", "user", Status.DONE, (words,)),))
        expect(page.locator("#transcript .user.message")).to_have_text([words])
        page.click("#start")
        settle(page, "ended")

    page.wait_for_function(ALL_CLOSED)


def test_a_call_can_be_cancelled_while_it_connects(serve: Serve, visit: Visit) -> None:
    url, control = serve()
    control.silent = True
    page = visit(url)

    page.click("#start")
    call = control.call()
    expect(page.locator("#start")).to_have_text("Connecting…")
    page.click("#start")

    settle(page, "ended")
    assert call.left.wait(20)
    page.wait_for_function(ALL_CLOSED)


def test_a_denied_microphone_is_explained_and_can_be_tried_again(
    app: App, visit: Visit, launch: Launch
) -> None:
    url, _ = app
    page = visit(url, using=launch(allow=False))
    for _ in range(2):
        page.click("#start")
        settle(page, "failed")
        notice(page).to_contain_text("does not allow the microphone")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotFoundError", "No microphone was found"),
        ("NotReadableError", "in use by another program"),
        ("AbortError", "does not start: because"),
    ],
)
def test_a_missing_microphone_is_explained(
    app: App, visit: Visit, error: str, sentence: str
) -> None:
    url, _ = app
    page = visit(url, script=stub_microphone(f"throw new DOMException('because', '{error}');"))

    page.click("#start")
    settle(page, "failed")

    notice(page).to_contain_text(sentence)


def test_a_microphone_that_cannot_grant_the_wishes_is_taken_as_it_is(
    app: App, visit: Visit
) -> None:
    url, control = app
    refuse = """
      if (constraints.audio !== true) throw new DOMException("no", "OverconstrainedError");
      return window.plain(constraints);"""
    keep = "window.plain = navigator.mediaDevices.getUserMedia;"
    page = visit(url, script=keep + stub_microphone(refuse))

    assert begin(page, control).heard.wait(20)


def test_a_visitor_who_has_not_answered_is_told_what_the_browser_asks(
    app: App, visit: Visit
) -> None:
    url, control = app
    wait = (
        "await new Promise((done) => { window.allow = done; }); return window.plain(constraints);"
    )
    keep = "window.plain = navigator.mediaDevices.getUserMedia;"
    page = visit(url, script=keep + stub_microphone(wait))

    page.click("#start")
    notice(page).to_contain_text("Allow it to begin")
    page.evaluate("window.allow()")

    state_of(page, "connection").to_have_text("Connected")
    notice(page).to_be_empty()
    assert control.call()


def test_an_insecure_page_says_so_before_anyone_tries(app: App, visit: Visit) -> None:
    url, _ = app
    page = visit(
        url, script="Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
    )
    notice(page).to_contain_text("only on secure pages")

    page.click("#start")
    settle(page, "failed")

    notice(page).to_contain_text("only on secure pages")


def test_a_microphone_that_is_unplugged_is_explained(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    page.evaluate("window.witness.tracks[0].dispatchEvent(new Event('ended'))")
    notice(page).to_contain_text("The microphone stopped")
    call.change(user=User.LISTENING, assistant=Assistant.THINKING)
    state_of(page, "assistant").to_have_text("Thinking")

    notice(page).to_contain_text("The microphone stopped")


def test_a_full_app_says_how_many_calls_it_takes(serve: Serve, visit: Visit) -> None:
    url, control = serve(max_calls=1)
    first, second = visit(url), visit(url)
    call = begin(first, control)

    second.click("#start")
    settle(second, "failed")
    notice(second).to_contain_text("takes 1 at a time")
    second.wait_for_function(ALL_CLOSED)

    first.click("#start")
    assert call.left.wait(20)
    begin(second, control)
    notice(second).to_be_empty()


def test_an_app_that_is_gone_is_noticed(app: App, visit: Visit) -> None:
    url, _ = app
    page = visit(url)
    page.route("**/component_server/", lambda route: route.abort())

    page.click("#start")
    settle(page, "failed")

    notice(page).to_contain_text("The app does not answer")


def test_missing_turn_credentials_are_explained(serve: Serve, visit: Visit) -> None:
    def credentials() -> dict[str, Any]:
        raise RuntimeError("The TURN provider refused the account.")

    url, _ = serve(rtc=credentials)
    page = visit(url)

    page.click("#start")
    settle(page, "failed")

    notice(page).to_have_text("The TURN provider refused the account.")
    page.wait_for_function(ALL_CLOSED)


def test_no_way_through_the_network_is_said_within_ten_seconds(serve: Serve, visit: Visit) -> None:
    url, _ = serve(rtc={"iceServers": [], "iceTransportPolicy": "relay"})
    page = visit(url)

    page.click("#start")
    settle(page, "failed")

    notice(page).to_contain_text("No connection to the app within 10 seconds")
    page.wait_for_function(ALL_CLOSED)


def test_the_handlers_last_word_ends_the_call_and_stays(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    call.change(connection=Connection.FAILED, notice="The key was refused. Check OPENAI_API_KEY.")
    settle(page, "failed")
    notice(page).to_have_text("The key was refused. Check OPENAI_API_KEY.")
    assert call.left.wait(20)
    page.wait_for_function(ALL_CLOSED)

    begin(page, control)
    notice(page).to_be_empty()


def test_a_call_closed_by_fastrtc_is_explained_without_a_toast(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    call.raw({"type": "end_stream", "data": "Time is up."})
    settle(page, "failed")

    notice(page).to_have_text("Time is up.")
    assert call.left.wait(20)


SET_STATES = """([peer, ice]) => {
  const pc = window.witness.peers[0];
  for (const [name, value] of [["connectionState", peer], ["iceConnectionState", ice]]) {
    Object.defineProperty(pc, name, { configurable: true, get: () => value });
    pc.dispatchEvent(new Event(name.toLowerCase() + "change"));
  }
}"""


def test_a_blip_of_the_network_does_not_end_the_call(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    page.evaluate(SET_STATES, ["disconnected", "disconnected"])
    state_of(page, "connection").to_have_text("Reconnecting")
    page.evaluate(SET_STATES, ["connected", "connected"])
    state_of(page, "connection").to_have_text("Connected")

    page.fill("#say", "Still here?")
    page.click("#send")
    assert call.next("say")["text"] == "Still here?"


def test_the_stock_component_draws_nothing(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    begin(page, control)

    expect(page.locator("#call audio")).to_have_count(1)
    expect(page.locator("#call .wave-path")).to_have_count(0)
    states = page.evaluate("window.witness.contexts.map((context) => context.state)")
    assert set(states) == {"suspended"}


def test_the_plot_follows_both_voices(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    plot = page.locator("#levels")
    expect(page.locator(".rv-plot-empty")).to_be_visible()
    call = begin(page, control)
    call.change(user=User.SPEAKING, assistant=Assistant.SPEAKING)

    # The handler sends twenty a second; four seconds' worth within five is at least sixteen.
    expect(plot).not_to_have_attribute("data-points", "0")
    first = int(plot.get_attribute("data-points") or 0)
    enough = f"() => document.getElementById('levels').dataset.points >= {first + 80}"
    page.wait_for_function(enough, timeout=5000)
    assert int(plot.get_attribute("data-frames") or 0) >= 40
    expect(page.locator(".rv-plot-empty")).to_be_hidden()
    before = plot.screenshot()
    page.wait_for_function(enough.replace(str(first + 80), str(first + 90)))
    assert plot.screenshot() != before

    page.click("#start")
    settle(page, "ended")
    frames = plot.get_attribute("data-frames")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert plot.get_attribute("data-frames") == frames


def test_the_labels_follow_the_states(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    state_of(page, "user").to_have_text("Idle")
    call = begin(page, control)

    for user, assistant in (
        (User.LISTENING, Assistant.IDLE),
        (User.SPEAKING, Assistant.IDLE),
        (User.LISTENING, Assistant.THINKING),
        (User.SPEAKING, Assistant.SPEAKING),
    ):
        call.change(user=user, assistant=assistant)
        state_of(page, "user").to_have_attribute("data-state", user)
        state_of(page, "user").to_have_text(user.capitalize())
        state_of(page, "assistant").to_have_attribute("data-state", assistant)

    call.change(connection=Connection.RECONNECTING)
    state_of(page, "connection").to_have_text("Reconnecting")
    expect(page.locator("#start")).to_have_text("End call")


def test_words_appear_as_they_come(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    asked = Message("1", "user", Status.PENDING)
    bubbles = page.locator("#transcript .message-content")

    call.change(messages=(asked,))
    expect(bubbles).to_have_text(["…"])
    asked = Message("1", "user", Status.DONE, ("What time is it?",))
    text = "It is noon."
    for heard in (2, 5, 11):
        reply = Message("2", "assistant", Status.STREAMING, (text,), heard)
        call.change(assistant=Assistant.SPEAKING, messages=(asked, reply))
        expect(bubbles).to_have_text(["What time is it?", text[:heard]])
    reply = Message("2", "assistant", Status.INTERRUPTED, (text,), 5)
    call.change(assistant=Assistant.IDLE, messages=(asked, reply))

    expect(bubbles.nth(1).locator("del")).to_have_text("noon.")
    expect(bubbles.nth(1).locator(".mark")).to_have_text("interrupted")


def test_words_that_will_never_come_are_not_waited_for(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    call.change(messages=(Message("1", "user", Status.PENDING),))
    waiting = page.locator("#transcript .waiting")
    expect(waiting).to_be_visible()

    page.click("#start")
    settle(page, "ended")

    expect(waiting).to_be_hidden()


def test_text_is_shown_as_it_is(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    nasty = (
        "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> &amp; "
        "**bold** _it_ # head `code` $x^2$ [a](javascript:alert(1)) <think>hm</think>"
    )
    long = "x" * 3000
    right_to_left = "مرحبا، كيف حالك؟"
    call.change(
        messages=(
            Message("1", "user", Status.DONE, (nasty,)),
            Message("2", "assistant", Status.DONE, (nasty,)),
            Message("3", "assistant", Status.DONE, (long,)),
            Message("4", "user", Status.DONE, (right_to_left,)),
        )
    )

    words = page.locator("#transcript .words")
    expect(words).to_have_text([nasty, nasty, long, right_to_left])
    assert page.evaluate("window.hacked") is None
    assert words.nth(3).evaluate("e => getComputedStyle(e).unicodeBidi") == "plaintext"
    assert overflow(page) <= 0


def test_two_visitors_see_their_own_words_at_the_same_time(app: App, visit: Visit) -> None:
    url, control = app
    pages = [visit(url), visit(url)]
    calls = [begin(page, control) for page in pages]

    for number, call in enumerate(calls):
        call.change(messages=(Message("1", "user", Status.DONE, (f"I am number {number}.",)),))

    for number, page in enumerate(pages):
        bubbles = page.locator("#transcript .user.message")
        expect(bubbles).to_have_text([f"I am number {number}."])


def test_a_typed_turn_reaches_the_handler(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    line = page.locator("#say")
    expect(line).to_be_disabled()
    expect(line).to_have_attribute("placeholder", "Start the call, then type here")
    call = begin(page, control)

    line.fill("  Tell me a “story” ")
    line.press("Enter")
    assert call.next("say")["text"] == "Tell me a “story”"
    expect(line).to_have_value("")
    expect(line).to_be_focused()

    line.fill(" ")
    page.click("#send")
    line.fill("Go on")
    page.click("#send")
    assert call.next("say")["text"] == "Go on"


def test_mute_silences_the_track_and_tells_the_handler(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    expect(page.locator("#mute")).to_be_disabled()
    call = begin(page, control)

    for on in (True, False):
        page.click("#mute")
        assert call.next("mute") == {"type": "mute", "on": on}
        expect(page.locator("#mute")).to_have_attribute("aria-pressed", json.dumps(on))
        assert page.evaluate(
            f"window.witness.tracks.every((track) => track.enabled === {json.dumps(not on)})"
        )


def test_interrupt_is_there_while_the_assistant_answers(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    button = page.locator("#interrupt")
    call = begin(page, control)
    expect(button).to_be_disabled()

    call.change(assistant=Assistant.THINKING)
    expect(button).to_be_enabled()
    button.click()
    assert call.next("interrupt") == {"type": "interrupt"}
    call.change(assistant=Assistant.SPEAKING)
    page.keyboard.press("Escape")
    assert call.next("interrupt") == {"type": "interrupt"}

    call.change(assistant=Assistant.IDLE)
    expect(button).to_be_disabled()


def test_push_to_talk_by_mouse_and_by_space(serve: Serve, visit: Visit) -> None:
    url, control = serve(turn_detection="push_to_talk")
    page = visit(url)
    button = page.locator("#talk")
    call = begin(page, control)
    expect(button).to_be_enabled()

    button.hover()
    page.mouse.down()
    assert call.next("talk")["down"] is True
    page.mouse.up()
    assert call.next("talk")["down"] is False
    button.focus()
    page.keyboard.down("Space")
    assert call.next("talk")["down"] is True
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    assert call.next("talk")["down"] is False


def test_the_talk_button_is_hidden_otherwise(app: App, visit: Visit) -> None:
    url, _ = app

    expect(visit(url).locator("#talk")).to_be_hidden()


def test_the_browser_reports_how_long_it_holds_sound_back(app: App, visit: Visit) -> None:
    url, control = app
    call = begin(visit(url), control)
    call.change(assistant=Assistant.SPEAKING)

    report = call.next("playout")

    assert 0 < report["delay_ms"] < 1000
    assert report["rtt_ms"] >= 0
    assert report["lost"] == 0


def test_a_notice_is_shown_from_the_start_and_gone_with_the_call(
    serve: Serve, visit: Visit
) -> None:
    url, control = serve(notice="The practice voice is missing.")
    page = visit(url)
    notice(page).to_have_text("The practice voice is missing.")

    begin(page, control)

    notice(page).to_be_empty()


def test_a_refusal_is_told_in_the_apps_own_words(serve: Serve, visit: Visit) -> None:
    url, control = serve(max_starts_per_minute=1)
    page = visit(url)
    begin(page, control)
    page.click("#start")
    settle(page, "ended")

    page.click("#start")
    settle(page, "failed")

    notice(page).to_contain_text("Too many calls were started from here")
    page.wait_for_function(ALL_CLOSED)


def test_a_login_that_ran_out_is_explained(app: App, visit: Visit) -> None:
    url, _ = app
    page = visit(url)
    page.route("**/component_server/", lambda route: route.fulfill(status=401, body="{}"))

    page.click("#start")
    settle(page, "failed")

    notice(page).to_contain_text("asks for its login again")


def test_sound_that_the_browser_holds_back_comes_with_a_click(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    page.evaluate("document.querySelector('#call audio').pause()")

    call.change(assistant=Assistant.SPEAKING)
    notice(page).to_contain_text("Click anywhere on this page")
    page.click("h1")

    notice(page).to_be_empty()
    assert page.evaluate("document.querySelector('#call audio').paused") is False


@pytest.mark.parametrize("hold", ["muted = true", "volume = 0"])
def test_a_player_that_was_turned_down_is_told(app: App, visit: Visit, hold: str) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    page.evaluate(f"document.querySelector('#call audio').{hold}")

    call.change(assistant=Assistant.SPEAKING)
    notice(page).to_contain_text("Click anywhere on this page")
    page.click("h1")

    notice(page).to_be_empty()


def test_a_voice_without_sound_is_told_until_it_sounds(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    control.mute = True
    call.change(assistant=Assistant.SPEAKING)
    notice(page).to_contain_text("this browser plays nothing")

    control.mute = False
    notice(page).to_be_empty()


def test_a_voice_without_sound_is_forgotten_when_it_ends(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    control.mute = True
    call.change(assistant=Assistant.SPEAKING)
    notice(page).to_contain_text("this browser plays nothing")

    call.change(assistant=Assistant.IDLE)
    control.mute = False
    notice(page).to_be_empty()


def test_a_voice_that_sounds_needs_no_words(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    page.evaluate(WATCH_NOTICE)
    call.change(assistant=Assistant.SPEAKING)
    for _ in range(5):
        call.next("playout")

    assert page.evaluate("window.notices") == []


WATCH_NOTICE = """() => {
  window.notices = [];
  const notice = document.getElementById("notice");
  const note = () => notice.textContent && window.notices.push(notice.textContent);
  new MutationObserver(note).observe(notice, { childList: true });
}"""


def test_the_cost_is_shown_once_it_is_known(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    cost = page.locator('#timing [data-figure="cost"]')
    expect(cost).to_be_hidden()
    call = begin(page, control)
    expect(cost).to_be_hidden()

    for dollars, text in (
        (0, "$0.00"),
        (0.00004, "< $0.0001"),
        (0.0123, "$0.0123"),
        (0.456, "$0.46"),
        (12.3, "$12.30"),
    ):
        call.change(cost=dollars)
        expect(cost).to_have_text(text)
        expect(cost).to_be_visible()

    page.click("#start")
    settle(page, "ended")
    expect(cost).to_have_text("$12.30")


def test_what_was_said_stays_over_calls_and_reloads_until_it_is_forgotten(
    app: App, visit: Visit
) -> None:
    url, control = app
    page = visit(url)
    anew = page.locator("#new-conversation")
    words = page.locator("#transcript .user.message")
    expect(anew).to_be_disabled()
    call = begin(page, control)
    call.change(messages=(Message("1", "user", Status.DONE, ("Remember this.",)),))
    expect(words).to_have_text(["Remember this."])
    expect(anew).to_be_disabled()
    page.click("#start")
    settle(page, "ended")
    key = key_of(page)

    page.reload()
    expect(words).to_have_text(["Remember this."])
    expect(page.locator(".rv-empty")).to_have_count(0)
    assert key_of(page) == key
    begin(page, control)
    expect(words).to_have_text(["Remember this."])
    page.click("#start")
    settle(page, "ended")

    anew.click()
    expect(words).to_have_count(0)
    expect(page.locator(".rv-empty").first).to_be_visible()
    expect(anew).to_be_disabled()
    assert not control.past(key).messages
    assert key_of(page) != key
    page.reload()
    expect(page.locator(".rv-empty").first).to_be_visible()
    begin(page, control)
    expect(words).to_have_count(0)


def key_of(page: Page) -> str:
    page.wait_for_selector("#start:visible")
    return str(page.evaluate("window.realtimeVoice.key()"))


def test_each_tab_is_a_caller_of_its_own(app: App, visit: Visit) -> None:
    url, _ = app
    page = visit(url)
    page.reload()
    other = page.context.new_page()
    other.goto(url)
    with page.expect_popup() as copied:  # a tab opened by another starts with its storage
        page.evaluate("window.open(location.href)")

    keys = [key_of(one) for one in (page, other, copied.value)]
    assert len(set(keys)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_without_storage_calls_work_and_a_reload_forgets(app: App, visit: Visit) -> None:
    url, control = app
    block = "Object.defineProperty(window, 'sessionStorage', { get() { throw new Error(); } });"
    page = visit(url, script=block)
    key = key_of(page)
    begin(page, control)

    page.reload()

    assert key_of(page) != key


def test_a_note_stands_between_the_messages(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    call.change(
        messages=(
            Message("1", "assistant", Status.DONE, ("It is noon.",)),
            Message("2", "note", Status.DONE, ("session renewed",)),
        )
    )
    note = page.locator("#transcript .note")
    expect(note).to_have_text("session renewed")
    colours = "e => getComputedStyle(e).backgroundColor"
    bubble = page.locator("#transcript .bot.message").nth(1)
    assert bubble.evaluate(colours) == "rgba(0, 0, 0, 0)"
    inner, outer = note.bounding_box(), page.locator("#transcript").bounding_box()
    assert inner is not None
    assert outer is not None
    assert abs(inner["x"] + inner["width"] / 2 - outer["x"] - outer["width"] / 2) < 12


def test_leaving_the_page_ends_the_call(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)

    page.goto("about:blank")

    assert call.left.wait(10)


def test_nothing_is_asked_of_another_host(app: App, visit: Visit) -> None:
    url, control = app
    page = visit("about:blank", ready=None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    begin(page, control)
    page.click("#start")
    settle(page, "ended")

    assert [a for a in asked if not a.startswith((url, "data:", "blob:"))] == []
    assert len(asked) > 5


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_and_follows_the_theme(
    app: App, visit: Visit, scheme: str, width: int
) -> None:
    url, control = app
    page = visit(url, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert overflow(page) <= 0
    call = begin(page, control)
    call.change(
        cost=0.0123,
        assistant=Assistant.SPEAKING,
        notice="The practice ears are missing, so it cannot make out words.",
        messages=(
            Message("1", "user", Status.DONE, ("What is the weather like in Lisbon today?",)),
            Message("2", "note", Status.DONE, ("session renewed",)),
            Message("3", "assistant", Status.INTERRUPTED, ("It is sunny, with a light wind.",), 12),
        ),
    )
    expect(page.locator("#transcript .mark")).to_be_visible()
    RESULTS.mkdir(exist_ok=True)
    page.screenshot(path=RESULTS / f"page-{scheme}-{width}.png", full_page=True)

    assert overflow(page) <= 0
    for part in (
        "#start",
        "#mute",
        "#interrupt",
        "#levels",
        "#transcript",
        "#say",
        "#send",
        "#new-conversation",
    ):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    colour = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    red = int(re.findall(r"\d+", colour)[0])
    assert (red < 60) is (scheme == "dark")
