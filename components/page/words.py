"""How the words of a call reach the page's transcript, over either route, and how they are kept.

Rule: what a tab has said and heard is shown to that tab alone: over the bridged route to the
session that owns the connection, over the direct one to who knows the call's unguessable name, and
after the call to who knows the tab's key.
"""

from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

import gradio as gr
from fastrtc import WebRTC

from components.bridge.calls import Calls, key_of
from components.bridge.signalling import Signalling
from components.core.conversation import Conversation
from components.page import drawer, view
from components.page.saved import saved
from components.protocol.prices import Cost

SNAPSHOT_S: Final = 0.1
"""The page gets a whole transcript at most ten times a second: a word may then wait a tenth of a
second for its snapshot, and each snapshot is work for Gradio."""


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


def show_bridged(
    call: WebRTC, transcript: gr.Chatbot, signalling: Signalling, most_calls: int
) -> None:
    """One long Gradio event for each connection, which the page asks for when there is news."""

    async def follow(webrtc_id: str, request: gr.Request) -> AsyncIterator[Any]:
        session_hash = str(request.session_hash)
        known = False
        async for conversation in signalling.transcript(webrtc_id, session_hash, SNAPSHOT_S):
            known = True
            yield view.messages(conversation)
        if not known:
            yield gr.skip()  # without a value Gradio would empty the transcript

    shown = call.state_change(
        follow,
        inputs=[call],
        outputs=[transcript],
        show_progress="hidden",
        trigger_mode="once",
        # One still ending for each call that was just hung up.
        concurrency_limit=4 * most_calls + 16,
        api_name="transcript",
        show_api=False,
    )
    # Whether it ended well or not: the page waits for it before it forgets.
    shown.then(None, js="() => window.realtimeVoice.snapshots.end()")


def show_direct(
    watching: Watching,
    calls: Calls,
    asked: tuple[gr.Textbox, gr.Textbox],
    outputs: tuple[gr.HTML, gr.Chatbot],
    most_calls: int,
) -> None:
    """Show a watched call as it changes, and keep its words under the tab's key.

    `asked` holds the call's name, which the page has from the server, and the key.
    """
    newest: dict[str, str] = {}  # the call that each page shows

    async def follow(name: str, key: str, request: gr.Request) -> AsyncIterator[Any]:
        page, tab = str(request.session_hash), key_of(key)
        newest[page] = name
        yield gr.skip(), gr.skip()  # of a call that nobody knows there is nothing else
        try:
            async for seen in watching.follow(name, SNAPSHOT_S):
                if newest.get(page) != name:
                    return  # the end of a call is no news once there is another
                conversation = seen.conversation
                calls.remember(tab, conversation)
                known = drawer.direct_seen(conversation, seen.answer_s, seen.cost)
                yield known, view.messages(conversation)
        finally:
            if newest.get(page) == name:
                del newest[page]

    # Not `change`, which Gradio raises twice for what a script has filled in.
    shown = asked[0].input(
        follow,
        inputs=list(asked),
        outputs=list(outputs),
        js="(name) => [name.trim(), window.realtimeVoice.key()]",
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=4 * most_calls + 16,
    )
    shown.then(None, js="() => window.realtimeVoice.snapshots.end()")


def keep_words(demo: gr.Blocks, transcript: gr.Chatbot, key: gr.Textbox, calls: Calls) -> None:
    """What this tab said before is there again after a reload, until it asks for a new start."""
    forget = gr.Button(elem_id="forget", visible="hidden")
    form = gr.Textbox(visible=False)
    text = gr.Textbox(visible=False)
    save = gr.Button(elem_id="save-words", visible="hidden")

    async def recall(key: str) -> list[view.Shown]:
        return view.messages(await calls.recall(key_of(key)))

    async def start_anew(key: str) -> list[view.Shown]:
        calls.forget(key)
        await calls.forget_elsewhere(key_of(key))
        return []

    async def save_words(key: str, form: str) -> str:
        return saved(await calls.recall(key_of(key)), form)

    quiet: Any = {"show_progress": "hidden", "show_api": False, "queue": False}
    this_tab, old_tab = (f"() => [window.realtimeVoice.{name}()]" for name in ("key", "renewKey"))
    demo.load(recall, key, transcript, js=this_tab, api_name="recall", **quiet)
    forget.click(start_anew, key, transcript, js=old_tab, api_name="start_anew", **quiet)
    asks = "() => [window.realtimeVoice.key(), window.realtimeVoice.saving.form()]"
    written = save.click(save_words, [key, form], text, js=asks, api_name="save_words", **quiet)
    written.then(None, text, js="(text) => window.realtimeVoice.saving.write(text)")
