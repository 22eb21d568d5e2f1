"""`python -m tests.browser.pictures`: make the pictures in docs/images anew, of the app as it is.

It needs Chromium and ffmpeg, and says nothing about whether the page is right; tests do that.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.running import running_app

HERE = Path(__file__).parents[2] / "docs" / "images"
QUESTION = "what time is it"
LIMIT_MS = 30_000
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SWITCHES = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


def main() -> None:
    HERE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        voice = _voice(Path(folder) / "voice.wav")
        with running_app(Path(folder), MAX_STARTS_PER_MINUTE="100") as url, sync_playwright() as on:
            browser = on.chromium.launch(
                executable_path=installed_chromium(),
                args=[*SWITCHES, f"--use-file-for-fake-audio-capture={voice}%noloop"],
            )
            _take_all(browser, url)
            browser.close()


def installed_chromium() -> str:
    """Its path; without one nothing can be made here."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        sys.exit("Chromium is not installed.")
    return found


def _voice(path: Path) -> Path:
    """Two seconds of silence, a spoken question, and a minute of silence."""
    source = f"flite=text='{QUESTION}':voice=slt"
    form = "aresample=48000,adelay=2000:all=1,apad=pad_dur=60"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-af", form]
    subprocess.run([*command, "-ac", "1", str(path)], check=True, timeout=60)
    return path


def _take_all(browser: Browser, url: str) -> None:
    def shoot(name: str, prepare: Callable[[Page], None], **options: Any) -> None:
        context = browser.new_context(**{"viewport": WIDE, **options})
        page = context.new_page()
        page.goto(url)
        expect(page.locator("#start")).to_be_enabled()
        prepare(page)
        page.screenshot(path=HERE / f"{name}.png")
        context.close()
        sys.stdout.write(f"{name}\n")

    shoot("idle", lambda _: None)
    shoot("talking", _talk)
    shoot("interrupted", _interrupt)
    shoot("dark", _talk, color_scheme="dark")
    shoot("phone", _talk, viewport=PHONE, device_scale_factor=1)
    shoot("forced-colours", _talk, forced_colors="active")
    for pane in _panes(browser, url):
        shoot(f"drawer-{pane}", lambda page, pane=pane: _inspect(page, pane))  # type: ignore[misc]
    shoot("drawer-phone", lambda page: _inspect(page, "settings"), viewport=PHONE)


def _panes(browser: Browser, url: str) -> list[str]:
    page = browser.new_page()
    page.goto(url)
    page.click("#inspect")
    names = page.locator('#drawer [role="tab"]').evaluate_all(
        "(tabs) => tabs.map((tab) => tab.getAttribute('aria-controls'))"
    )
    page.close()
    return list(names)


def _ask(page: Page) -> None:
    """A call whose first turn was spoken and answered."""
    page.click("#start")
    expect(page.locator("#connection-status")).to_have_text("Connected", timeout=LIMIT_MS)
    expect(page.locator("#transcript .bot.message")).to_contain_text(["It is"], timeout=LIMIT_MS)
    expect(page.locator("#assistant-status")).to_have_text("Idle", timeout=LIMIT_MS)


def _say(page: Page, words: str) -> None:
    page.fill("#say", words)
    page.press("#say", "Enter")


def _talk(page: Page) -> None:
    _ask(page)
    _say(page, "count to ten")
    expect(page.locator("#assistant-status")).to_have_text("Speaking", timeout=LIMIT_MS)
    page.wait_for_timeout(2500)


def _interrupt(page: Page) -> None:
    _ask(page)
    _say(page, "count to thirty")
    expect(page.locator("#assistant-status")).to_have_text("Speaking", timeout=LIMIT_MS)
    page.wait_for_timeout(3000)
    page.keyboard.press("Escape")
    expect(page.locator("#transcript")).to_contain_text("interrupted")
    expect(page.locator("#assistant-status")).to_have_text("Idle")
    page.wait_for_timeout(500)


def _inspect(page: Page, pane: str) -> None:
    _talk(page)
    page.click("#inspect")
    page.click(f"#tab-{pane}")
    page.wait_for_timeout(1500)
    if pane == "timing":
        page.click('#turns [data-turn="1"] summary')


if __name__ == "__main__":
    main()
