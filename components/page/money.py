"""The pane of the money: what a call has used and cost, the prices, and a limit for this call.

Rule: the figures come from the app while the drawer is open (costpane.js); here are only the places
for them, and the table of prices that the page counts with.
"""

from html import escape
from typing import Final

import orjson

from components.core.allowance import MOST_CAP
from components.protocol.prices import PRICES_AS_OF, price_table, surcharge_at
from components.settings import Settings


def pane(settings: Settings) -> str:
    """The HTML of the pane."""
    table = {"date": PRICES_AS_OF, **price_table(surcharge_at(settings.base_url))}
    prices = escape(orjson.dumps(table).decode(), quote=True)
    most = settings.max_call_cost
    limit = _OWNERS.format(limit=f"{most:.2f}" if most >= 0.01 else f"{most:g}") if most else ""
    return _PANE.format(prices=prices, date=PRICES_AS_OF, most=f"{most or MOST_CAP:g}", limit=limit)


_OWNERS: Final = " This app ends it at ${limit} in any case, unless your own key pays for it."

_PANE: Final = """\
<dl class="rv-timing" id="cost-sums" data-prices="{prices}">
  <div><dt>This call</dt><dd data-cost="call">&ndash;</dd></div>
  <div><dt>Last turn</dt><dd data-cost="last">&ndash;</dd></div>
  <div><dt>Forecast, a minute</dt><dd data-cost="minute">&ndash;</dd></div>
</dl>
<p id="cost-note">What the turns of a call have used appears here, by the model's own account.</p>
<form id="cap-form" class="rv-cap" novalidate>
  <label for="cap">End this call when it has cost, in US dollars</label>
  <div><input id="cap" type="number" min="0.001" max="{most}" step="any" inputmode="decimal"
    placeholder="no limit" aria-describedby="told-cap cap-hint">
    <button type="submit">Set</button></div>
  <small id="told-cap" class="rv-told" aria-live="polite"></small>
  <small id="cap-hint">After the answer under way. It goes by the app's own prices.{limit}</small>
</form>
<div id="cost-tables" hidden>
  <h2>Tokens of this call</h2>
  <table class="rv-money" id="cost-kinds">
    <thead><tr><th scope="col">Kind</th><th scope="col">In, new</th><th scope="col">In,
      cached</th><th scope="col">Out</th></tr></thead>
    <tbody></tbody>
  </table>
  <p id="cost-written" hidden></p>
  <h2>Turn by turn</h2>
  <div class="rv-money-scroll" role="group" tabindex="0" aria-label="Turn by turn">
    <table class="rv-money" id="cost-turns">
      <thead><tr><th scope="col">Turn</th><th scope="col">Text</th><th scope="col">Audio</th><th
        scope="col">Image</th><th scope="col">Cached</th><th scope="col">Cost</th></tr></thead>
      <tbody></tbody>
    </table>
  </div>
  <p>Text and audio: in new / out, in tokens.</p>
</div>
<details class="rv-prices">
  <summary>Prices of {date}</summary>
  <p>US dollars for a million tokens. What you change is kept in this browser and counts for the
    figures of this page only.</p>
  <select id="price-model" aria-label="Model"></select>
  <div id="price-fields"></div>
  <button type="button" id="price-reset">Back to the prices of {date}</button>
</details>
"""
