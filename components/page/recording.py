"""The pane in which a call is recorded, and in which a recording is opened and played.

Rule: here are only the places for it and what is said in them; recording.js records, player.js
plays.
"""

from typing import Final

from components.page.markup import LEGEND

PANE: Final = f"""\
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
<h2>Open a recording</h2>
<p>It is read in this browser, and sent nowhere.</p>
<label class="rv-open"><span>File</span>
  <input type="file" id="open-recording" accept=".zip,application/zip"></label>
<p id="player-told" role="status"></p>
<div id="player" hidden>
  <audio id="player-sound" controls preload="auto"></audio>
  <p id="player-caption"></p>
  <figure class="rv-plot">
    <figcaption>Level in dBFS, shaded where somebody speaks
      {LEGEND}
    </figcaption>
    <div class="rv-canvas">
      <canvas id="player-plot" role="img"
        aria-label="Level of both voices around the moment that is played"></canvas>
    </div>
  </figure>
  <ol id="player-words" class="rv-words"></ol>
  <div><h3>Timing</h3><dl id="player-timing" class="rv-known"></dl></div>
  <div><h3>Cost</h3><dl id="player-cost" class="rv-known"></dl></div>
  <div><h3>Settings</h3><dl id="player-settings" class="rv-known"></dl></div>
  <p>Its turns and events are shown in <b>Timing</b> and <b>Events</b>, until the next call.</p>
</div>
"""
