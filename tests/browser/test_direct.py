"""The Direct tab and the voice button on other pages, with the app and the practice server."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.button import (
    CHANNELS,
    IMPATIENT,
    LIMIT_MS,
    begin,
    comes_back,
    part,
    say,
    settled,
)
from tests.browser.steps import ALL_CLOSED, Visit
from tests.running import running_app

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]


NONE_YET = "\N{EN DASH}"


def test_the_tab_shows_what_the_server_sees_of_the_call(practice, says, visit: Visit):
    page = visit(practice, using=says(3.0, "what time is it", 30.0), script=CHANNELS)
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


def test_the_tab_follows_a_call_that_is_made_again(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet, script=CHANNELS)
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


def test_a_function_runs_on_the_server_and_both_transcripts_tell_of_it(
    practice, quiet, visit: Visit
):
    page = visit(practice, using=quiet, script=CHANNELS)
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


def test_a_page_of_another_port_gets_no_token(practice, quiet, visit: Visit, tmp_path):
    with running_app(tmp_path) as other:
        page = visit(f"{other}/direct", using=quiet, ready="voice-call .fab")
        page.click("voice-call .fab")
        page.evaluate(
            "url => document.querySelector('voice-call').setAttribute('token-url', url)",
            f"{practice}/api/realtime/token",
        )
        part(page, "start").click()

        expect(part(page, "connection")).to_have_text("Failed", timeout=LIMIT_MS)
        expect(part(page, "notice")).to_contain_text("may not use the voice button")
        page.wait_for_function(ALL_CLOSED)


def test_a_page_that_is_allowed_may_talk(quiet, visit: Visit, tmp_path, practice):
    with running_app(tmp_path, DIRECT_ORIGINS=practice) as other:
        page = visit(f"{practice}/direct", using=quiet, ready="voice-call .fab", script=CHANNELS)
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
