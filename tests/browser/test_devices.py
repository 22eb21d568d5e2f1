"""Turns by hand, the loudspeaker, the volume and the microphone's switches in Chromium."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import (
    ALL_CLOSED,
    LIMIT_MS,
    connect,
    say,
    state_of,
    stub_microphone,
    talk_to,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PLAYER = "document.querySelector('#call audio')"


def heard_with(page: Page) -> Any:
    """How the browser treats the newest microphone."""
    return page.evaluate("window.witness.tracks.at(-1).getSettings()")


def test_turns_by_hand_are_switched_in_the_call(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk = expect(page.locator("#talk"))
    talk.to_be_hidden()
    talk_to(page, "settings")
    state_of(page, "user").to_have_text("Listening")
    page.select_option("#set-turn_detection", "push_to_talk")
    talk.to_be_visible(timeout=LIMIT_MS)
    state_of(page, "user").to_have_text("Idle")
    page.locator("#talk").focus()
    page.keyboard.down("Space")
    state_of(page, "user").to_have_text("Speaking")
    page.keyboard.up("Space")
    state_of(page, "user").to_have_text("Idle")

    page.select_option("#set-turn_detection", "server_vad")
    talk.to_be_hidden(timeout=LIMIT_MS)
    state_of(page, "user").to_have_text("Listening")
    page.click("#start")
    page.select_option("#set-turn_detection", "push_to_talk")
    talk.to_be_visible()


def test_volume_and_loudspeaker_are_chosen_and_kept(practice, says, visit):
    page = visit(practice, using=says(60.0, whole=True))
    talk_to(page, "sound")
    page.locator("#volume").fill("0.4")
    assert page.evaluate(f"{PLAYER}.volume") == 0.4
    speakers = page.locator("#speaker option")
    expect(speakers.nth(1)).to_be_attached()
    label = speakers.nth(1).inner_text()
    page.select_option("#speaker", label=label)
    chosen = page.input_value("#speaker")
    page.wait_for_function(f"(id) => {PLAYER}.sinkId === id", arg=chosen)
    expect(page.locator("#told-speaker")).to_have_text("")

    page.reload()
    connect(page)
    page.wait_for_function(f"(id) => {PLAYER}.sinkId === id && {PLAYER}.volume === 0.4", arg=chosen)


def test_silence_by_choice_is_no_fault(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk_to(page, "sound")
    page.locator("#volume").fill("0")
    say(page, "count to five")
    state_of(page, "assistant").to_have_text("Speaking", timeout=LIMIT_MS)
    state_of(page, "assistant").to_have_text("Idle", timeout=LIMIT_MS)
    expect(page.locator("#notice")).to_have_text("")


def test_what_the_browser_does_to_the_microphone_can_be_switched_off_in_the_call(
    practice, quiet, visit
):
    page = visit(practice, using=quiet)
    talk_to(page, "sound")
    assert heard_with(page)["echoCancellation"] is True
    before = page.evaluate("window.witness.tracks.length")
    page.get_by_label("Cancel echo").uncheck()
    page.wait_for_function("(count) => window.witness.tracks.length > count", arg=before)
    page.wait_for_function("!window.witness.tracks.at(-1).getSettings().echoCancellation")
    state_of(page, "connection").to_have_text("Connected")
    state_of(page, "user").to_have_text("Listening")

    page.reload()
    page.click("#inspect")
    expect(page.get_by_label("Cancel echo")).not_to_be_checked()
    expect(page.get_by_label("Suppress noise")).to_be_checked()


def test_another_microphone_is_taken_in_the_middle_of_a_call(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk_to(page, "sound")
    options = page.locator("#microphone option")
    expect(options.nth(1)).to_be_attached()
    before = page.evaluate("window.witness.tracks.length")
    page.select_option("#microphone", index=1)
    page.wait_for_function("(count) => window.witness.tracks.length > count", arg=before)
    state_of(page, "connection").to_have_text("Connected")
    chosen = page.input_value("#microphone")
    page.wait_for_function(
        "(id) => window.witness.tracks.some((t) => t.getSettings().deviceId === id"
        " && t.readyState === 'live')",
        arg=chosen,
    )


def examined(page: Page, lines: int) -> list[str]:
    """What the browser's half of the doctor finds."""
    page.click("#inspect")
    page.click("#tab-sound")
    page.click("#checkup-start")
    found = page.locator("#checkup-found li")
    expect(found).to_have_count(lines, timeout=LIMIT_MS)
    expect(page.locator("#checkup-start")).to_be_enabled()
    return found.all_inner_texts()


def test_a_browser_is_examined_and_nothing_is_left_open(practice, quiet, visit):
    page = visit(practice, using=quiet)
    microphone, level, ways, round_trip = examined(page, 4)

    assert microphone.startswith("ok: Microphone. Allowed: ")
    assert level.startswith("warning: Level. It hears nothing.")
    assert ways == "ok: Ways. No STUN or TURN server is needed on this machine."
    assert round_trip.endswith(" ms to the app.")
    page.wait_for_function(ALL_CLOSED)


def test_a_browser_without_a_microphone_is_told_so(practice, quiet, visit):
    refused = stub_microphone("throw new DOMException('no', 'NotAllowedError');")
    page = visit(practice, using=quiet, script=refused)
    microphone, *_ = examined(page, 3)

    assert microphone.startswith("failed: Microphone. The browser does not allow the microphone")
