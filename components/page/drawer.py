"""The drawer: panes that look into a call, one at a time, closed until somebody asks for it.

Rule: the page is whole without it. A pane is a Gradio column of its own with an id and a name in
`PANES`; one that has nothing to show in this app is left out, and so is its tab.
"""

from html import escape
from typing import Final

import gradio as gr

from components.core.conversation import Conversation
from components.page.markup import LEGEND
from components.protocol.prices import Cost

PANES: Final = {
    "settings": "Settings",
    "tools": "Tools",
    "timing": "Timing",
    "cost": "Cost",
    "events": "Events",
    "sound": "Sound",
    "recording": "Recording",
    "route": "Route",
}
"""The panes by their ids, in the order of their tabs."""


def tabs(panes: list[str]) -> str:
    """The head of the drawer: a tab for each pane, and the way to close it."""
    buttons = "".join(
        f'<button type="button" role="tab" id="tab-{pane}" aria-controls="{pane}"'
        f' aria-selected="false" tabindex="-1">{PANES[pane]}</button>'
        for pane in panes
    )
    return (
        '<div id="drawer-edge" role="separator" aria-orientation="vertical" tabindex="0"'
        ' aria-label="Width of the drawer"></div>'
        f'<div class="rv-drawer-head"><div role="tablist" aria-label="Inspect">{buttons}</div>'
        '<button type="button" id="drawer-close" aria-label="Close">&times;</button></div>'
    )


def pane(name: str, content: str) -> None:
    """A pane of HTML alone."""
    with gr.Column(elem_id=name, elem_classes="rv-pane"):
        gr.HTML(content, padding=False)


def sound() -> None:
    """The pane of the plot: the last minute, and what can be measured of the sound."""
    pane("sound", _SOUND)


def route() -> tuple[gr.HTML, gr.Textbox]:
    """The pane in which the way of the sound is chosen.

    Answers with what shows a watched call, and with the field in which the page writes its name.
    """
    with gr.Column(elem_id="route", elem_classes="rv-pane"):
        gr.HTML(_ROUTE, padding=False)
        seen = gr.HTML(direct_seen(Conversation()), padding=False)
        name = gr.Textbox(elem_id="direct-name", container=False, show_label=False)
    return seen, name


def direct_seen(
    conversation: Conversation, answer_s: float | None = None, cost: Cost | None = None
) -> str:
    """What the server knows of a call that it only watches; `cost` if there is a price."""
    used = conversation.usage
    tokens = used.input_text + used.input_audio + used.output_text + used.output_audio
    figures = [
        ("answer", "Answer after", "&ndash;" if answer_s is None else f"{answer_s:.2f} s"),
        ("tokens", "Tokens", f"{tokens:,}"),
    ]
    if cost is not None:
        figures.append(("cost", "Cost", _in_dollars(cost)))
    timing = "".join(
        f'<div><dt>{name}</dt><dd data-figure="{figure}">{text}</dd></div>'
        for figure, name, text in figures
    )
    hint = conversation.notice or "What this app's server sees of a direct call, by its sideband:"
    return f'<p>{escape(hint)}</p><dl class="rv-timing" id="direct-timing">{timing}</dl>'


def _in_dollars(cost: Cost) -> str:
    dollars = f"${cost.dollars:.{4 if 0 < cost.dollars < 0.1 else 2}f}"
    return f"at least {dollars}" if cost.unknown else dollars


_SOUND: Final = f"""\
<fieldset class="rv-devices" id="devices">
  <legend class="rv-hidden">Devices</legend>
  <div class="rv-setting"><label for="speaker">Loudspeaker</label>
    <select id="speaker" aria-describedby="told-speaker"></select>
    <small id="told-speaker" class="rv-told" data-how="problem" aria-live="polite"></small></div>
  <div class="rv-setting"><label for="volume">Volume</label>
    <input type="range" id="volume" min="0" max="1" step="0.05" value="1"></div>
  <div class="rv-checks" role="group" aria-label="What the browser does to your microphone">
    <label><input type="checkbox" id="set-echoCancellation" name="echoCancellation"
      checked>Cancel echo</label>
    <label><input type="checkbox" id="set-noiseSuppression" name="noiseSuppression"
      checked>Suppress noise</label>
    <label><input type="checkbox" id="set-autoGainControl" name="autoGainControl"
      checked>Level loudness</label>
  </div>
</fieldset>
<figure class="rv-plot">
  <figcaption>Level in dBFS, last 60 s
    {LEGEND}
  </figcaption>
  <div class="rv-canvas">
    <canvas id="history" role="img"
      aria-label="Level of both voices over the last minute, with who spoke when"></canvas>
  </div>
</figure>
<p>Shaded: from the moment when speech was detected to its end, yours in the upper half, the
  assistant's in the lower one. Marks: <b>▾</b> you begin and <b>▴</b> you end, <b>▸</b> first
  sound of an answer, <b>✕</b> you speak over an answer.</p>
<dl class="rv-timing" id="figures">
  <div><dt>Browser buffer</dt><dd data-figure="buffer">&ndash;</dd></div>
  <div><dt>Round trip</dt><dd data-figure="rtt">&ndash;</dd></div>
  <div hidden><dt>Cost</dt><dd data-figure="cost">&ndash;</dd></div>
</dl>
<section class="rv-checkup" aria-label="Would a call work in this browser">
  <button type="button" id="checkup-start">Examine this browser</button>
  <ul id="checkup-found" aria-live="polite"></ul>
</section>
"""

_ROUTE: Final = """\
<fieldset class="rv-routes">
  <legend>Which way the sound goes</legend>
  <label><input type="radio" name="route" value="bridge" checked>
    <span><b>Through this app's server.</b> The server hears both sides: interruptions are exact to
      the word, and a lost connection is taken up again.</span></label>
  <label><input type="radio" name="route" value="direct">
    <span><b>Direct.</b> Your browser talks to the model itself: no sound crosses this app's server,
      which only watches from beside.</span></label>
</fieldset>
<h2>The same on your own page</h2>
<p>One line puts a voice button into the corner of any page; it takes the direct route. Name the
  page in <code>DIRECT_ORIGINS</code>. <a href="direct" target="_blank">Try the button</a></p>
<div class="rv-snippet"><pre id="snippet" tabindex="0" aria-label="Snippet"></pre>
  <button type="button" id="copy-snippet">Copy</button></div>
"""
