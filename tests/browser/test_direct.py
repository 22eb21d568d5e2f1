"""The direct route, of the page and of the voice button elsewhere, with the practice server."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.button import (
    CHANNELS,
    IMPATIENT,
    LIMIT_MS,
    begin,
    part,
    say,
    settled,
)
from tests.browser.steps import ALL_CLOSED, EVENTS, Visit, settle, state_of
from tests.running import running_app

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]


NONE_YET = "\N{EN DASH}"


def take_direct_route(page):
    """The page's next call goes straight to the Realtime server."""
    page.click("#inspect")
    page.get_by_role("tab", name="Route").click()
    page.get_by_role("radio", name="Direct").check()


def call(page):
    page.click("#start")
    state_of(page, "connection").to_have_text("Connected", timeout=LIMIT_MS)


def type_line(page, line):
    page.fill("#say", line)
    page.press("#say", "Enter")


def test_the_page_shows_what_the_server_sees_of_a_direct_call(practice, says, visit: Visit):
    page = visit(practice, using=says(3.0, "what time is it", 30.0), script=CHANNELS)
    take_direct_route(page)
    figures = page.locator("#direct-timing dd")
    expect(figures).to_have_text([NONE_YET, "0"])
    call(page)

    expect(page.locator("#transcript .user.message")).to_have_text(
        "What time is it?", timeout=LIMIT_MS
    )
    expect(page.locator("#transcript .bot.message")).to_contain_text("It is", timeout=LIMIT_MS)
    expect(page.locator("#levels")).not_to_have_attribute("data-points", "0")
    state_of(page, "assistant").to_have_text("Idle", timeout=LIMIT_MS)
    expect(figures).to_have_text([re.compile(r"\d\.\d\d s"), re.compile("[1-9]")])
    page.click("#start")
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)
    state_of(page, "user").to_have_text("Idle")

    page.reload()
    expect(page.locator("#transcript .user.message")).to_have_text("What time is it?")


def test_there_is_one_call_at_a_time_and_leaving_its_route_ends_it(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet, script=CHANNELS)
    take_direct_route(page)
    call(page)

    page.get_by_role("radio", name="Through this app").check()
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)

    call(page)
    page.get_by_role("radio", name="Direct").check()
    settle(page, "ended")
    page.wait_for_function(ALL_CLOSED)


def test_a_direct_call_can_be_typed_only(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet, script=CHANNELS)
    take_direct_route(page)
    type_line(page, "what is 12 + 30?")

    expect(page.locator("#transcript .bot.message")).to_contain_text("42", timeout=LIMIT_MS)
    state_of(page, "user").to_have_text("Muted")
    page.click("#start")
    settle(page, "ended")
    assert page.evaluate("window.witness.tracks.length") == 0
    page.wait_for_function(
        "window.witness.peers.every((peer) => peer.connectionState === 'closed')"
        " && window.witness.contexts.every((context) => context.state === 'closed')"
    )


def test_a_direct_call_goes_on_from_what_the_tab_has_said_before(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet, script=CHANNELS)
    take_direct_route(page)
    lines, answers = [], []
    for button, line, answer in (
        ("Start call", "what is 12 + 30?", "42"),
        ("Continue", "how much is 2 times 4?", "8"),
    ):
        expect(page.locator("#start")).to_have_text(button)
        call(page)
        type_line(page, line)

        lines.append(line)
        answers.append(answer)
        transcript = page.locator("#transcript")
        expect(transcript.locator(".user.message")).to_have_text(lines, timeout=LIMIT_MS)
        expect(transcript.locator(".bot.message")).to_contain_text(answers, timeout=LIMIT_MS)
        page.click("#start")
        settle(page, "ended")


def test_the_page_follows_a_direct_call_that_is_made_again(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet, script=CHANNELS)
    take_direct_route(page)
    call(page)
    type_line(page, "what is 12 + 30?")
    expect(page.locator("#transcript .bot.message")).to_contain_text("42", timeout=LIMIT_MS)
    page.evaluate("window.channels.at(-1).close()")
    page.wait_for_function("window.channels.length === 2", timeout=LIMIT_MS)
    state_of(page, "connection").to_have_text("Connected", timeout=LIMIT_MS)

    type_line(page, "what is 3 times 5?")
    expect(page.locator("#transcript")).to_contain_text("15", timeout=LIMIT_MS)
    page.click("#start")
    settle(page, "ended")


def test_a_direct_call_is_followed_over_a_broken_stream_of_events(practice, quiet, visit: Visit):
    page = visit(practice, using=quiet, script=CHANNELS + EVENTS)
    take_direct_route(page)
    call(page)
    type_line(page, "what is 12 + 30?")
    expect(page.locator("#transcript .bot.message")).to_contain_text("42", timeout=LIMIT_MS)

    with page.expect_request("**/queue/join*"):
        page.evaluate("window.streams.at(-1).end()")
    type_line(page, "what is 3 times 5?")
    expect(page.locator("#transcript")).to_contain_text("15", timeout=LIMIT_MS)
    page.click("#start")
    settle(page, "ended")


def test_a_function_runs_on_the_server_and_the_transcript_tells_of_it(
    practice, quiet, visit: Visit
):
    page = visit(practice, using=quiet, script=CHANNELS)
    take_direct_route(page)
    call(page)
    type_line(page, "what time is it now in Tokyo")

    called = page.locator("#transcript .thought-group")
    expect(called).to_contain_text("world_clock", timeout=LIMIT_MS)
    expect(page.locator("#transcript")).to_contain_text("Asia/Tokyo", timeout=LIMIT_MS)
    called.locator(".title").click()
    expect(called.locator(".tool").last).to_contain_text("Asia/Tokyo")


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """The address of an app whose calls last three seconds."""
    with running_app(tmp_path_factory.mktemp("impatient"), MAX_CALL_SECONDS="3") as url:
        yield url


def test_a_call_that_was_too_long_is_not_begun_again(impatient, quiet, visit: Visit):
    page = visit(impatient, using=quiet, script=CHANNELS + IMPATIENT)
    take_direct_route(page)
    page.click("#start")

    state_of(page, "connection").to_have_text("Failed", timeout=LIMIT_MS)
    expect(page.locator("#notice")).to_contain_text("The time for this call is up")
    expect(page.locator("#route")).to_contain_text("The time for this call is up")


def test_limits_hold_for_the_button_on_any_page(impatient, quiet, visit: Visit):
    page = visit(
        f"{impatient}/direct", using=quiet, ready="voice-call .fab", script=CHANNELS + IMPATIENT
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
