"""The pane in which a call is recorded.

Rule: here are only the places for it and what is said in them; recording.js does the rest.
"""

from typing import Final

PANE: Final = """\
<h2>Record a call</h2>
<p>Both voices as you hear them, what was said, events, timing and cost, in one file. Nothing is
  recorded unless you switch it on here; it ends with the call.</p>
<div class="rv-recorder">
  <button type="button" id="record" aria-pressed="false">Record</button>
  <button type="button" id="fetch-recording">Download</button>
</div>
<p id="recording-told" role="status"></p>
<p><small>At most half an hour, and only of calls through this app's server. The server keeps the
  newest recording of this tab for an hour.</small></p>
"""
