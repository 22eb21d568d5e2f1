"""The fixed HTML of the page: header, plot and states, call bar.

Rule: every value that comes from settings is escaped. The element ids are a contract with users'
CSS and tests; the scripts of `browser/page` fill the elements and listen to them. Nothing that a
newcomer does not know is named here; that is for the drawer.
"""

from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import urlsplit

from components.settings import OPENAI_BASE_URL, Settings

Parts = Mapping[str, str]
"""The names of the practice server's `ears`, `voice` and `mind`; empty for what it lacks."""

TOUR: Final = "Take the tour"
"""Offered where rules answer; it needs a microphone."""
SUGGESTIONS: Final = (
    "What time is it?",
    "Count to thirty, then talk over it",
    "Roll two dice",
)
"""What the practice server can be asked; a click says the words before the comma."""

_APPROXIMATE: Final = ("PocketSphinx",)
"""Ears whose words are a guess."""

_HINT: Final = (
    "A small built-in server talks to you, without a key{offline}: {engines}. "
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


def header(settings: Settings, parts: Parts, link: str = "") -> str:
    """Who is at the other end, in one line, where others find the page, and what may keep a call
    from working."""
    who = escape(_who(settings, parts))
    shown = f' · <a href="{escape(link)}">{escape(link.partition("//")[2])}</a>' if link else ""
    return _HEADER.format(who=who, link=shown) + _paragraph("rv-warning", _warning(settings))


def signs() -> str:
    """The plot of both voices, and the three states."""
    return _SIGNS


def bar(settings: Settings, notice: str, parts: Parts) -> str:
    """The last problem, what can be asked, the buttons of a call, and the line to type."""
    return _BAR.format(
        notice=escape(notice),
        suggestions=_suggestions(parts) if settings.practice else "",
        talk=" data-always" if _pushed(settings) else " hidden",
    )


def empty_transcript(settings: Settings, parts: Parts) -> str:
    """What stands in the place of the transcript before a call: what to do."""
    how = "hold the talk button while you speak" if _pushed(settings) else "just speak"
    return (
        f'<div class="rv-empty"><p>Press <b>Start call</b>, allow the microphone, and {how}.</p>'
        "<p>You can interrupt the answer at any time. "
        "What both sides say is written here.</p>"
        f"{_paragraph('rv-hint', _hint(settings, parts))}</div>"
    )


def _suggestions(parts: Parts) -> str:
    tour = f'<button type="button" class="rv-chip" data-say="{TOUR}" data-spoken>{TOUR}</button>'
    chips = "".join(
        f'<button type="button" class="rv-chip" data-say="{escape(words.partition(",")[0])}">'
        f"{escape(words)}</button>"
        for words in SUGGESTIONS
    )
    shown = chips if parts.get("mind") else tour + chips
    return f'<div class="rv-chips" role="group" aria-label="What you can ask">{shown}</div>'


def _pushed(settings: Settings) -> bool:
    return settings.turn_detection == "push_to_talk"


def _who(settings: Settings, parts: Parts) -> str:
    if settings.practice:
        return f"Practice server{_how(settings, parts)} · {_engines(parts)}"
    who = f"{settings.model} · voice {settings.voice}"
    if settings.base_url != OPENAI_BASE_URL:
        who += f" · {urlsplit(settings.base_url).hostname}"
    return who


def _engines(parts: Parts) -> str:
    """Who hears, speaks and thinks there."""
    ears, voice, mind = (parts.get(name) for name in ("ears", "voice", "mind"))
    thinks = f"{mind} answers" if mind else "fixed rules answer"
    return f"{ears or 'nobody'} hears, {voice or 'a tone'} speaks, {thinks}"


def _is_offline(settings: Settings) -> bool:
    """Whether nothing that is said leaves this machine."""
    return settings.chat_model is None or settings.chat_model.is_here


def _how(settings: Settings, parts: Parts) -> str:
    """That nothing leaves this machine, and that what is heard is not to be relied on."""
    words = [
        *(["offline"] if _is_offline(settings) else []),
        *(["approximate"] if parts.get("ears") in _APPROXIMATE else []),
    ]
    return f" · {', '.join(words)}" if words else ""


def _hint(settings: Settings, parts: Parts) -> str:
    if not settings.practice:
        return ""
    offline = " and without network" if _is_offline(settings) else ""
    return _HINT.format(offline=offline, engines=_engines(parts))


def _warning(settings: Settings) -> str:
    if settings.turn is not None:
        return ""
    if settings.on_space:
        return _SPACE_WITHOUT_TURN
    return _SHARE_WITHOUT_TURN if settings.share else ""


def _paragraph(name: str, text: str) -> str:
    return f'<p class="{name}">{escape(text)}</p>' if text else ""


_HEADER: Final = """\
<header class="rv-header">
  <h1>Realtime Voice</h1>
  <p class="rv-who" title="{who}">{who}{link}</p>
  <div class="rv-tools">
    <button type="button" id="new-conversation" disabled
      title="Forget what was said here, and begin anew">New<span> conversation</span></button>
    <details class="rv-menu" id="save">
      <summary>Save</summary>
      <div>
        <button type="button" data-save="md">Markdown</button>
        <button type="button" data-save="json">JSON</button>
        <button type="button" data-save="vtt">Captions (WebVTT)</button>
      </div>
    </details>
    <button type="button" id="inspect" aria-expanded="false" aria-controls="drawer"
      title="Key: i">Inspect</button>
  </div>
</header>
"""

LEGEND: Final = """\
<span class="rv-legend"><span class="rv-key rv-user">You</span>
  <span class="rv-key rv-assistant">Assistant</span></span>"""
"""Of every plot of both voices."""

_SIGNS: Final = f"""\
<section class="rv-signs" aria-label="State of the call">
  <dl class="rv-states">
    <div class="rv-state rv-connection"><dt>Connection</dt>
      <dd id="connection-status" data-state="idle">Idle</dd></div>
    <div class="rv-state rv-user"><dt>You</dt>
      <dd id="user-status" data-state="idle">Idle</dd></div>
    <div class="rv-state rv-assistant"><dt>Assistant</dt>
      <dd id="assistant-status" data-state="idle">Idle</dd></div>
    <div class="rv-state rv-recording" id="recording-sign" hidden>
      <dt class="rv-hidden">This call</dt>
      <dd>Recording</dd></div>
  </dl>
  <figure class="rv-plot">
    <figcaption>Loudness
      {LEGEND}
    </figcaption>
    <div class="rv-canvas">
      <canvas id="levels" role="img" data-points="0" data-frames="0"
        aria-label="Loudness of both voices over the last ten seconds"></canvas>
      <p class="rv-plot-empty"><span>During a call, the loudness of both voices is drawn
        here.</span></p>
    </div>
  </figure>
</section>
"""

_BAR: Final = """\
<section class="rv-desk" aria-label="Call">
  {suggestions}
  <p id="notice" role="alert">{notice}</p>
  <div class="rv-bar">
    <div class="rv-actions">
      <button type="button" id="start" data-phase="idle">Start call</button>
      <button type="button" id="type-only" title="A call without your microphone">Type only</button>
      <button type="button" id="talk" aria-pressed="false" disabled{talk}>Hold to
        talk</button>
      <span class="rv-split">
        <button type="button" id="mute" aria-pressed="false" disabled>Mute</button>
        <span class="rv-choose" hidden><select id="microphone" aria-label="Microphone"
          title="Choose the microphone"></select></span>
      </span>
      <button type="button" id="interrupt" aria-disabled="true">Interrupt<kbd>Esc</kbd></button>
    </div>
    <form class="rv-composer" id="composer" autocomplete="off">
      <button type="button" id="attach" aria-label="Add an image"
        title="Add an image, PNG or JPEG; you can also paste or drop one"><svg aria-hidden="true"
        viewBox="0 0 24 24"><rect x="3" y="4" width="18" height="16" rx="3"/><circle cx="9" cy="10"
        r="1.6"/><path d="m4 18 5-4 3 2 4-4 5 5"/></svg></button>
      <input id="image-file" type="file" accept="image/png,image/jpeg" hidden>
      <span class="rv-attached" id="attached" data-name="" hidden><img alt=""><span
        class="rv-hidden" id="attached-size"></span><button type="button" id="detach"
        aria-label="Remove the image">×</button></span>
      <label class="rv-hidden" for="say">Type instead of speaking</label>
      <input id="say" type="text" maxlength="4000" enterkeyhint="send" dir="auto"
        aria-describedby="attached-size" placeholder="Type instead of speaking">
      <button type="submit" id="send">Send</button>
      <p id="image-problem" role="alert"></p>
    </form>
  </div>
  <p id="announcement" class="rv-hidden" role="status"></p>
</section>
"""
