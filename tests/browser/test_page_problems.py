"""The page in Chromium when something is wrong: it says what, and can be used again."""

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from components.core.conversation import Assistant, Connection, Message, Status, User
from tests.browser.conftest import Serve
from tests.browser.gathering import gathering
from tests.browser.steps import (
    ALL_CLOSED,
    PAGE_MARKS,
    SET_STATES,
    WATCH_NOTICE,
    App,
    Visit,
    begin,
    notice,
    settle,
    state_of,
    stub_microphone,
)

pytestmark = PAGE_MARKS

MORE_WORDS = 7
"""So often, a second apart: the page looks four seconds after it has heard of words."""


def test_a_denied_microphone_is_explained_and_can_be_tried_again(
    app: App, visit: Visit, denying: Browser
) -> None:
    url, _ = app
    page = visit(url, using=denying)
    for _ in range(2):
        page.click("#start")
        settle(page, "idle")
        notice(page).to_contain_text("does not allow the microphone")
        notice(page).to_contain_text("You can also type only.")


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
    settle(page, "idle")

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
    settle(page, "idle")

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
    page.evaluate("realtimeVoice.devices.list()")  # as it does when the microphone is allowed

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


def test_a_proxy_that_gathers_answers_is_named_while_the_call_goes_on(
    app: App, visit: Visit
) -> None:
    url, control = app
    with gathering(url) as proxy:
        page = visit(proxy.url)
        call = begin(page, control)
        said = Message("1", "user", Status.DONE, ("These words pass.",))
        call.change(messages=(said,))
        expect(page.locator("#transcript .user.message")).to_have_text(["These words pass."])

        proxy.passing.clear()
        later = said
        for number in range(MORE_WORDS):
            later = replace(said, item_id="2", parts=("And more words." * (number + 1),))
            call.change(messages=(said, later))
            page.wait_for_timeout(1000)
        notice(page).to_contain_text("a proxy between this page and the app seems to gather")
        state_of(page, "connection").to_have_text("Connected")
        expect(page.locator("#transcript .user.message")).to_have_count(1)

        proxy.passing.set()
        expect(page.locator("#transcript .user.message")).to_have_text([*said.parts, *later.parts])
