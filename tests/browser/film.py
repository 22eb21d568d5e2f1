"""`python -m tests.browser.film`: make the moving picture of the README anew, of a real call.

A person asks for the time, has the assistant count, and talks over it; the fake microphone of
Chromium plays the voice, and the practice server answers. It needs Chromium and ffmpeg, and says
nothing about whether the page is right; tests do that.
"""

import io
import sys
import tempfile
import time
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.browser.pictures import HERE, LIMIT_MS, SWITCHES, installed_chromium
from tests.running import running_app
from tests.speech import speech

FILE = HERE / "call.webp"
MOST_BYTES = 400_000
SIZE = ViewportSize(width=800, height=620)
RATE = 48_000
SAID = (2.0, "what time is it", 4.0, "count to thirty", 5.0, "thank you very much", 30.0)
"""Silence in seconds and words, in turn; each silence holds the answer to the words before it."""
FRAME_S = 1 / 8
MOST_COLOURS = 96
NO_DITHER = Image.Dither.NONE
LAST_S = 2.5
"""So long the end stays before the film begins again."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        voice = _voice(Path(folder) / "voice.wav")
        with running_app(Path(folder)) as url, sync_playwright() as on:
            browser = on.chromium.launch(
                executable_path=installed_chromium(),
                args=[*SWITCHES, f"--use-file-for-fake-audio-capture={voice}%noloop"],
            )
            page = browser.new_page(viewport=SIZE)
            page.goto(url)
            expect(page.locator("#start")).to_be_enabled()
            shots = _film(page)
            browser.close()
    _write(shots)
    size = FILE.stat().st_size
    sys.stdout.write(f"{FILE.name}: {len(shots)} pictures, {size} bytes\n")
    if size > MOST_BYTES:
        sys.exit(f"That is too large; {MOST_BYTES} bytes are the most.")


def _voice(path: Path) -> Path:
    pieces = [
        speech(part) if isinstance(part, str) else np.zeros(int(part * RATE), np.int16)
        for part in SAID
    ]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate(pieces).tobytes())
    return path


def _film(page: Page) -> list[tuple[float, bytes]]:
    """Pictures of a call with the time of each, until the last answer has been heard."""
    shots = [(time.monotonic(), page.screenshot())]
    page.click("#start")
    until = time.monotonic() + LIMIT_MS / 1000
    while not _is_over(page):
        if time.monotonic() > until:
            sys.exit("The call did not come to its end.")
        page.wait_for_timeout(max(0, (shots[-1][0] + FRAME_S - time.monotonic()) * 1000))
        shots.append((time.monotonic(), page.screenshot()))
    return shots


def _is_over(page: Page) -> bool:
    answers = page.locator("#transcript .bot.message").all_inner_texts()
    idle = page.locator("#assistant-status").inner_text() == "Idle"
    return idle and len(answers) == 3 and "welcome" in answers[2]


def _write(shots: list[tuple[float, bytes]]) -> None:
    """Each picture for as long as it was the newest, in few colours: text stays sharp so."""
    images = [Image.open(io.BytesIO(data)).convert("RGB") for _, data in shots]
    times = [at for at, _ in shots]
    shown_ms = [round((after - at) * 1000) for at, after in pairwise(times)]
    colours = _colours(images)
    first, *others = [each.quantize(palette=colours, dither=NO_DITHER) for each in images]
    first.convert("RGB").save(
        FILE,
        save_all=True,
        append_images=[each.convert("RGB") for each in others],
        duration=[*shown_ms, round(LAST_S * 1000)],
        loop=0,
        lossless=True,
        method=4,
        minimize_size=True,
    )


def _colours(images: list[Image.Image]) -> Image.Image:
    """A palette of what is seen in all of the film, with what is rare in it, such as a sign."""
    some = [*images[::24], images[-1]]
    sheet = Image.new("RGB", (SIZE["width"], SIZE["height"] * len(some)))
    for number, image in enumerate(some):
        sheet.paste(image, (0, number * SIZE["height"]))
    return sheet.quantize(MOST_COLOURS, method=Image.Quantize.MAXCOVERAGE)


if __name__ == "__main__":
    main()
