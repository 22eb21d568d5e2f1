"""The page behind the guard and a login: all that it needs is open, and the browser complains of
nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.running import running_app

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(150)]

LIMIT_MS = 25_000
ANSWER = "3 plus 4 is 7"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("app")
    with running_app(folder, APP_USERNAME="ann", APP_PASSWORD="right") as url:
        yield url


def complaints_of(page: Page) -> list[str]:
    """Filled while the page lives: failed requests, refused ones, and words on the console."""
    found: list[str] = []

    def refused(status: int, url: str) -> None:
        if status >= 400:
            found.append(f"{status} {url}")

    page.on("response", lambda response: refused(response.status, response.url))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda line: found.append(line.text) if line.type in ("error", "warning") else None,
    )
    return found


def log_in(page: Page, password: str) -> None:
    page.locator("input").first.fill("ann")
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")


def test_all_that_the_page_does_is_let_through(
    app: str, quiet: object, visit: Callable[..., Page]
) -> None:
    page = visit(app, using=quiet, ready="input[type=password]")
    complaints = complaints_of(page)
    log_in(page, "right")
    page.wait_for_selector("#start:visible")

    page.click("#start")
    expect(page.locator("#connection-status")).to_have_text("Connected", timeout=LIMIT_MS)
    page.fill("#say", "what is 3 plus 4?")
    page.click("#send")
    expect(page.locator("#transcript")).to_contain_text(ANSWER, timeout=LIMIT_MS)
    page.click("#start")
    expect(page.locator("#connection-status")).to_have_text("Ended", timeout=LIMIT_MS)

    page.reload()
    expect(page.locator("#transcript")).to_contain_text(ANSWER, timeout=LIMIT_MS)

    page.click("#inspect")
    page.get_by_role("tab", name="Route").click()
    page.get_by_role("radio", name="Direct").check()
    page.click("#start")
    expect(page.locator("#connection-status")).to_have_text("Connected", timeout=LIMIT_MS)
    page.click("#start")
    expect(page.locator("#connection-status")).to_have_text("Ended", timeout=LIMIT_MS)

    assert complaints == []


def test_a_wrong_password_is_told_and_the_rule_with_it(
    app: str, quiet: object, visit: Callable[..., Page]
) -> None:
    page = visit(app, using=quiet, ready="input[type=password]")
    complaints = complaints_of(page)
    log_in(page, "wrong")

    expect(page.get_by_text("Incorrect Credentials")).to_be_visible()
    expect(page.get_by_text("After ten attempts, wait a minute.")).to_be_visible()
    assert [each for each in complaints if not each.endswith("/login")] == [
        "Failed to load resource: the server responded with a status of 400 (Bad Request)"
    ]


def test_a_page_of_another_site_gets_nothing_of_the_app(
    app: str, quiet: object, visit: Callable[..., Page], tmp_path: Path
) -> None:
    """Though its browser is logged in, and Gradio itself would let it read."""
    with running_app(tmp_path) as other:
        page = visit(app, using=quiet, ready="input[type=password]")
        log_in(page, "right")
        page.wait_for_selector("#start:visible")
        page.goto(f"{other}/")
        page.wait_for_selector("#start:visible")
        results = page.evaluate(
            """url => Promise.all(["", "config", "theme.css", "gradio_api/queue/data"].map(
              (path) => fetch(`${url}/${path}`, { credentials: "include" })
                .then((answer) => answer.status, () => "unreadable")))""",
            app,
        )

    assert results == ["unreadable"] * 4
