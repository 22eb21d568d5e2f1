"""The Gradio Blocks: places the parts and wires fastrtc's component to the call handler.

Rule: Gradio carries only the transcript, at most ten snapshots a second. All that is faster, and
everything that the page tells the handler, goes over fastrtc's data channel (browser/page).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import gradio as gr
from fastrtc import WebRTC

from components.access.rates import Rates
from components.bridge.calls import Calls
from components.bridge.raw import may_send_raw
from components.bridge.signalling import Signalling
from components.browser.sources import page_head
from components.page import drawer, inspection, markup, money, recording, toolbox, tuning
from components.page.local import keep_local
from components.page.theme import theme
from components.page.words import Watching, keep_words, show_bridged, show_direct
from components.settings import Settings
from components.tools import TOOLS
from components.upstream.configuration import session_options

HEAD: Final = "head"
QUIET: Final[dict[str, Any]] = {"container": False, "show_label": False}


def build(
    settings: Settings,
    calls: Calls,
    rates: Rates,
    *,
    rtc_configuration: Any,
    server_rtc_configuration: Mapping[str, Any] | None,
    notice: str = "",
    watching: Watching | None = None,
    parts: Mapping[str, str] = MappingProxyType({}),
) -> gr.Blocks:
    """The page, whose callers meet in `calls`; `notice` is a sentence to show from the start.

    `rtc_configuration` must be a dict or a plain function: fastrtc passes on anything else as it
    is. `watching` adds the direct route. `parts` names the practice server's `ears`, `voice` and
    `mind`.
    """
    keep_local()
    with gr.Blocks(
        title="Realtime Voice",
        theme=theme(),
        head=page_head(direct=watching is not None),
        analytics_enabled=False,
        fill_width=True,
    ) as demo:
        with gr.Row(elem_id="shell"):
            with gr.Column(elem_id="talk-to-it"):
                gr.HTML(markup.header(settings, parts), padding=False, elem_id=HEAD)
                transcript = _transcript(settings, parts)
                gr.HTML(markup.signs(), padding=False, elem_id="signs")
                gr.HTML(markup.bar(settings, notice, parts), padding=False, elem_id="desk")
                call = _call(rtc_configuration, server_rtc_configuration)
            key = gr.Textbox(visible=False)
            with gr.Column(elem_id="drawer"):
                _panes(transcript, key, calls, watching, settings)
        signalling = Signalling(call, calls, rates, settings)
        show_bridged(call, transcript, signalling, settings.max_calls)
        keep_words(demo, transcript, key, calls)
    return demo


def shown_components(demo: gr.Blocks) -> set[str]:
    """The names of Gradio's components that the page shows."""
    return {part["type"] for part in demo.config["components"]}


class Header:
    """What pages are loaded with from now on: who is at the other end, and the public link."""

    def __init__(self, demo: gr.Blocks, settings: Settings, parts: Mapping[str, str]) -> None:
        self._demo = demo
        self._settings = settings
        self._parts = parts
        self._link = ""

    def link(self, link: str) -> None:
        """The public link; empty if there is none after all."""
        self._link = link
        self._settings = replace(self._settings, share=bool(link))
        self._show()

    def parts(self, parts: Mapping[str, str]) -> None:
        """Those of the practice server, which may come from another thread."""
        self._parts = parts
        self._show()

    def _show(self) -> None:
        [head] = [each for each in self._demo.blocks.values() if each.elem_id == HEAD]
        head.value = markup.header(self._settings, self._parts, self._link)
        self._demo.config = self._demo.get_config_file()  # made once by Gradio, sent with each page


def _panes(
    transcript: gr.Chatbot,
    key: gr.Textbox,
    calls: Calls,
    watching: Watching | None,
    settings: Settings,
) -> None:
    """The drawer with the panes that this app has something to show in."""
    tuned = tuning.pane(session_options(settings), _tunable(settings)) + tuning.own_key(settings)
    shown = {
        "settings": bool(tuned),
        "tools": "tools" in settings.visitors_may,
        "timing": "events" in settings.visitors_may,
        "events": "events" in settings.visitors_may,
        "cost": "events" in settings.visitors_may,
        "sound": True,
        "recording": "record" in settings.visitors_may,
        "route": watching is not None,
    }
    panes = [pane for pane in drawer.PANES if shown[pane]]
    gr.HTML(drawer.tabs(panes), padding=False, elem_id="drawer-head")
    if shown["settings"]:
        drawer.pane("settings", tuned)
    if shown["tools"]:
        drawer.pane("tools", toolbox.pane(TOOLS))
    if shown["events"]:
        drawer.pane("timing", inspection.TIMING)
        drawer.pane("cost", money.pane(settings))
        drawer.pane("events", inspection.events(raw=may_send_raw(settings)))
    drawer.sound()
    if shown["recording"]:
        drawer.pane("recording", recording.PANE)
    if watching is not None:
        seen, name = drawer.route()
        show_direct(watching, calls, (name, key), (seen, transcript), settings.max_calls)


def _tunable(settings: Settings) -> list[str]:
    """The practice server has one model."""
    return [name for name in settings.visitors_may if name != "model" or not settings.practice]


def _call(rtc_configuration: Any, server_rtc_configuration: Mapping[str, Any] | None) -> WebRTC:
    return WebRTC(
        elem_id="call",
        modality="audio",
        mode="send-receive",
        full_screen=False,
        rtc_configuration=rtc_configuration,
        server_rtc_configuration=server_rtc_configuration,
        **QUIET,
    )


def _transcript(settings: Settings, parts: Mapping[str, str]) -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="transcript",
        type="messages",
        label="Transcript",
        height="100%",
        # view.py makes HTML of its own; it is not Markdown, and Gradio still cleans it.
        render_markdown=False,
        sanitize_html=True,
        latex_delimiters=[],
        group_consecutive_messages=False,
        feedback_options=None,
        # Gradio would pull whoever reads further up back to the end (transcript.js follows it).
        autoscroll=False,
        placeholder=markup.empty_transcript(settings, parts),
        **QUIET,
    )
