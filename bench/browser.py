"""Sound and silence as a person gets them: what the remote track emits in a real Chromium.

Each reply is a chirp, so that the pitch of what is heard tells which part of which reply it is. The
times of the browser are brought to the server's clock by asking the page for its time.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page, async_playwright

from bench.apps import NAMES, Name
from bench.signals import CHIRP_SLOPE, in_chirp, missing_ms, position_ms
from bench.stage import Stage, stage

PAUSES_S: Final = (None, 0.3, 1.2, None, 3.0, 0.6, None, 2.0, 1.0, None)
"""Before each reply that is heard to its end; None is a reply that the user interrupts."""
FIRST_PAUSE_S: Final = 1.0
REPLY_S: Final = 1.6
HERTZ: Final = (500.0, 1500.0, 2500.0)
"""Where the chirps of replies begin, by turns; none reaches into another's band."""
LONG_REPLY_S: Final = 6.0
LONG_HERTZ: Final = 4000.0
INTERRUPT_AFTER_S: Final = (1.2, 2.0, 1.5, 2.4)
SILENCE_S: Final = 2.4
"""After an interruption; what sounds until then counts as not stopped."""
LOUD: Final = 0.05
"""Peak of what is heard; a chirp's is 0.24."""
NEAR_MS: Final = 60
WORDS: Final = 20
WORD_EVERY_S: Final = 0.19
CONNECT_LIMIT_MS: Final = 20_000
SWITCHES: Final = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


class BrowserError(Exception):
    """The measurement is not possible on this machine; the text says why."""


@dataclass(frozen=True)
class Reply:
    """What the server sent: when its first delta left (ns), and its chirp."""

    sent: int
    seconds: float
    hertz: float
    pause_s: float | None
    cut: int | None = None
    """When `speech_started` was sent (ns)."""


@dataclass(frozen=True)
class Heard:
    """Ten milliseconds with sound in them: when they were emitted (ns), and their pitch."""

    ns: int
    hertz: float


async def measure(inspected: bool = False) -> dict[str, Any]:
    """The figures of both apps, one after the other in the same browser.

    `inspected`: with the drawer of ours open on the events, and a recording under way.
    """
    path = installed()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=SWITCHES)
        try:
            results: dict[str, Any] = {}
            for name in NAMES:
                page = await (await browser.new_context()).new_page()
                results[name] = await _measure(name, page, inspected)
                await page.context.close()
            return results
        finally:
            await browser.close()


def installed() -> str:
    """The path of Chromium; `BrowserError` if there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise BrowserError("Chromium is not installed.")
    return path


async def _measure(name: Name, page: Page, inspected: bool) -> dict[str, Any]:
    async with stage(name, processes=0, inspected=inspected) as on, _call(on, page):
        shift = await _clock_shift(page)
        await page.evaluate("bench.take()")
        replies = await _converse(on)
        frames = await page.evaluate("bench.take()")
        jitter = await page.evaluate("bench.jitter()")
        truncates = await on.server.ask("events", call=0, type_="conversation.item.truncate")
        words = await _caption(on, page, shift) if name == "ours" else []
    heard = [Heard(round(t * 1e6) + shift, hertz) for t, _, peak, hertz in frames if peak > LOUD]
    return {
        "replies": [
            _judge(reply, _of(reply, replies, heard), until, truncates)
            for reply, until in zip(replies, [*(r.sent for r in replies[1:]), 1 << 62], strict=True)
        ],
        "words_ms": words,
        "jitter_buffer": _jitter_figures(jitter),
        "frames": len(frames),
    }


@asynccontextmanager
async def _call(on: Stage, page: Page) -> AsyncIterator[None]:
    """The page of the app, in a call."""
    await page.add_init_script(path=Path(__file__).with_name("listen.js"))
    await page.goto(on.app.url)
    if on.app.name == "ours":
        if on.inspected:
            for button in ("inspect", "tab-recording", "record", "tab-events"):
                await page.locator(f"#{button}").click()
        await page.locator("#start").click()
    else:
        await page.locator('#call [title="grant webcam access"] button').click()
        await page.locator('#call button[aria-label="start stream"]').click()
    await on.server.ask("configured", call=0)
    await asyncio.sleep(FIRST_PAUSE_S)
    yield
    await page.goto("about:blank")


async def _clock_shift(page: Page) -> int:
    """What to add to the page's time to get this machine's monotonic one, in ns."""
    best = (1 << 62, 0)
    for _ in range(20):
        before = time.monotonic_ns()
        there = await page.evaluate("bench.now()")
        after = time.monotonic_ns()
        best = min(best, (after - before, (before + after) // 2 - round(there * 1e6)))
    return best[1]


async def _converse(on: Stage) -> list[Reply]:
    """Replies after pauses of all lengths; interruptions between them, and at the end."""
    replies = []
    cuts = iter(INTERRUPT_AFTER_S)
    for number, pause in enumerate(PAUSES_S):
        if pause is None:
            replies.append(await _interrupted(on, next(cuts)))
            continue
        await asyncio.sleep(pause)
        hertz = HERTZ[number % len(HERTZ)]
        sent = await on.server.ask("reply", call=0, seconds=REPLY_S, hertz=hertz)
        replies.append(Reply(sent, REPLY_S, hertz, pause))
        await asyncio.sleep(max(0.0, sent / 1e9 + REPLY_S - time.monotonic()))
    return replies


async def _interrupted(on: Stage, after_s: float) -> Reply:
    await asyncio.sleep(FIRST_PAUSE_S)
    sent = await on.server.ask("reply", call=0, seconds=LONG_REPLY_S, hertz=LONG_HERTZ)
    await asyncio.sleep(after_s)
    cut = await on.server.ask("interrupt", call=0)
    await asyncio.sleep(SILENCE_S)
    return Reply(sent, LONG_REPLY_S, LONG_HERTZ, None, cut)


def _of(reply: Reply, replies: list[Reply], heard: list[Heard]) -> list[Heard]:
    """What was heard of a reply: its pitches, until the next reply with the same ones.

    The pitch of a frame with a beginning, an end or a patch in it is a matter of chance; such a
    frame has no neighbour in time that is one in the chirp.
    """
    later = [r.sent for r in replies if r.sent > reply.sent and r.hertz == reply.hertz]
    until = min(later, default=1 << 62)
    own = [
        frame
        for frame in heard
        if reply.sent <= frame.ns < until and in_chirp(frame.hertz, reply.hertz, reply.seconds)
    ]
    beside = [[o for o in own[max(0, i - 2) : i + 3] if o is not own[i]] for i in range(len(own))]
    return [f for f, others in zip(own, beside, strict=True) if any(_near(f, o) for o in others)]


def _near(one: Heard, other: Heard) -> bool:
    return (
        abs(one.ns - other.ns) < NEAR_MS * 1e6
        and abs(one.hertz - other.hertz) < NEAR_MS / 1000 * CHIRP_SLOPE
    )


def _judge(reply: Reply, heard: list[Heard], until: int, truncates: list[Any]) -> dict[str, Any]:
    """The figures of one reply, in ms; `heard` is in order of time, the next reply is at `until`.

    A jitter buffer that runs dry keeps its last packets, and gives them away with the next reply.
    """
    figures: dict[str, Any] = {"pause_s": reply.pause_s, "heard_ms": 10 * len(heard)}
    if not heard:
        return figures
    figures["first_sound_ms"] = (heard[0].ns - reply.sent) / 1e6
    positions = [position_ms(frame.hertz, reply.hertz) for frame in heard]
    if reply.cut is None:
        figures["missing_ms"] = missing_ms(positions, 1000 * reply.seconds)
        return figures
    now = [frame for frame in heard if frame.ns < until]
    figures["silence_ms"] = max(0.0, (now[-1].ns - reply.cut) / 1e6 + 10) if now else 0.0
    figures["heard_with_next_reply_ms"] = 10 * (len(heard) - len(now))
    figures["heard_until_ms"] = positions[-1] + 5
    for ns, event in truncates:
        if 0 <= ns - reply.cut < 1e9:
            figures["audio_end_ms"] = event["audio_end_ms"]
    return figures


async def _caption(on: Stage, page: Page, shift: int) -> list[float]:
    """From the sending of each transcript delta to its words on the page, in ms."""
    words = [f"word{number:02}" for number in range(WORDS)]
    await page.evaluate("words => bench.watch(words)", words)
    sent = await on.server.ask("caption", call=0, words=words, every_s=WORD_EVERY_S)
    await asyncio.sleep(1)
    seen = await page.evaluate("bench.seen()")
    return [
        (seen[word] * 1e6 + shift - ns) / 1e6
        for word, ns in zip(words, sent, strict=True)
        if word in seen
    ]


def _jitter_figures(entry: dict[str, Any]) -> dict[str, float]:
    """What Chromium's jitter buffer did to the sound, in ms of the whole call."""
    rate = 48  # samples per ms
    return {
        "sped_up_ms": entry.get("removedSamplesForAcceleration", 0) / rate,
        "slowed_down_ms": entry.get("insertedSamplesForDeceleration", 0) / rate,
        "concealed_ms": entry.get("concealedSamples", 0) / rate,
        "discarded_packets": entry.get("packetsDiscarded", 0),
    }
