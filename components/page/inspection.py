"""The panes that look into a call: the timing of its turns, its events.

Rule: what they show comes from the app while the drawer is open (inspector.js); here are only the
places for it, and what is said while there is nothing to show.
"""

from typing import Final

TIMING: Final = """\
<dl class="rv-timing">
  <div><dt>Last answer after</dt><dd data-turns="felt">&ndash;</dd></div>
  <div><dt>Half of them within</dt><dd data-turns="p50">&ndash;</dd></div>
  <div><dt>95&nbsp;% within</dt><dd data-turns="p95">&ndash;</dd></div>
</dl>
<p>From the last sound of your voice, or from Enter, to the first of the answer in your ear.</p>
<p id="turns-none">The turns of a call appear here, each with where its time went.</p>
<ol id="turns" class="rv-turns"></ol>
"""


def events(raw: bool) -> str:
    """The pane of the events; `raw` if the page may send some written by hand."""
    return _EVENTS + (_RAW if raw else "")


_RAW: Final = """\
<details class="rv-raw">
  <summary>Send an event</summary>
  <form id="raw-form">
    <textarea id="raw-text" rows="4" maxlength="16000" spellcheck="false" autocomplete="off"
      aria-label="The event, as JSON"
      aria-describedby="told-raw">{"type": "response.create"}</textarea>
    <div><button type="submit">Send</button>
      <small id="told-raw" class="rv-told" aria-live="polite"></small></div>
  </form>
</details>
"""

_EVENTS: Final = """\
<div class="rv-events-bar">
  <input type="search" id="events-filter" placeholder="Filter by type" aria-label="Filter by type">
  <select id="events-direction" aria-label="Direction">
    <option value="">Both ways</option>
    <option value="sent">↑ sent</option>
    <option value="received">↓ received</option>
  </select>
  <button type="button" id="events-pause" aria-pressed="false">Pause</button>
  <button type="button" id="events-save">Download</button>
  <span id="events-count" class="rv-count"></span>
</div>
<p id="events-none">What passes between this app and the model appears here, both ways.</p>
<div id="events-list" class="rv-events" role="group" tabindex="0" aria-label="Events">
  <div></div>
</div>
<div id="event-detail" hidden>
  <button type="button" id="event-copy">Copy</button>
  <pre id="event-text" role="group" tabindex="0" aria-label="The event in full"></pre>
</div>
"""
