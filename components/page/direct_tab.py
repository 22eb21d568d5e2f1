"""The tab of the direct route: the voice button's panel, and what the server knows of its call.

Rule: the widget speaks with the Realtime server by itself. What stands beside it comes from this
app's server, which watches the call and tells the page under the call's unguessable name.
"""

from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

import gradio as gr

from components.core.conversation import Conversation
from components.page import markup, view
from components.protocol.prices import Cost

PAUSE_S: Final = 0.1
"""Seconds between two snapshots of a call, at least."""


class Seen(Protocol):
    """What the server knows of a watched call at one moment."""

    @property
    def conversation(self) -> Conversation: ...
    @property
    def answer_s(self) -> float | None:
        """Seconds from the end of the user's words to the sound of the answer; None before one."""

    @property
    def cost(self) -> Cost | None:
        """So far; None if nobody knows the price."""


class Watching(Protocol):
    """Calls that the server watches."""

    def follow(self, name: str, pause_s: float) -> AsyncIterator[Seen]:
        """What is known of a call whenever that changes; nothing if nobody knows the call."""


def direct_tab(watching: Watching, most_calls: int) -> None:
    """Lay the tab out, and fill it as the watched call changes, for several pages to a call."""
    with gr.Row(elem_id="direct-stage"):
        gr.HTML(markup.direct_call(), padding=False)
        with gr.Column(elem_id="direct-seen"):
            states = gr.HTML(markup.direct_states(Conversation()), padding=False)
            transcript = gr.Chatbot(
                elem_id="direct-transcript",
                type="messages",
                show_label=False,
                container=False,
                height=420,
                render_markdown=False,
                sanitize_html=True,
                latex_delimiters=[],
                group_consecutive_messages=False,
                placeholder=markup.direct_empty(),
            )
    # Filled by direct.js: the name of the call, which the widget has from its server.
    name = gr.Textbox(elem_id="direct-name", container=False, show_label=False)

    newest: dict[str, str] = {}  # the call that each page shows

    async def follow(name: str, request: gr.Request) -> AsyncIterator[Any]:
        page = str(request.session_hash)
        newest[page] = name
        try:
            async for seen in watching.follow(name, PAUSE_S):
                if newest.get(page) != name:
                    return  # the end of a call is no news once there is another
                conversation = seen.conversation
                known = markup.direct_states(conversation, seen.answer_s, seen.cost)
                yield known, view.messages(conversation)
        finally:
            if newest.get(page) == name:
                del newest[page]

    # Not `change`, which Gradio raises twice for what a script has filled in.
    name.input(
        follow,
        inputs=[name],
        outputs=[states, transcript],
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=4 * most_calls + 16,
    )
