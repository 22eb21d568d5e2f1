"""The Gradio Blocks: places the parts and wires fastrtc's component to the call handler.

Rule: Gradio carries only the transcript, at most ten snapshots a second. All that is faster, and
everything that the page tells the handler, goes over fastrtc's data channel (page.js).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import gradio as gr
from fastrtc import AsyncStreamHandler, WebRTC

from components.conversation import Conversation
from components.page import markup, view
from components.page.direct import Watching, direct_head, direct_tab
from components.page.local import keep_local
from components.page.theme import theme
from components.peer import use_own_tracks
from components.settings import Settings

_HERE: Final = Path(__file__).parent
_SCRIPTS: Final = ("microphone.js", "component.js", "levels.js", "page.js")
"""In the order in which they need each other."""

_MICROPHONE: Final = {
    "echoCancellation": True,
    "noiseSuppression": True,
    "autoGainControl": True,
    "channelCount": 1,
}
"""Plain values are wishes; fastrtc's own default demands them, and Safari then refuses."""


class Screen(Protocol):
    """What a call wants shown; the newest snapshot replaces one that nobody took."""

    def take(self) -> Conversation | None:
        """The newest snapshot, once; None if there is none since the last call."""


def build(
    settings: Settings,
    handler: AsyncStreamHandler,
    *,
    rtc_configuration: Any,
    server_rtc_configuration: Mapping[str, Any] | None,
    notice: str = "",
    watching: Watching | None = None,
) -> gr.Blocks:
    """The page; `handler` is copied for each call, `notice` is a sentence to show from the start.

    `rtc_configuration` must be a dict or a plain function: fastrtc passes on anything else as it
    is. The handler emits `AdditionalOutputs(screen)` with a `Screen`. `watching` adds the tab of
    the direct route.
    """
    keep_local()
    with gr.Blocks(
        title="Realtime Voice",
        theme=theme(),
        head=_head() + (direct_head() if watching else ""),
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
        call.stream(fn=handler, inputs=[call], outputs=[call], concurrency_limit=settings.max_calls)
        use_own_tracks(call)
        # One long Gradio event per call, and one still ending per call that was just hung up.
        call.on_additional_outputs(
            _show, outputs=[transcript], concurrency_limit=4 * settings.max_calls + 16, queue=True
        )
    return demo


@contextmanager
def _tabs(watching: Watching | None, settings: Settings) -> Iterator[None]:
    """The place of the call: the whole page, or its first tab."""
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
        track_constraints=_MICROPHONE,
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


def _show(screen: Screen) -> Any:
    conversation = screen.take()
    return gr.skip() if conversation is None else view.messages(conversation)


def _head() -> str:
    """Inlined, so that it works behind any root path and through the share tunnel.

    The style does not go through Gradio's `css`, which rewrites its selectors.
    """
    style = (_HERE / "page.css").read_text("utf-8")
    scripts = ((_HERE / name).read_text("utf-8") for name in _SCRIPTS)
    return f"<style>{style}</style>" + "".join(f"<script>{script}</script>" for script in scripts)
