"""What axe-core finds wrong with the page for people who see, hear or move differently."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from components.core.conversation import Assistant, Message, Status
from tests.browser.conftest import _need
from tests.browser.steps import PAGE_MARKS, App, Visit, begin, state_of
from tests.images import png

pytestmark = PAGE_MARKS

AXE = Path(__file__).parents[1] / "javascript/node_modules/axe-core/axe.min.js"
GRADIOS_OWN: set[str] = set()
"""Rules that Gradio's own markup breaks."""
TALK = (
    Message("u", "user", Status.DONE, ("Count on.",)),
    Message("f", "tool", Status.DONE, ("count {}",), call_id="c", name="count", arguments="{}"),
    Message("o", "tool", Status.DONE, ("one",), call_id="c"),
    Message("a", "assistant", Status.INTERRUPTED, (f"One. {'two ' * 100}",), 4),
    Message("n", "note", Status.DONE, ("reconnected",)),
)


@pytest.fixture(scope="module")
def axe() -> Path:
    return Path(_need(str(AXE) if AXE.is_file() else None, "axe-core (npm ci in tests/javascript)"))


def broken(page: Page, scheme: str) -> dict[str, Any]:
    """The rules that the page breaks, and where; all that the dark may change are colours."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if scheme == "dark":
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    run = "(options) => axe.run(options).then(({ violations }) => violations)"
    found = page.evaluate(run, options)
    return {
        each["id"]: [(node["html"][:200], node["failureSummary"][:300]) for node in each["nodes"]]
        for each in found
        if each["id"] not in GRADIOS_OWN
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wrong_before_during_and_after_a_call_with_and_without_the_drawer(
    app: App, visit: Visit, axe: Path, scheme: str, width: int
) -> None:
    url, control = app
    page = visit(url, viewport={"width": width, "height": 844}, color_scheme=scheme)
    picture = FilePayload(name="a picture", mimeType="image/png", buffer=png())
    page.add_script_tag(path=axe)
    page.set_input_files("#image-file", files=[picture])
    expect(page.locator("#attached")).to_be_visible()
    assert broken(page, scheme) == {}

    call = begin(page, control)
    call.change(assistant=Assistant.SPEAKING, messages=TALK, notice="Something is odd.")
    expect(page.locator("#transcript details.unheard")).to_be_visible()
    state_of(page, "assistant").to_have_text("Speaking")
    assert broken(page, scheme) == {}

    page.click("#inspect")
    for pane in ("settings", "tools", "timing", "cost", "events", "sound", "recording"):
        page.click(f"#tab-{pane}")
        expect(page.locator(f"#{pane}")).to_be_visible()
        assert broken(page, scheme) == {}, pane
    page.keyboard.press("Escape")

    call.raw({"type": "end_stream", "data": "Time is up."})
    state_of(page, "connection").to_have_text("Failed")
    assert broken(page, scheme) == {}
