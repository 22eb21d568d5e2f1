"""A visitor's own terms, in Chromium with the whole app: who speaks first, whose key pays."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LIMIT_MS, connect, say, state_of
from tests.running import forked_app, practice_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

OWN = "own-key-5f0c9a7e1b2d4836"


@dataclass(frozen=True)
class House:
    """An app with a server that takes any key, its log and its trace."""

    url: str
    log: Path
    trace: Path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("app")
    trace = folder / "trace.jsonl"
    with (
        practice_server() as server,
        forked_app(folder, "--trace", str(trace), REALTIME_BASE_URL=server) as app,
    ):
        yield House(app.url, app.log, trace)


def test_the_assistant_speaks_first_if_the_visitor_wishes_it_and_only_once(
    practice: str, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(practice, using=quiet)
    page.click("#inspect")
    page.click("#tab-settings")
    page.select_option("#set-first_word", "assistant")
    connect(page)
    answers = page.locator("#transcript .bot.message")
    expect(answers).to_contain_text(["Hello!"], timeout=LIMIT_MS)
    state_of(page, "assistant").to_have_text("Idle", timeout=LIMIT_MS)
    page.click("#start")
    expect(page.locator("#start")).to_have_text("Continue")
    connect(page)
    say(page, "what is 12 + 30?")
    expect(answers).to_contain_text(["Hello!", "42"], timeout=LIMIT_MS)
    expect(answers.filter(has_text="Hello!")).to_have_count(1)


def test_a_key_of_the_visitor_goes_along_with_one_offer_and_is_seen_nowhere_else(
    house: House, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(house.url, using=quiet)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sent: list[tuple[str, str]] = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    page.click("#inspect")
    page.click("#tab-settings")
    page.fill("#own-key", OWN)
    page.select_option("#set-first_word", "assistant")  # something is kept and shared
    copied = []
    for button in ("#settings-link", "#settings-env"):
        page.click(button)
        expect(page.locator(button)).to_have_text("Copied")
        copied.append(page.evaluate("navigator.clipboard.readText()"))
    connect(page)
    told = expect(page.locator("#told-own-key"))
    told.to_have_text("✓ Your key pays for this call.")
    assert page.input_value("#own-key") == ""
    page.click("#tab-events")
    say(page, "what is 12 + 30?")
    expect(page.locator("#transcript .bot.message").last).to_contain_text("42", timeout=LIMIT_MS)
    with page.expect_download() as saved:
        page.click("#events-save")
    page.click("#start")
    expect(page.locator("#start")).to_have_text("Continue")
    connect(page)
    page.click("#tab-settings")
    told.to_have_text("")

    offers = [(url, body) for url, body in sent if OWN in url + body]
    assert len(offers) == 1
    assert '"fn_name":"offer"' in offers[0][1]
    kept = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    seen = [page.content(), kept, *copied, saved.value.path().read_text()]
    seen += [house.log.read_text(), house.trace.read_text()]
    assert all(seen)
    assert [text[:80] for text in seen if OWN in text] == []


def test_what_is_no_key_is_told_before_anything_is_sent(
    house: House, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(house.url, using=quiet)
    page.click("#inspect")
    page.click("#tab-settings")
    page.fill("#own-key", "not a key")
    page.click("#start")
    expect(page.locator("#notice")).to_contain_text("That is no key")
    expect(page.locator("#told-own-key")).to_contain_text("That is no key")
    state_of(page, "connection").to_have_text("Idle")
    say(page, "hello")
    expect(page.locator("#say")).to_have_value("hello")


def test_a_key_does_not_pay_for_a_direct_call_and_the_visitor_is_told_so(
    house: House, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(house.url, using=quiet)
    page.click("#inspect")
    page.click("#tab-route")
    page.check('#route input[value="direct"]')
    page.click("#tab-settings")
    page.fill("#own-key", OWN)
    page.click("#start")
    expect(page.locator("#notice")).to_have_text(
        re.compile("^Your own key works only through this app's server")
    )
    state_of(page, "connection").to_have_text("Idle")


def test_the_practice_server_has_no_field_for_a_key(
    practice: str, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(practice, using=quiet)
    expect(page.locator("#settings-form")).to_be_attached()
    expect(page.locator("#own-key")).to_have_count(0)
