"""The fixed HTML of the page: header, call desk, composer.

Rule: every value that comes from settings is escaped. The element ids are a contract with users'
CSS and tests; `page.js` fills the elements and listens to them.
"""

from html import escape
from typing import Final
from urllib.parse import urlsplit

from components.core.conversation import Conversation
from components.protocol.prices import Cost
from components.settings import OPENAI_BASE_URL, Settings

_PRACTICE_HINT: Final = (
    "A small built-in server listens and answers, without a key and without network. "
    "To talk to a real voice model, set OPENAI_API_KEY and start the app again."
)
_CHAT_HINT: Final = (
    "A small built-in server listens and speaks; {model} writes the answers. "
    "To talk to a real voice model, set OPENAI_API_KEY and start the app again."
)
_SPACE_WITHOUT_TURN: Final = (
    "Calls will most likely not connect here: this Space has no TURN server. "
    "Its owner can add HF_TOKEN to the Space's secrets."
)
_SHARE_WITHOUT_TURN: Final = (
    "Through this public link, calls connect only from some networks: no TURN server is set. "
    "Set HF_TOKEN (or TURN_URL) and start the app again."
)


def header(settings: Settings) -> str:
    """The model and voice, and what may keep a call from working."""
    return (
        '<header class="rv-header"><h1>Realtime Voice</h1>'
        f'<p class="rv-who">{escape(_who(settings))}</p>'
        + _paragraph("rv-hint", _hint(settings))
        + _paragraph("rv-warning", _warning(settings))
        + "</header>"
    )


def desk(settings: Settings, notice: str) -> str:
    """The buttons of a call, its state, and the plot of both voices."""
    hidden = "" if settings.turn_detection == "push_to_talk" else " hidden"
    return _DESK.format(talk_hidden=hidden, notice=escape(notice))


def composer() -> str:
    """The line for a typed turn, and the way to a transcript that is empty again."""
    return _COMPOSER


def empty_transcript(settings: Settings) -> str:
    """What stands in the place of the transcript before a call: what to do."""
    how = "hold the talk button while you speak" if _pushed(settings) else "just speak"
    return (
        f'<div class="rv-empty"><p>Press <b>Start call</b>, allow the microphone, and {how}.</p>'
        "<p>You can interrupt the answer at any time. "
        "What both sides say is written here.</p></div>"
    )


def direct_call() -> str:
    """The voice button's panel, in its place."""
    return (
        f'<p class="rv-direct-hint">{escape(_DIRECT_HINT)}</p>'
        '<voice-call position="inline" call-url="api/realtime/call"></voice-call>'
    )


def direct_states(
    conversation: Conversation, answer_s: float | None = None, cost: Cost | None = None
) -> str:
    """What the server knows of a call that it only watches; `cost` if there is a price."""
    cells = (
        ("connection", "Connection", conversation.connection),
        ("user", "You", conversation.user),
        ("assistant", "Assistant", conversation.assistant),
    )
    states = "".join(
        f'<div class="rv-state rv-{side}"><dt>{name}</dt>'
        f'<dd id="direct-{side}-status" data-state="{word}">{word.capitalize()}</dd></div>'
        for side, name, word in cells
    )
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
    hint = conversation.notice or "What this app's server sees of the call, by its sideband:"
    return (
        f'<p class="rv-direct-hint">{escape(hint)}</p><dl class="rv-states">{states}</dl>'
        f'<dl class="rv-timing" id="direct-timing">{timing}</dl>'
    )


def _in_dollars(cost: Cost) -> str:
    dollars = f"${cost.dollars:.{4 if 0 < cost.dollars < 0.1 else 2}f}"
    return f"at least {dollars}" if cost.unknown else dollars


def direct_empty() -> str:
    """What stands in the place of the direct transcript before a call."""
    return '<div class="rv-empty"><p>The words of the direct call appear here too.</p></div>'


def _pushed(settings: Settings) -> bool:
    return settings.turn_detection == "push_to_talk"


def _who(settings: Settings) -> str:
    if settings.practice:
        return "Practice mode: offline, approximate"
    who = f"{settings.model} · voice {settings.voice}"
    if settings.base_url != OPENAI_BASE_URL:
        who += f" · {urlsplit(settings.base_url).hostname}"
    return who


def _hint(settings: Settings) -> str:
    if not settings.practice:
        return ""
    if settings.chat_model is None:
        return _PRACTICE_HINT
    return _CHAT_HINT.format(model=settings.chat_model.model)


def _warning(settings: Settings) -> str:
    if settings.turn is not None:
        return ""
    if settings.on_space:
        return _SPACE_WITHOUT_TURN
    return _SHARE_WITHOUT_TURN if settings.share else ""


def _paragraph(name: str, text: str) -> str:
    return f'<p class="{name}">{escape(text)}</p>' if text else ""


_DIRECT_HINT: Final = (
    "Here your browser talks to the model itself: no sound crosses this app's server. "
    "The same button can stand on any page; see /direct."
)

_DESK: Final = """\
<section class="rv-desk" aria-label="Call">
  <div class="rv-actions">
    <button type="button" id="start" data-phase="idle">Start call</button>
    <button type="button" id="talk" aria-pressed="false" disabled{talk_hidden}>Hold to talk</button>
    <button type="button" id="mute" aria-pressed="false" disabled>Mute</button>
    <button type="button" id="interrupt" title="Key: Esc" disabled>Interrupt</button>
  </div>
  <p id="notice" role="status" aria-live="assertive">{notice}</p>
  <dl class="rv-states">
    <div class="rv-state rv-connection"><dt>Connection</dt>
      <dd id="connection-status" data-state="idle">Idle</dd></div>
    <div class="rv-state rv-user"><dt>You</dt>
      <dd id="user-status" data-state="idle">Idle</dd></div>
    <div class="rv-state rv-assistant"><dt>Assistant</dt>
      <dd id="assistant-status" data-state="idle">Idle</dd></div>
  </dl>
  <figure class="rv-plot">
    <figcaption>Level in dBFS, last 10 s
      <span class="rv-legend">
        <span class="rv-key rv-user">You</span>
        <span class="rv-key rv-assistant">Assistant</span>
      </span>
    </figcaption>
    <div class="rv-canvas">
      <canvas id="levels" role="img" data-points="0" data-frames="0"
        aria-label="Loudness of both voices over the last ten seconds"></canvas>
      <p class="rv-plot-empty"><span>During a call, the loudness of both voices is drawn
        here.</span></p>
    </div>
  </figure>
  <dl class="rv-timing" id="timing">
    <div><dt>Answer after</dt><dd data-figure="answer">&ndash;</dd></div>
    <div><dt>Browser buffer</dt><dd data-figure="buffer">&ndash;</dd></div>
    <div><dt>Round trip</dt><dd data-figure="rtt">&ndash;</dd></div>
    <div hidden><dt>Cost</dt><dd data-figure="cost">&ndash;</dd></div>
  </dl>
</section>
"""

_COMPOSER: Final = """\
<form class="rv-composer" id="composer" autocomplete="off">
  <label class="rv-hidden" for="say">Type instead of speaking</label>
  <input id="say" type="text" maxlength="4000" enterkeyhint="send" dir="auto"
    placeholder="Start the call, then type here" disabled>
  <button type="submit" id="send" disabled>Send</button>
</form>
<p class="rv-after">
  <button type="button" id="new-conversation" title="Forget what was said here"
    disabled>New conversation</button>
</p>
"""
