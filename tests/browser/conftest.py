"""Chromium with a fake microphone, and servers to point it at."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import threading
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.middleware import Middleware

from components.access.rates import Rates
from components.page.layout import build
from components.page.news import News
from components.page.weight import Weight
from components.settings import Settings
from tests.browser.button import CHANNELS
from tests.browser.scripted import Control
from tests.running import running_app
from tests.speech import speech

RESULTS = Path(__file__).parents[2] / "test-results"
_SWITCHES = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-quic",
    "--no-first-run",
    # Drawn by the processor either way; so without a process that pretends to be a graphics card.
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_RATE = 48_000
_ALLOW = "--use-fake-ui-for-media-stream"

# Keeps what a call opens, so that a test can ask whether it was closed.
_WITNESS = """
window.witness = { tracks: [], peers: [], contexts: [], audio: null };
for (const [name, list] of [["RTCPeerConnection", "peers"], ["AudioContext", "contexts"]]) {
  window[name] = new Proxy(window[name], {
    construct(Native, args) {
      const made = new Native(...args);
      window.witness[list].push(made);
      return made;
    },
  });
}
if (navigator.mediaDevices) {
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = await ask(constraints);
    window.witness.tracks.push(...stream.getTracks());
    return stream;
  };
  const copy = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function () {
    const made = copy.call(this);
    window.witness.tracks.push(made);
    return made;
  };
}
"""

# Twenty frames a second: sixty take a sixth of what a page in a call takes of the processor.
_FEW_FRAMES = """
{
  const request = window.requestAnimationFrame.bind(window);
  const cancel = window.cancelAnimationFrame.bind(window);
  const asked = new Map();
  let last = 0;
  window.requestAnimationFrame = (draw) => {
    const id = ++last;
    const ask = () => {
      const frame = request((now) => {
        asked.delete(id);
        draw(now);
      });
      asked.set(id, () => cancel(frame));
    };
    const timer = setTimeout(ask, 40);
    asked.set(id, () => clearTimeout(timer));
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    asked.get(id)?.();
    asked.delete(id);
  };
}
"""

Launch = Callable[..., Browser]


def _need(found: str | None, what: str) -> str:
    """Missing tools skip a test here, and fail it where CI promises them."""
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    if found is None:
        pytest.skip(f"{what} is not installed")
    return found


_WHOLE = ("chromium", "chromium-browser", "google-chrome")
_SHELL = ("chromium-headless-shell", "chrome-headless-shell")


@pytest.fixture(scope="session")
def whole_chromium() -> str:
    """The path of an installed Chromium, with all that a person sees around a page."""
    return _installed(_WHOLE)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for a page and nothing around it, which loads one with less than half
    the processor time; the whole one where there is no such."""
    return _installed(_SHELL + _WHOLE)


def _installed(names: tuple[str, ...]) -> str:
    return _need(next(filter(None, map(shutil.which, names)), None), "Chromium")


@pytest.fixture(scope="session")
def speech_wav(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, float, float], Path]:
    """Makes a WAV file for the fake microphone: silence, spoken words, silence (seconds)."""
    ffmpeg = _need(shutil.which("ffmpeg"), "ffmpeg")
    folder = tmp_path_factory.mktemp("speech")

    def make(words: str, before: float = 1.0, after: float = 3.0) -> Path:
        name = re.sub(r"\W+", "-", words)[:40]
        path = folder / f"{name}-{before}-{after}.wav"
        spoken = re.sub(r"[':\\,;%]", " ", words)
        edges = f"adelay={round(before * 1000)}:all=1,apad=pad_dur={after}"
        source = ["-f", "lavfi", "-i", f"flite=text='{spoken}':voice=slt"]
        form = ["-af", f"aresample=48000,{edges}", "-ac", "1"]
        command = [ffmpeg, "-v", "error", "-y", *source, *form, str(path)]
        subprocess.run(command, check=True, timeout=60)
        return path

    return make


@pytest.fixture(scope="session")
def launch(chromium: str, whole_chromium: str) -> Iterator[Launch]:
    """Starts Chromium; `wav` is what its microphone hears, for ever unless it ends in %noloop.

    The whole one is needed where it asks for the microphone, or remembers devices over a reload.

    Playwright's event loop stays until the end: after a browser test comes no asyncio test.
    """
    with sync_playwright() as playwright, ExitStack() as running:

        def start(
            *, wav: Path | str | None = None, allow: bool = True, whole: bool = False
        ) -> Browser:
            switches = list(_SWITCHES)
            if allow:
                switches.append(_ALLOW)
            if wav is not None:
                switches.append(f"--use-file-for-fake-audio-capture={wav}")
            program = whole_chromium if whole or not allow else chromium
            browser = playwright.chromium.launch(executable_path=program, args=switches)
            running.callback(browser.close)
            return browser

        yield start


@pytest.fixture(scope="session")
def browser(launch: Launch, speech_wav: Callable[..., Path]) -> Browser:
    """A Chromium whose microphone says the same sentence again and again."""
    return launch(wav=speech_wav("Hello, can you hear me?", 0.5, 0.5))


@pytest.fixture(scope="session")
def denying(launch: Launch) -> Browser:
    """A Chromium that asks about the microphone, and has nobody there who allows it."""
    return launch(allow=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Opens an address in a fresh visitor's browser; a failed test leaves a screenshot."""
    contexts: list[BrowserContext] = []
    timed = request.node.get_closest_marker("alone") is not None

    def go(
        url: str,
        *,
        using: Browser = browser,
        script: str = "",
        ready: str | None = "#start:visible",
        **options: Any,
    ) -> Page:
        context = using.new_context(**options)
        contexts.append(context)
        context.add_init_script(_WITNESS + ("" if timed else _FEW_FRAMES) + script)
        page = context.new_page()
        page.goto(url)
        if ready:
            page.wait_for_selector(ready)
        return page

    yield go
    for number, context in enumerate(contexts):
        if request.node.stash.get(_FAILED, False):
            RESULTS.mkdir(exist_ok=True)
            for page in context.pages:
                page.screenshot(path=RESULTS / f"{request.node.name}-{number}.png", full_page=True)
        for page in context.pages:
            page.goto("about:blank")  # the page says goodbye, which a browser's end may not let it
        context.close()


Serve = Callable[..., tuple[str, Control]]


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Serves the page with scripted calls; gives its address and their control."""
    with ExitStack() as running:

        def start(notice: str = "", rtc: Any = None, **fields: Any) -> tuple[str, Control]:
            usual = {"practice": False, "api_key": "test", "max_starts_per_minute": 10_000}
            settings = Settings(**{**usual, **fields})
            control = Control(settings.max_calls)
            calls: Any = control

            def make() -> gr.Blocks:
                return build(
                    settings,
                    calls,
                    Rates(),
                    rtc_configuration=rtc or {"iceServers": []},
                    server_rtc_configuration={"iceServers": []},
                    notice=notice,
                )

            return running.enter_context(served(make)), control

        yield start


@contextmanager
def served(make: Callable[[], gr.Blocks]) -> Iterator[str]:
    """Launches what `make` builds, on a free port, until the end; gives its address. It is sent as
    the app sends it.

    Inside a running event loop, in a thread of its own: without one Gradio makes several and leaves
    them open.
    """
    address: Future[str] = Future()
    enough = threading.Event()

    async def run() -> None:
        try:
            demo = make()
            _, url, _ = demo.launch(
                server_name="127.0.0.1",
                server_port=_free_port(),
                prevent_thread_lock=True,
                quiet=True,
                app_kwargs={"middleware": [Middleware(Weight), Middleware(News, demo=demo)]},
                ssr_mode=False,
            )
        except Exception as error:
            address.set_exception(error)
            return
        address.set_result(url)
        await asyncio.to_thread(enough.wait)
        demo.close(verbose=False)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield address.result()
    finally:
        enough.set()
        thread.join()


def _free_port() -> int:
    """A port that the OS picked; Gradio's own search leaves sockets open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def app(serve: Serve) -> tuple[str, Control]:
    """The page as it is by default, and its calls."""
    return serve()


@pytest.fixture(scope="session")
def says(launch: Launch, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Browser]:
    """A Chromium whose microphone hears seconds of silence and sentences, once."""

    def make(*parts: float | str, **choices: bool) -> Browser:
        sound = [
            np.zeros(int(part * _RATE), np.int16) if isinstance(part, float) else speech(part)
            for part in parts
        ]
        path: Path = tmp_path_factory.mktemp("wav") / "microphone.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(np.concatenate(sound).tobytes())
        return launch(wav=f"{path}%noloop", **choices)

    return make


@pytest.fixture(scope="session")
def quiet(says: Callable[..., Browser]) -> Browser:
    """A Chromium whose microphone hears nothing."""
    return says(60.0)


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the whole app, with the practice server; all visitors are this machine's."""
    folder = tmp_path_factory.mktemp("app")
    with running_app(folder, MAX_CALLS="1000", MAX_STARTS_PER_MINUTE="10000") as url:
        yield url


@pytest.fixture
def demo(practice: str, quiet: Browser, visit: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the demo page and the overlay of its button."""

    def go(*, using: Browser = quiet, script: str = CHANNELS) -> Page:
        page = visit(f"{practice}/direct", using=using, script=script, ready="voice-call .fab")
        page.click("voice-call .fab")
        return page

    return go
