"""The drawer of the whole app in Chromium: a call is tuned, timed and seen through."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LIMIT_MS, TWO_FRAMES, connect, say, state_of, talk_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def told(page: Page, name: str) -> Any:
    return expect(page.locator(f"#told-{name}"))


def set_to(page: Page, name: str, value: str) -> None:
    page.fill(f"#set-{name}", value)
    page.press(f"#set-{name}", "Tab")


def test_the_call_bar_is_whole_before_and_beside_the_drawer(practice, quiet, visit):
    page = visit(practice, using=quiet)
    for _ in range(2):
        bottoms = page.evaluate(
            "['start', 'send', 'say'].map((id) => "
            "document.getElementById(id).getBoundingClientRect().bottom)"
        )
        bar = page.evaluate("document.querySelector('.rv-bar').getBoundingClientRect().bottom")
        assert max(bottoms) <= bar
        assert max(bottoms) < page.evaluate("window.innerHeight")
        page.click("#inspect")


def test_buttons_of_a_row_are_level_and_the_words_of_a_choice_have_room(practice, quiet, visit):
    page = visit(practice, using=quiet)
    page.click("#inspect")
    page.click("#tab-settings")
    tops = page.locator(".rv-settings-foot button").evaluate_all(
        "(buttons) => buttons.map((button) => button.getBoundingClientRect().top)"
    )
    assert len(tops) == 3
    assert len(set(tops)) == 1
    page.click("#tab-route")
    widths = page.locator(".rv-routes label span").evaluate_all(
        "(words) => words.map((each) => each.getBoundingClientRect().width)"
    )
    assert min(widths) > 200


def test_a_setting_is_changed_in_the_call_and_ticked_when_the_server_confirms(
    practice, quiet, visit
):
    page = visit(practice, using=quiet)
    talk_to(page, "settings")
    set_to(page, "speed", "1.2")
    told(page, "speed").to_have_text("✓")
    page.click("#tab-events")
    updates = page.locator('.rv-event:has-text("session.update")')
    expect(updates.last).to_be_visible()

    page.reload()
    assert page.input_value("#set-speed") == "1.2"
    connect(page)
    page.click("#tab-events")
    page.locator('.rv-event:has-text("session.updated")').click()
    assert json.loads(page.inner_text("#event-text"))["session"]["audio"]["output"]["speed"] == 1.2


def test_a_setting_that_makes_no_sense_gets_a_sentence_and_the_old_value_back(
    practice, quiet, visit
):
    page = visit(practice, using=quiet)
    talk_to(page, "settings")
    set_to(page, "speed", "9")
    told(page, "speed").to_have_text("Choose a number from 0.25 to 1.5.")
    expect(page.locator("#set-speed")).to_have_value("1")
    set_to(page, "voice", "nobody")
    told(page, "voice").not_to_have_text(re.compile("^(✓|…|)$"))
    expect(page.locator("#set-voice")).to_have_value("marin")
    state_of(page, "connection").to_have_text("Connected")


def test_a_voice_that_has_spoken_changes_with_the_next_call(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk_to(page, "settings")
    say(page, "what is 12 + 30?")
    expect(page.locator("#transcript .bot.message")).to_contain_text(["42"], timeout=LIMIT_MS)
    set_to(page, "voice", "cedar")
    told(page, "voice").to_have_text("from the next call")


def test_a_link_brings_settings_along_and_what_it_makes_up_is_named(practice, quiet, visit):
    page = visit(f"{practice}/?voice=cedar&api_key=sk-1", using=quiet)
    assert page.input_value("#set-voice") == "cedar"
    notice = expect(page.locator("#notice"))
    notice.to_have_text("The link asks for settings that this page does not have: api_key.")
    talk_to(page, "events")
    page.locator('.rv-event:has-text("session.updated")').first.click()
    expect(page.locator("#event-text")).to_contain_text('"session.updated"')
    session = json.loads(page.inner_text("#event-text"))["session"]
    assert session["audio"]["output"]["voice"] == "cedar"
    assert "sk-1" not in page.inner_text("#events")


def test_a_row_can_be_clicked_and_keeps_the_focus_while_events_come(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk_to(page, "events")
    row = page.locator('.rv-event:has-text("session.updated")').first
    row.hover()
    page.mouse.down()
    before = page.inner_text("#events-count")
    say(page, "what is 12 + 30?")
    expect(page.locator("#transcript .bot.message")).to_contain_text(["42"], timeout=LIMIT_MS)
    assert page.inner_text("#events-count") == before
    page.mouse.up()
    expect(page.locator("#events-count")).not_to_have_text(before)
    text = page.locator("#event-text")
    expect(text).to_contain_text('"session.updated"')

    # Whoever looks at the beginning is not taken along to the end.
    page.evaluate("document.getElementById('events-list').scrollTop = 0")
    expect(row).to_be_visible()
    say(page, "count to thirty")
    row.focus()
    shown = page.inner_text("#events-count")
    expect(page.locator("#events-count")).not_to_have_text(shown)
    expect(row).to_be_focused()


def test_a_list_of_events_that_has_filled_unseen_opens_at_its_end(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk_to(page, "timing")
    for asked, answer in (("what is 12 + 30?", "42"), ("what is 2 times 4?", "8")):
        say(page, asked)
        expect(page.locator("#transcript .bot.message").last).to_contain_text(answer)
    expect(page.locator("#events-count")).not_to_be_empty()
    page.click("#tab-events")
    page.wait_for_function(
        "() => { const list = document.getElementById('events-list');"
        " return list.clientHeight > 0 && list.scrollTop > 0"
        " && list.scrollTop + list.clientHeight >= list.scrollHeight - 1; }",
        timeout=5_000,
    )
    expect(page.locator(".rv-event").last).to_be_in_viewport()


def test_each_turn_is_timed_to_the_ear(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk_to(page, "timing")
    say(page, "what is 12 + 30?")
    turn = page.locator('#turns [data-turn="1"]')
    expect(turn.locator("h3")).to_contain_text(re.compile(r"Turn 1, typed: \d\.\d\d s"))
    heard = turn.locator('.rv-waterfall [data-step="heard"]')
    expect(heard).to_be_attached(timeout=LIMIT_MS)
    expect(turn.locator("p")).to_contain_text(re.compile(r"^\d\.\d\d s, of which \d\.\d\d s: "))
    expect(page.locator('[data-turns="felt"]')).to_contain_text(re.compile(r"\d\.\d\d s"))

    turn.locator("summary").click()
    steps = turn.locator(".rv-steps li")
    expect(steps.last).to_have_text(re.compile(r"^in your ear\d+ ms$"))
    assert heard.get_attribute("title") == steps.last.inner_text().replace("\n", ": ")
    say(page, "what is 1 + 1?")
    expect(page.locator('#turns [data-turn="2"] .rv-waterfall [data-step="heard"]')).to_be_attached(
        timeout=LIMIT_MS
    )
    expect(steps.last).to_be_visible()  # it stays unfolded when others come


def test_events_of_a_kind_share_a_row_and_can_be_filtered_and_paused(practice, quiet, visit):
    page = visit(practice, using=quiet)
    talk_to(page, "events")
    say(page, "what is 12 + 30?")
    page.fill("#events-filter", "transcript.delta")
    rows = page.locator(".rv-event")
    expect(rows).to_have_count(1, timeout=LIMIT_MS)
    expect(rows.locator(".rv-times")).to_have_text(re.compile(r"\d+$"))
    page.fill("#events-filter", "")
    page.select_option("#events-direction", "sent")
    expect(page.locator('.rv-event[data-direction="received"]')).to_have_count(0)

    page.click("#events-pause")
    page.evaluate(TWO_FRAMES)
    before = page.inner_text("#events-count")
    say(page, "what is 2 times 4?")
    expect(page.locator("#transcript .bot.message")).to_contain_text(["42", "8"], timeout=LIMIT_MS)
    assert page.inner_text("#events-count").split(" ")[0] == before.split(" ")[0]
    page.click("#events-pause")
    expect(page.locator("#events-count")).not_to_have_text(re.compile(f"^{before.split(' ')[0]} "))


def test_nothing_is_asked_while_the_drawer_is_closed(practice, quiet, visit):
    page = visit(practice, using=quiet)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    connect(page)
    say(page, "what is 12 + 30?")
    expect(page.locator("#transcript .bot.message")).to_contain_text(["42"], timeout=LIMIT_MS)
    assert not [url for url in asked if "inspection" in url]

    with page.expect_request("**/api/inspection"):
        page.keyboard.press("Tab")
        page.click("#inspect")
    page.click("#tab-events")
    page.fill("#events-filter", "session.created")  # else the list shows its end
    expect(page.locator('.rv-event:has-text("session.created")')).to_be_visible()
