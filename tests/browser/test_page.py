"""The page in Chromium, with scripted calls in place of a model."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from components.core.conversation import Assistant, Connection, Message, Status, User
from tests.browser.conftest import RESULTS, Serve
from tests.browser.steps import (
    ALL_CLOSED,
    HEARS_SOUND,
    PAGE_MARKS,
    App,
    Visit,
    begin,
    notice,
    settle,
    state_of,
)

pytestmark = PAGE_MARKS


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

    # The handler sends twenty a second; a busy browser may draw half of them.
    expect(plot).not_to_have_attribute("data-points", "0")
    first = int(plot.get_attribute("data-points") or 0)
    enough = f"() => document.getElementById('levels').dataset.points >= {first + 80}"
    page.wait_for_function(enough, timeout=8000)
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


def test_the_cost_is_shown_once_it_is_known(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    cost = page.locator('#figures [data-figure="cost"]')
    page.click("#inspect")
    page.click("#tab-sound")
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
