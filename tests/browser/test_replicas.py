"""A page whose call goes through a relay to one of two replicas: what it does when either dies."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aioice.ice import get_host_addresses
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import HEARS_SOUND, connect, notice, say, state_of
from tests.replicated import House, replicated
from tests.services import RELAY_USER, Service, coturn

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(120)]

Visit = Callable[..., Page]
LIMIT_MS = 25_000
REJOIN_MS = 5000
PASSWORD = "right"

RELAY_ONLY = """
window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
  construct: (Native, [configuration]) =>
    new Native({ ...configuration, iceTransportPolicy: "relay" }),
});
"""
WAY = """async () => {
  const stats = [...(await window.witness.peers.at(-1).getStats()).values()];
  const { selectedCandidatePairId } = stats.find(({ type }) => type === "transport");
  const pair = stats.find(({ id }) => id === selectedCandidatePairId);
  return stats.find(({ id }) => id === pair.localCandidateId).candidateType;
}"""

WATCH_CONNECTION = """() => {
  const status = document.getElementById("connection-status");
  window.states = [];
  const note = () => window.states.push(status.textContent);
  new MutationObserver(note).observe(status, { childList: true, subtree: true });
}"""
REJOINED = """() => {
  const lost = window.states.indexOf("Reconnecting");
  return lost >= 0 && window.states.includes("Connected", lost);
}"""


@pytest.fixture(scope="module")
def address() -> str:
    """Of this machine, which is not loopback: no packets are relayed there."""
    return get_host_addresses(use_ipv4=True, use_ipv6=False)[0]


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, address: str) -> Iterator[Service]:
    with coturn(tmp_path_factory.mktemp("relay"), PASSWORD, address) as relay:
        yield relay


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, relay: Service) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("house")
    with replicated(
        folder,
        TURN_URL=f"turn:{relay.host}:{relay.port}",
        TURN_USERNAME=RELAY_USER,
        TURN_CREDENTIAL=PASSWORD,
    ) as house:
        yield house


@pytest.fixture
def open_page(visit: Visit, quiet: Browser, house: House) -> Callable[[], Page]:
    return lambda: visit(house.url, using=quiet, script=RELAY_ONLY)


def hears_an_answer(page: Page, words: str) -> None:
    say(page, words)
    assert page.evaluate(HEARS_SOUND)


def test_a_call_goes_on_over_a_relay_whatever_dies(
    open_page: Callable[[], Page], house: House, relay: Service
) -> None:
    page = open_page()
    connect(page)
    hears_an_answer(page, "my name is Ada")
    assert page.evaluate(WAY) == "relay"
    expect(page.locator("#transcript .bot.message")).to_have_count(1)
    state_of(page, "assistant").to_have_text("Idle", timeout=LIMIT_MS)

    dying, other = house.of(busy=True), house.of(busy=False)
    page.wait_for_timeout(1200)  # what was said in the last second may be lost
    page.evaluate(WATCH_CONNECTION)  # a call goes on so soon that a look now and then misses it
    dying.kill()
    killed_at = time.monotonic()
    page.wait_for_function(REJOINED, timeout=LIMIT_MS)
    took_ms = 1000 * (time.monotonic() - killed_at)
    assert took_ms < REJOIN_MS
    assert other.calls == 1
    expect(page.locator("#transcript .user.message").first).to_contain_text("my name is Ada")
    hears_an_answer(page, "hello")
    expect(page.locator("#transcript .user.message")).to_have_count(2)

    page.evaluate(WATCH_CONNECTION)
    relay.kill()
    relay.begin()
    page.wait_for_function(REJOINED, timeout=LIMIT_MS)
    hears_an_answer(page, "hello again")
    assert page.evaluate(WAY) == "relay"


def test_a_relay_that_takes_the_credentials_no_more_is_told_of(
    open_page: Callable[[], Page], relay: Service, address: str, tmp_path: Path
) -> None:
    relay.stop()
    with coturn(tmp_path, "another", address, relay.port):
        page = open_page()
        page.click("#start")
        page.click("#inspect")
        page.click("#tab-sound")
        page.click("#checkup-start")
        told = page.locator("#checkup-found")
        expect(told).to_contain_text("The TURN server does not relay", timeout=LIMIT_MS)
        notice(page).to_contain_text("needs a TURN server", timeout=LIMIT_MS)
    relay.begin()
