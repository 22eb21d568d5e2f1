"""The page in Chromium: what it still shows after a call, and whom the app takes it for."""

import re

from playwright.sync_api import Page, expect

from components.core.conversation import Message, Status
from tests.browser.steps import (
    ALL_CLOSED,
    PAGE_MARKS,
    App,
    Visit,
    begin,
    notice,
    settle,
)

pytestmark = PAGE_MARKS


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
    page.click("#start")
    settle(page, "ended")
    expect(page.locator("#start")).to_have_text("Continue")
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
    expect(page.locator("#start")).to_have_text("Start call")
    assert not control.past(key).messages
    assert key_of(page) != key
    page.reload()
    expect(page.locator(".rv-empty").first).to_be_visible()
    begin(page, control)
    expect(words).to_have_count(0)


def test_what_a_call_still_shows_as_it_ends_does_not_come_back_after_it_is_forgotten(
    app: App, visit: Visit
) -> None:
    """The app shows a change at most ten times a second, so the last one comes after the end."""
    url, control = app
    page = visit(url)
    call = begin(page, control)
    call.change(messages=(Message("1", "user", Status.DONE, ("The first.",)),))
    expect(page.locator("#transcript .user.message")).to_have_text(["The first."])
    last = (*call.conversation.messages, Message("2", "user", Status.DONE, ("The last.",)))
    call.change(messages=last)
    page.evaluate(
        """() => {
          const count = () => document.querySelectorAll("#transcript .user.message").length;
          document.getElementById("start").click();
          document.getElementById("new-conversation").click();
          window.shown = [];
          new MutationObserver(() => window.shown.push(count()))
            .observe(document.getElementById("transcript"), { childList: true, subtree: true });
        }"""
    )

    expect(page.locator(".rv-empty").first).to_be_visible()
    begin(page, control)
    expect(page.locator("#transcript .user.message")).to_have_count(0)
    shown = page.evaluate("window.shown")
    assert set(shown[shown.index(0) :]) == {0}


def test_a_new_conversation_begins_in_a_call(app: App, visit: Visit) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    call.change(messages=(Message("1", "user", Status.DONE, ("Forget this.",)),))
    words = page.locator("#transcript .user.message")
    expect(words).to_have_text(["Forget this."])
    key = key_of(page)

    page.click("#new-conversation")

    assert control.call() is not call
    assert call.next("hangup")
    assert key_of(page) != key
    expect(words).to_have_count(0)
    expect(page.locator("#connection-status")).to_have_text("Connected")
    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)


def test_who_reloads_in_a_call_is_told_that_it_ended_and_what_start_does(
    app: App, visit: Visit
) -> None:
    url, control = app
    page = visit(url)
    call = begin(page, control)
    call.change(messages=(Message("1", "user", Status.DONE, ("Before.",)),))
    expect(page.locator("#transcript .user.message")).to_have_text(["Before."])

    page.reload()

    notice(page).to_have_text(
        "The call ended when this page was left. Continue goes on from what was said."
    )
    expect(page.locator("#start")).to_have_text("Continue")
    page.reload()
    page.wait_for_selector("#start:visible")
    notice(page).to_be_empty()


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
