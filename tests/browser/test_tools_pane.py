"""The pane of the tools in Chromium: functions are switched and tried, MCP servers added."""

import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from components.core.conversation import Message, Status
from components.tools import TOOLS
from tests.browser.steps import LIMIT_MS, PAGE_MARKS, App, Visit, begin, connect, say, state_of

pytestmark = PAGE_MARKS

CALLS_THE_CLOCK = "Use the world clock for Tokyo"
"""Words by which the practice server calls that function, if it is declared."""
DOCS = {"label": "docs", "url": "https://example.com/mcp", "approval": "always"}
ASKED = Message(
    "mcpr_1",
    "tool",
    Status.DONE,
    ("search {}",),
    name="search",
    arguments='{"for":"sound"}',
    kind="mcp_approval_request",
    server="docs",
)


def open_tools(page: Page) -> None:
    page.click("#inspect")
    page.click("#tab-tools")
    expect(page.locator("#tools")).to_be_visible()


def told(page: Page) -> Any:
    return expect(page.locator("#told-tools"))


def switch(page: Page, name: str) -> Any:
    return page.locator(f'#tools [role="switch"][name="{name}"]')


def add_server(page: Page, label: str, url: str) -> None:
    page.fill("#mcp-label", label)
    page.fill("#mcp-url", url)
    page.click("#mcp-form button")


def test_a_switch_is_one_update_that_is_ticked_and_kept_over_a_reload(practice, quiet, visit):
    page = visit(practice, using=quiet)
    connect(page)
    open_tools(page)
    switch(page, "world_clock").uncheck()
    told(page).to_have_text("✓")
    say(page, CALLS_THE_CLOCK)
    expect(page.locator("#transcript .bot.message")).to_have_count(1, timeout=LIMIT_MS)
    assert "world_clock" not in page.inner_text("#transcript")
    switch(page, "world_clock").check()
    told(page).to_have_text("✓")
    say(page, CALLS_THE_CLOCK)
    expect(page.locator("#transcript")).to_contain_text("world_clock", timeout=LIMIT_MS)
    switch(page, "world_clock").uncheck()
    told(page).to_have_text("✓")

    page.reload()
    expect(switch(page, "world_clock")).not_to_be_checked()
    expect(switch(page, "convert_units")).to_be_checked()
    connect(page)
    page.click("#tab-events")
    page.locator('.rv-event:has-text("session.updated")').click()
    tools = json.loads(page.inner_text("#event-text"))["session"]["tools"]
    others = [tool.name for tool in TOOLS if tool.name != "world_clock"]
    assert [tool["name"] for tool in tools] == others


def test_a_function_is_tried_by_hand_without_a_call(practice, quiet, visit):
    page = visit(practice, using=quiet)
    open_tools(page)
    entry = page.locator('#tools [data-function="convert_units"]')
    entry.locator('summary:has-text("Try it")').click()
    entry.locator('[name="amount"]').fill("72")
    entry.locator('[name="unit"]').select_option("fahrenheit")
    entry.locator('[name="into"]').select_option("celsius")
    entry.locator("button").click()
    expect(entry.locator("output")).to_contain_text('"amount": 22.2222')
    expect(entry.locator("output")).to_contain_text(re.compile(r"\(\d+ ms\)"))

    entry.locator('[name="into"]').select_option("mile")
    entry.locator("button").click()
    expect(entry.locator("output")).to_contain_text("A fahrenheit measures temperature")
    expect(entry.locator("output")).to_have_attribute("data-failed", "true")


def test_a_call_of_a_function_shows_its_arguments_its_result_and_its_time(practice, quiet, visit):
    page = visit(practice, using=quiet)
    say(page, CALLS_THE_CLOCK)
    head = page.locator("#transcript .title")
    expect(head).to_contain_text(re.compile(r"world_clock.*\(\d.*s\)", re.DOTALL), timeout=LIMIT_MS)
    parts = page.locator("#transcript .tool")
    expect(parts).to_have_count(0)  # Gradio folds what is done
    head.click()
    expect(parts).to_have_text(
        [re.compile('Arguments: .*"Tokyo"'), re.compile('Result: .*"\\+09:00"')]
    )


def test_the_practice_server_says_that_it_reaches_no_mcp_server(practice, quiet, visit):
    page = visit(practice, using=quiet)
    connect(page)
    open_tools(page)
    add_server(page, "docs", "https://example.com/mcp")
    told(page).to_have_text("✓")
    entry = page.locator('#tools [data-server="docs"]')
    expect(entry).to_contain_text("could not list its tools")
    entry.locator("button").click()
    expect(entry).to_have_count(0)
    told(page).to_have_text("✓")


def test_a_server_that_makes_no_sense_gets_a_sentence_and_is_gone(practice, quiet, visit):
    page = visit(practice, using=quiet)
    connect(page)
    open_tools(page)
    add_server(page, "docs", "https://ada:secret@example.com/mcp")
    told(page).to_have_text("Give an address such as https://example.com/mcp, without a password.")
    expect(page.locator("#mcp-servers li")).to_have_count(0)
    state_of(page, "connection").to_have_text("Connected")


def test_a_server_shows_what_it_lists_and_a_request_is_answered_in_the_transcript(
    app: App, visit: Visit
) -> None:
    url, control = app
    page = visit(url)
    open_tools(page)
    add_server(page, "docs", DOCS["url"])
    call = begin(page, control)
    assert json.loads(call.wishes["tools"]) == {"off": [], "servers": [DOCS]}

    values = {"tools": {"off": [], "servers": [DOCS]}}
    settings = {"type": "settings", "pending": [], "later": [], "problems": {}}
    call.raw({**settings, "values": values})
    search = {"name": "search", "description": "Finds <pages>."}
    listing = {"label": "docs", "state": "completed", "tools": [search]}
    call.raw({"type": "servers", "servers": [listing], "requests": ["mcpr_1"]})
    entry = page.locator('#tools [data-server="docs"]')
    entry.locator("summary").click()
    expect(entry).to_contain_text("search Finds <pages>.")

    call.change(messages=(ASKED,))
    request = page.locator("#transcript .bot.message")
    expect(request).to_contain_text("docs asks to run search.")
    request.locator('button:has-text("Allow")').click()
    assert call.next("approve") == {"type": "approve", "id": "mcpr_1", "allow": True}
    expect(request.locator("button[data-answer]")).to_have_count(0)

    answer = Message("r1", "tool", Status.DONE, ("allowed",), call_id="mcpr_1")
    made = Message(
        "m1",
        "tool",
        Status.DONE,
        ("one page",),
        name="search",
        arguments="{}",
        kind="mcp_call",
        server="docs",
        since_s=1.0,
        until_s=1.5,
    )
    call.change(messages=(ASKED, answer, made))
    expect(page.locator("#transcript")).to_contain_text("allowed")
    expect(page.locator("#transcript")).to_contain_text("docs: search")


def test_a_visitor_who_may_not_use_the_tools_has_no_pane_and_wishes_nothing(serve, visit):
    url, control = serve(visitor_settings=("voice", "events"))
    script = (
        "localStorage.setItem('realtime-voice-tools', "
        """'{"off":["world_clock"],"servers":[]}')"""
    )
    page = visit(url, script=script)
    page.click("#inspect")
    expect(page.locator("#tab-events")).to_be_visible()
    expect(page.locator("#tab-tools")).to_have_count(0)
    assert "tools" not in begin(page, control).wishes
