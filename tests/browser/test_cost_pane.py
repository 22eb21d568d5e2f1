"""What a call costs, in Chromium with the whole app: its figures, its prices, its limit."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LIMIT_MS, say, state_of, talk_to
from tests.running import practice_server, running_app

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

DOLLARS = re.compile(r"^\$0\.\d{4}$")


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a server whose model has a price."""
    folder = tmp_path_factory.mktemp("priced")
    with (
        practice_server() as server,
        running_app(
            folder, REALTIME_BASE_URL=server, MAX_STARTS_PER_MINUTE="1000", MAX_CALL_COST="0.50"
        ) as url,
    ):
        yield url


def figure(page: Page, name: str) -> Any:
    return expect(page.locator(f'[data-cost="{name}"]'))


def set_cap(page: Page, dollars: str) -> None:
    page.fill("#cap", dollars)
    page.press("#cap", "Enter")


def in_dollars(text: str) -> float:
    return float(text.replace("$", ""))


def test_each_turn_is_told_with_its_tokens_and_its_cost(
    priced: str, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(priced, using=quiet)
    talk_to(page, "cost")
    figure(page, "call").to_have_text("$0.00", timeout=LIMIT_MS)
    say(page, "what is 12 + 30?")
    rows = page.locator("#cost-turns tbody tr")
    expect(rows).to_have_count(1, timeout=LIMIT_MS)
    figure(page, "last").to_have_text(DOLLARS)
    first = in_dollars(page.inner_text('[data-cost="call"]'))
    say(page, "what is 2 times 4?")
    expect(rows).to_have_count(2, timeout=LIMIT_MS)
    expect(rows.first.locator("th")).to_have_text("2")
    expect(rows.first.locator("td").last).to_have_text(DOLLARS)
    expect(page.locator("#cost-kinds tbody tr")).to_have_count(3)
    expect(page.locator("#cost-note")).to_have_text(
        re.compile(r"^gpt-realtime-2\.1, at the prices of \d{4}-\d\d-\d\d\.$")
    )
    # What the page counts is what the server counts.
    whole = page.inner_text('[data-cost="call"]')
    assert in_dollars(whole) > first
    page.click("#tab-sound")
    expect(page.locator('#figures [data-figure="cost"]')).to_have_text(whole)


def test_prices_can_be_changed_and_outlive_the_page(
    priced: str, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(priced, using=quiet)
    talk_to(page, "cost")
    page.click(".rv-prices summary")
    page.fill("#price-audio_out", "64000")
    page.press("#price-audio_out", "Tab")
    say(page, "what is 12 + 30?")
    figure(page, "call").to_have_text(re.compile(r"^\$\d+\.\d\d$"), timeout=LIMIT_MS)
    expect(page.locator("#cost-note")).to_contain_text("with a price of yours")
    # The app's own figure, by which its limit goes, is not touched.
    page.click("#tab-sound")
    expect(page.locator('#figures [data-figure="cost"]')).to_have_text(DOLLARS)

    page.reload()
    page.click("#tab-cost")
    page.click(".rv-prices summary")
    expect(page.locator("#price-audio_out")).to_have_value("64000")
    page.click("#price-reset")
    expect(page.locator("#price-audio_out")).to_have_value("64")
    page.fill("#price-audio_out", "much")
    page.press("#price-audio_out", "Tab")
    expect(page.locator("#price-audio_out")).to_have_attribute("aria-invalid", "true")


def test_a_model_without_a_price_is_not_guessed_at_and_can_be_given_one(
    practice: str, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(practice, using=quiet)
    talk_to(page, "cost")
    figure(page, "call").to_have_text("no price known", timeout=LIMIT_MS)
    expect(page.locator("#cost-note")).to_contain_text("No price of practice-engine is known.")
    set_cap(page, "0.10")
    expect(page.locator("#told-cap")).to_have_text(
        "The app knows no price of this model, so no limit of cost can end the call."
    )
    expect(page.locator("#cap")).to_have_value("")
    say(page, "what is 12 + 30?")
    last = page.locator("#cost-turns tbody td").last
    expect(last).to_have_text("no price known", timeout=LIMIT_MS)
    page.click(".rv-prices summary")
    for field in ("text", "text_out", "audio_out"):
        page.fill(f"#price-{field}", "100")
        page.press(f"#price-{field}", "Tab")
    figure(page, "call").to_have_text(re.compile(r"\$0\.\d+$"))


def test_a_limit_ends_the_call_politely_and_never_lies_above_the_apps(
    priced: str, quiet: Any, visit: Callable[..., Page]
) -> None:
    page = visit(priced, using=quiet)
    page.click("#inspect")
    page.click("#tab-cost")
    set_cap(page, "0.40")
    expect(page.locator("#told-cap")).to_have_text("It holds when the call begins.")
    page.click("#start")
    expect(page.locator("#told-cap")).to_have_text("✓ This call ends at $0.4.", timeout=LIMIT_MS)
    set_cap(page, "2")
    expect(page.locator("#told-cap")).to_have_text("The limit of this app is $0.50. Choose less.")
    expect(page.locator("#cap")).to_have_value("0.4")
    set_cap(page, "0.001")
    expect(page.locator("#told-cap")).to_have_text("✓ This call ends at $0.001.")
    say(page, "what is 12 + 30?")
    expect(page.locator("#notice")).to_contain_text(
        "This call has reached your limit of $0.001", timeout=LIMIT_MS
    )
    state_of(page, "connection").to_have_text("Ended", timeout=LIMIT_MS)
    expect(page.locator("#notice")).to_have_text(
        "This call has reached your limit of $0.001. You can start another."
    )
    expect(page.locator("#transcript .bot.message")).to_contain_text(["42"])
