"""The pane of the money."""

import json
import re
from html import unescape

from components.page.money import pane
from components.protocol.prices import PRICES_AS_OF, price_table
from components.settings import Settings


def table_in(html: str) -> dict[str, object]:
    [text] = re.findall(r'data-prices="([^"]*)"', html)
    found: dict[str, object] = json.loads(unescape(text))
    return found


def test_the_pane_brings_the_table_of_prices_and_its_date() -> None:
    html = pane(Settings(practice=False))
    assert table_in(html) == {"date": PRICES_AS_OF, **price_table()}
    assert f"<summary>Prices of {PRICES_AS_OF}</summary>" in html


def test_a_dear_server_has_its_own_prices() -> None:
    html = pane(Settings(practice=False, base_url="https://x.openai.azure.com/openai/v1"))
    assert table_in(html) == {"date": PRICES_AS_OF, **price_table(1.1)}


def test_the_limit_of_the_owner_is_the_most_that_can_be_chosen() -> None:
    html = pane(Settings(practice=False, max_call_cost=0.5))
    assert 'max="0.5"' in html
    assert "This app ends it at $0.50 in any case, unless your own key pays for it." in html
    free = pane(Settings(practice=False))
    assert 'max="1000"' in free
    assert "in any case" not in free
