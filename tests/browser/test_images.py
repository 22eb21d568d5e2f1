"""An image in a turn, in Chromium: chosen, pasted or dropped, made small, said and shown."""

import io
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from components.protocol.images import MOST_BYTES
from tests.browser.steps import LIMIT_MS, PAGE_MARKS, Visit, say, state_of
from tests.images import gif, png

pytestmark = PAGE_MARKS

PLACE = b"Behind the house"

GIVE = """([how, bytes, type]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "picture", { type }));
  const target = document.querySelector(how === "drop" ? "#transcript" : "#say");
  const event = how === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  return !target.dispatchEvent(event);
}"""
LOOKS = """() => {
  const picture = document.querySelector('#transcript [class*="picture-"]');
  const style = getComputedStyle(picture, "::before");
  return { image: style.backgroundImage, width: style.width };
}"""


NARROW = """Object.defineProperty(RTCSctpTransport.prototype, "maxMessageSize",
  { get: () => 65536 });"""


@pytest.fixture(scope="module")
def photo() -> bytes:
    """Of twelve megapixels with the place where it was taken."""
    noise = np.random.default_rng(7).integers(0, 255, (60, 80, 3), np.uint8)
    large = Image.fromarray(noise).resize((4000, 3000), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    file = io.BytesIO()
    large.save(file, "JPEG", quality=97, exif=exif)
    assert PLACE in file.getvalue()
    return file.getvalue()


def attach(page: Page, data: bytes, kind: str = "image/jpeg") -> None:
    file = FilePayload(name="a picture", mimeType=kind, buffer=data)
    page.set_input_files("#image-file", files=[file])


def problem(page: Page) -> Any:
    return expect(page.locator("#image-problem"))


def waiting(page: Page, size: str) -> None:
    expect(page.locator("#attached")).to_be_visible()
    expect(page.locator("#attached-size")).to_have_text(f"Image, {size}")
    problem(page).to_be_empty()


def nothing_waits(page: Page) -> None:
    expect(page.locator("#attached")).to_be_hidden()


def test_an_image_goes_along_with_the_next_line_or_alone_and_is_shown(
    practice: str, visit: Visit, photo: bytes
) -> None:
    page = visit(practice)
    attach(page, photo)
    waiting(page, "1,024 × 768")
    expect(page.locator("#say")).to_be_focused()
    with page.expect_request("**/api/image") as asked:
        say(page, "what is 1 + 2")
    sent = b64decode(orjson.loads(asked.value.post_data or "{}")["image"])
    assert len(sent) <= MOST_BYTES
    assert PLACE not in sent
    nothing_waits(page)

    transcript = page.locator("#transcript")
    expect(transcript.locator(".user.message .picture")).to_have_text("Image, 1,024 × 768")
    expect(transcript).to_contain_text("I got a picture of 1024 by 768 points.", timeout=LIMIT_MS)
    looks = page.evaluate(LOOKS)
    assert looks["image"].startswith('url("blob:')
    assert looks["width"] == "220px"

    assert page.evaluate(GIVE, ["paste", list(png(64, 48)), "image/png"])
    waiting(page, "64 × 48")
    page.click("#send")
    expect(transcript).to_contain_text("I got a picture of 64 by 48 points.", timeout=LIMIT_MS)
    state_of(page, "connection").to_have_text("Connected")

    page.route("**/api/image", lambda route: route.abort())
    attach(page, png(64, 48), "image/png")
    waiting(page, "64 × 48")
    say(page, "And this?")
    problem(page).to_contain_text("The image was not sent.")
    expect(page.locator("#say")).to_have_value("And this?")
    expect(page.locator("#attached")).to_be_visible()


def test_what_cannot_be_shown_gets_a_sentence_and_what_waits_can_be_removed(
    practice: str, visit: Visit, tmp_path: Path
) -> None:
    page = visit(practice)
    attach(page, gif(), "image/png")
    problem(page).to_have_text("Only PNG and JPEG images can be sent. Choose one of these.")

    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    page.set_input_files("#image-file", large)
    problem(page).to_have_text("This file has 50 MB; 25 MB is the most. Choose a smaller image.")

    attach(page, png()[:60], "image/png")
    problem(page).to_have_text("This image is broken. Choose another one.")
    nothing_waits(page)
    expect(page.locator("#start")).to_have_text("Start call")

    assert page.evaluate(GIVE, ["drop", list(png(64, 48)), "image/png"])
    waiting(page, "64 × 48")
    page.focus("#attach")
    page.keyboard.press("Tab")
    expect(page.locator("#detach")).to_be_focused()
    page.keyboard.press("Enter")
    nothing_waits(page)
    expect(page.locator("#say")).to_be_focused()


def test_an_image_goes_over_the_direct_route_as_small_as_its_connection_needs(
    practice: str, visit: Visit, quiet: Browser, photo: bytes
) -> None:
    page = visit(practice, using=quiet, script=NARROW)
    page.click("#inspect")
    page.click("#tab-route")
    page.check('#route input[value="direct"]')
    page.keyboard.press("Escape")
    attach(page, photo)
    waiting(page, "1,024 × 768")
    page.click("#send")

    transcript = page.locator("#transcript")
    smaller = re.compile(r"I got a picture of (768|512|320) by \d+ points\.")
    expect(transcript).to_contain_text(smaller, timeout=LIMIT_MS)
    assert page.evaluate(LOOKS)["image"].startswith('url("blob:')
    state_of(page, "connection").to_have_text("Connected")
