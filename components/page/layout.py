"""The Gradio Blocks: places the parts and wires fastrtc's component to the call handler.

Rule: Gradio carries only the transcript, at most five snapshots a second. All that is faster, and
everything that the page tells the handler, goes over fastrtc's data channel (page.js).
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import gradio as gr
from fastrtc import WebRTC

from components.access.rates import Rates
from components.bridge.calls import Calls
from components.bridge.signalling import Signalling
from components.browser.sources import direct_head, page_head
from components.page import markup, view
from components.page.direct_tab import Watching, direct_tab
from components.page.local import keep_local
from components.page.theme import theme
from components.settings import Settings

SNAPSHOT_S: Final = 0.2
"""The page gets a whole transcript at most five times a second: words are spoken no faster, and
each snapshot is work for Gradio."""


def build(
    settings: Settings,
    calls: Calls,
    rates: Rates,
    *,
    rtc_configuration: Any,
    server_rtc_configuration: Mapping[str, Any] | None,
    notice: str = "",
    watching: Watching | None = None,
) -> gr.Blocks:
    """The page, whose callers meet in `calls`; `notice` is a sentence to show from the start.

    `rtc_configuration` must be a dict or a plain function: fastrtc passes on anything else as it
    is. `watching` adds the tab of the direct route.
    """
    keep_local()
    with gr.Blocks(
        title="Realtime Voice",
        theme=theme(),
        head=page_head() + (direct_head() if watching else ""),
        analytics_enabled=False,
        fill_width=True,
    ) as demo:
        gr.HTML(markup.header(settings), padding=False)
        with _tabs(watching, settings), gr.Row(elem_id="stage"):
            with gr.Column(elem_id="desk"):
                gr.HTML(markup.desk(settings, notice), padding=False)
                call = _call(rtc_configuration, server_rtc_configuration)
            with gr.Column(elem_id="dialogue"):
                transcript = _transcript(settings)
                gr.HTML(markup.composer(), padding=False)
        _show_transcript(call, transcript, Signalling(call, calls, rates, settings), settings)
        _remember(demo, transcript, calls)
    return demo


@contextmanager
def _tabs(watching: Watching | None, settings: Settings) -> Iterator[None]:
    """The tabs, if there is a direct route; the call then stands in the first."""
    if watching is None:
        yield
        return
    with gr.Tabs(elem_id="routes"):
        with gr.Tab("Talk"):
            yield
        with gr.Tab("Direct"):
            direct_tab(watching, settings.max_calls)


def _call(rtc_configuration: Any, server_rtc_configuration: Mapping[str, Any] | None) -> WebRTC:
    return WebRTC(
        elem_id="call",
        modality="audio",
        mode="send-receive",
        full_screen=False,
        rtc_configuration=rtc_configuration,
        server_rtc_configuration=server_rtc_configuration,
        show_label=False,
        container=False,
    )


def _transcript(settings: Settings) -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="transcript",
        type="messages",
        label="Transcript",
        show_label=False,
        container=False,
        height="100%",
        # view.py makes HTML of its own; it is not Markdown, and Gradio still cleans it.
        render_markdown=False,
        sanitize_html=True,
        latex_delimiters=[],
        group_consecutive_messages=False,
        feedback_options=None,
        placeholder=markup.empty_transcript(settings),
    )


def _show_transcript(
    call: WebRTC, transcript: gr.Chatbot, signalling: Signalling, settings: Settings
) -> None:
    """One long Gradio event for each connection, which the page asks for when there is news."""

    async def follow(webrtc_id: str, request: gr.Request) -> AsyncIterator[list[view.Shown]]:
        session_hash = str(request.session_hash)
        async for conversation in signalling.transcript(webrtc_id, session_hash, SNAPSHOT_S):
            yield view.messages(conversation)

    shown = call.state_change(
        follow,
        inputs=[call],
        outputs=[transcript],
        show_progress="hidden",
        trigger_mode="once",
        # One still ending for each call that was just hung up.
        concurrency_limit=4 * settings.max_calls + 16,
        api_name="transcript",
        show_api=False,
    )
    # Whether it ended well or not: the page waits for it before it forgets.
    shown.then(None, js="() => window.realtimeVoice.snapshots.end()")


def _remember(demo: gr.Blocks, transcript: gr.Chatbot, calls: Calls) -> None:
    """What this tab said before is there again after a reload, until it asks for a new start."""
    key = gr.Textbox(visible=False)
    forget = gr.Button(elem_id="forget", visible="hidden")

    async def recall(key: str) -> list[view.Shown]:
        return view.messages(calls.past(key))

    async def start_anew(key: str) -> list[view.Shown]:
        calls.forget(key)
        return []

    quiet: Any = {"show_progress": "hidden", "show_api": False, "queue": False}
    this_tab, old_tab = (f"() => [window.realtimeVoice.{name}()]" for name in ("key", "renewKey"))
    demo.load(recall, key, transcript, js=this_tab, api_name="recall", **quiet)
    forget.click(start_anew, key, transcript, js=old_tab, api_name="start_anew", **quiet)
