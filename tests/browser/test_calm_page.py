"""The page in Chromium: its first minute, transcript and drawer, on screens of all sizes."""

import pytest
from playwright.sync_api import Browser, expect

from components.core.conversation import Assistant, Message, Status, User
from tests.browser.conftest import Serve
from tests.browser.steps import (
    ALL_CLOSED,
    PAGE_MARKS,
    App,
    Visit,
    begin,
    notice,
    settle,
    state_of,
)

pytestmark = PAGE_MARKS

LONG = " ".join(f"word{number}" for number in range(600))
REST_MS = 1500
FRAMES = """
window.lastFrame = 0;
const request = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => {
  window.lastFrame = performance.now();
  return request(draw);
};
"""
SCROLLS = "#transcript [role=log]"


def test_a_click_on_what_can_be_asked_says_it_without_a_microphone(
    serve: Serve, visit: Visit, denying: Browser
) -> None:
    url, control = serve(practice=True)
    page = visit(url, using=denying)

    page.get_by_role("button", name="Count to thirty, then talk over it").click()

    call = control.call()
    assert call.next("mute") == {"type": "mute", "on": True}
    assert call.next("say")["text"] == "Count to thirty"
    expect(page.locator("#say")).to_be_focused()
    page.click("#start")
    settle(page, "ended")
    page.wait_for_function("window.witness.contexts.every((context) => context.state === 'closed')")


def test_a_page_without_a_call_is_at_rest(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url, script=FRAMES)
    rests = f"performance.now() > window.lastFrame + {REST_MS}"
    page.wait_for_function(rests, polling=100)

    begin(page, control)
    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(rests, polling=100)


def test_a_line_typed_before_a_call_begins_one_and_is_said(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)

    page.fill("#say", "Hello?")
    page.press("#say", "Enter")

    assert control.call().next("say")["text"] == "Hello?"
    assert page.evaluate("window.witness.tracks.filter((one) => one.label.includes('Fake'))") == []


def test_who_types_only_can_take_the_microphone_after_all(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    page.click("#type-only")
    call = control.call()
    assert call.next("mute")["on"] is True
    state_of(page, "connection").to_have_text("Connected")

    page.get_by_role("button", name="Speak").click()

    assert call.next("mute")["on"] is False
    assert call.heard.wait(20)
    expect(page.locator("#mute")).to_have_text("Mute")
    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)


def stream(call: object, words: str) -> None:
    reply = Message("a", "assistant", Status.STREAMING, (words,))
    call.change(messages=(Message("u", "user", Status.DONE, ("Go on.",)), reply))  # type: ignore[attr-defined]


def test_who_reads_further_up_stays_there_and_who_is_at_the_end_follows(
    app: App, visit: Visit
) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    at_end = f"""() => {{ const e = document.querySelector("{SCROLLS}");
      return e.scrollHeight > e.clientHeight + 200
        && e.scrollHeight - e.scrollTop - e.clientHeight < 2; }}"""
    stream(call, LONG)
    page.wait_for_function(at_end)

    page.locator(SCROLLS).hover()
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"() => !({at_end})()")
    where = page.evaluate(f"document.querySelector('{SCROLLS}').scrollTop")
    for number in range(5):
        stream(call, f"{LONG} end{number}")
        expect(page.locator("#transcript")).to_contain_text(f"end{number}")
        assert page.evaluate(f"document.querySelector('{SCROLLS}').scrollTop") == where

    page.evaluate(f"document.querySelector('{SCROLLS}').scrollTop = 1e6")
    page.wait_for_function(at_end)
    stream(call, LONG + LONG)
    expect(page.locator("#transcript")).to_contain_text("word599word0")
    page.wait_for_function(at_end)


def test_selected_words_stay_selected_while_more_stream_in(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    stream(call, "One two three")
    words = page.locator("#transcript .bot.message .words")
    expect(words).to_have_text("One two three")
    page.evaluate(
        """() => {
          const text = document.querySelector("#transcript .bot.message .words").firstChild;
          getSelection().setBaseAndExtent(text, 4, text, 7);
        }"""
    )

    stream(call, "One two three four five")

    expect(words).to_have_text("One two three four five")
    assert page.evaluate("getSelection().toString()") == "two"


def test_a_message_can_be_copied_and_only_what_was_heard_of_it(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url, permissions=["clipboard-read", "clipboard-write"])
    call = begin(page, control)
    call.change(messages=(Message("a", "assistant", Status.INTERRUPTED, ("One two three.",), 8),))
    row = page.locator("#transcript .message-row")
    row.hover()
    row.get_by_role("button", name="Copy").click()

    expect(row.locator(".rv-copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "One two"


@pytest.mark.parametrize(
    ("form", "end", "text"),
    [
        ("Markdown", "md", "**You:** Remember this."),
        ("JSON", "json", '"text": "Remember this."'),
        ("Captions (WebVTT)", "vtt", "<v You>Remember this."),
    ],
)
def test_what_was_said_can_be_saved(app: App, visit: Visit, form: str, end: str, text: str) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    said = Message("1", "user", Status.DONE, ("Remember this.",), since_s=1.0, until_s=2.0)
    call.change(messages=(said,))
    page.get_by_text("Save", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=form).click()

    assert download.value.suggested_filename == f"conversation.{end}"
    assert text in download.value.path().read_text("utf-8")


def test_the_drawer_opens_by_button_or_key_and_is_remembered(app: App, visit: Visit) -> None:
    url, _ = app
    page = visit(url, viewport={"width": 1280, "height": 800})
    drawer, talk = page.locator("#drawer"), page.locator("#talk-to-it")
    expect(drawer).to_be_hidden()
    page.fill("#say", "")
    page.locator("#say").press_sequentially("hi")
    expect(drawer).to_be_hidden()

    page.locator("#inspect").focus()
    page.keyboard.press("i")
    expect(drawer).to_be_visible()
    expect(page.locator("#settings")).to_be_visible()
    page.click("#tab-sound")
    expect(page.locator("#history")).to_be_visible()
    assert width_of(talk) + width_of(drawer) == 1280
    before = width_of(drawer)
    page.locator("#drawer-edge").focus()
    page.keyboard.press("ArrowLeft")
    assert width_of(drawer) == before + 24

    page.reload()
    expect(page.locator("#history")).to_be_visible()
    assert width_of(drawer) == before + 24
    page.keyboard.press("i")
    expect(drawer).to_be_hidden()


@pytest.mark.parametrize(("width", "covered"), [(900, 900), (390, 390)])
def test_the_drawer_lies_over_a_narrow_page(
    app: App, visit: Visit, width: int, covered: int
) -> None:
    url, _ = app
    page = visit(url, viewport={"width": width, "height": 844})
    page.click("#inspect")

    assert width_of(page.locator("#talk-to-it")) == covered
    expect(page.get_by_role("tab", selected=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator("#inspect")).to_be_focused()


def width_of(locator: object) -> float:
    return float(locator.bounding_box()["width"])  # type: ignore[attr-defined]


def test_the_keyboard_reaches_nothing_of_the_stock_component_and_keeps_its_place(
    app: App, visit: Visit
) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    call.change(assistant=Assistant.SPEAKING)
    state_of(page, "assistant").to_have_text("Speaking")
    page.locator("#interrupt").focus()
    page.keyboard.press("Enter")
    assert call.next("interrupt")
    call.change(assistant=Assistant.IDLE)
    state_of(page, "assistant").to_have_text("Idle")
    expect(page.locator("#interrupt")).to_be_focused()

    for _ in range(30):
        page.keyboard.press("Tab")
        assert not page.evaluate("Boolean(document.activeElement.closest('#call'))")


def test_a_button_that_goes_leaves_the_keyboard_at_start(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    page.locator("#mute").focus()

    call.raw({"type": "end_stream", "data": "Time is up."})

    settle(page, "failed")
    expect(page.locator("#start")).to_be_focused()


def test_states_are_announced_in_one_polite_line(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    line = page.get_by_role("status").filter(has_text="Connected")
    call = begin(page, control)
    expect(line).to_have_text("Connected")

    call.change(user=User.MUTED, assistant=Assistant.THINKING)
    expect(line).to_have_text("Connected. Muted. Thinking")


def test_who_must_hold_a_button_is_not_listened_to_before(serve: Serve, visit: Visit) -> None:
    url, control = serve(turn_detection="push_to_talk")
    page = visit(url)
    call = begin(page, control)
    state_of(page, "user").to_have_text("Idle")

    page.locator("#talk").hover()
    page.mouse.down()
    assert call.next("talk")["down"] is True
    state_of(page, "user").to_have_text("Listening")
    page.mouse.up()
    state_of(page, "user").to_have_text("Idle")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1920, 1080)])
def test_the_bar_is_always_there_and_the_transcript_is_the_largest_part(
    app: App, visit: Visit, width: int, height: int
) -> None:
    url, control = app
    page = visit(url, viewport={"width": width, "height": height})
    call = begin(page, control)
    stream(call, LONG)
    expect(page.locator("#transcript")).to_contain_text("word599")

    words, bar = page.locator("#transcript").bounding_box(), page.locator(".rv-bar").bounding_box()
    assert words is not None
    assert bar is not None
    assert words["height"] > height * 0.45
    assert bar["width"] > width * 0.75
    assert height - 40 < bar["y"] + bar["height"] <= height
    assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_a_denied_microphone_leaves_the_way_to_type(
    app: App, visit: Visit, denying: Browser
) -> None:
    url, control = app
    page = visit(url, using=denying)
    page.click("#start")
    settle(page, "idle")
    notice(page).to_contain_text("You can also type only.")

    page.click("#type-only")

    assert control.call().next("mute")["on"] is True
