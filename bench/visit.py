"""From the request of a page to the button that can be pressed, on a slow phone's terms.

Each visit is a Chromium of its own, which has nothing of the page yet.
"""

from typing import Any, Final

from playwright.async_api import BrowserType, async_playwright

from bench.apps import running
from bench.browser import SWITCHES, installed
from bench.control import child

VISITS: Final = 7
NETWORK: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
}
"""Milliseconds, and bytes a second."""
SLOWED: Final = 4
"""So many times slower is the browser's processor."""
LIMIT_MS: Final = 30_000
WAITED_S: Final = "performance.now() / 1000"


async def measure() -> dict[str, Any]:
    """Seconds until Start can be pressed, of each visit, in practice mode."""
    async with (
        child("bench.realtime") as server,
        running("ours", await server.ask("address"), practice=True) as app,
        async_playwright() as playwright,
    ):
        return {"start_s": [await _visit(playwright.chromium, app.url) for _ in range(VISITS)]}


async def _visit(chromium: BrowserType, url: str) -> float:
    browser = await chromium.launch(executable_path=installed(), args=SWITCHES)
    try:
        page = await browser.new_page()
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Network.enable")
        await devtools.send("Network.emulateNetworkConditions", NETWORK)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        await page.goto(url, wait_until="commit")
        await page.locator("#start:enabled").wait_for(timeout=LIMIT_MS)
        return float(await page.evaluate(WAITED_S))
    finally:
        await browser.close()
