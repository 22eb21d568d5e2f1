"""Which ways are found, and what is said of those that are not; with a server on loopback."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from components.doctor import ways as module
from components.doctor.findings import Finding
from components.doctor.ways import HOST, REFLEXIVE, RELAY, examine_ways
from components.media.ice import TurnError
from components.settings import Settings, TurnCredentials
from tests.services import RELAY_USER, coturn
from tests.turn import PASSWORD, USER, turn_server

DEAF = "stun:127.0.0.1:9"


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT_S", 0.5)
    monkeypatch.setattr(module, "get_host_addresses", lambda **_: ["192.0.2.1"])


async def found(
    turn: TurnCredentials | None = None, stun: str = DEAF, **fields: Any
) -> dict[str, Finding]:
    settings = Settings(**{"practice": True, "share": True, "turn": turn, **fields})
    return {finding.check: finding for finding in await examine_ways(settings, stun)}


async def test_no_server_is_asked_where_only_this_machine_opens_the_page() -> None:
    findings = await found(share=False)

    assert [finding.verdict for finding in findings.values()] == ["ok"]


async def test_a_machine_without_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "get_host_addresses", lambda **_: [])

    assert (await found())[HOST].verdict == "failed"


async def test_stun_tells_as_what_this_machine_is_seen() -> None:
    async with turn_server() as server:
        findings = await found(stun=f"stun:127.0.0.1:{server.port}")

    assert findings[HOST].verdict == "ok"
    assert findings[REFLEXIVE].verdict == "ok"
    assert "203.0.113.7, round trip" in findings[REFLEXIVE].found
    assert findings[RELAY].verdict == "warning"
    assert "TURN_URL" in findings[RELAY].fix


@pytest.mark.parametrize(
    ("fields", "verdict"), [({}, "failed"), ({"share": False, "host": "0.0.0.0"}, "warning")]
)
async def test_where_neither_can_work_one_sentence_says_so(
    fields: dict[str, Any], verdict: str
) -> None:
    findings = await found(**fields)

    assert findings[REFLEXIVE].verdict == "warning"
    assert findings[RELAY].verdict == verdict
    assert "only callers of the same network get through" in findings[RELAY].found


async def test_a_relay_is_tried_and_its_place_is_given_back() -> None:
    async with turn_server() as server:
        url = f"turn:127.0.0.1:{server.port}"
        findings = await found(TurnCredentials("static", USER, PASSWORD, url))
        assert server.allocated.is_set()

    assert findings[RELAY].verdict == "ok"
    assert findings[RELAY].found.startswith(f"{url} relays, allocated in ")


async def test_wrong_credentials_are_told_without_showing_them() -> None:
    async with turn_server() as server:
        url = f"turn:127.0.0.1:{server.port}"
        relay = (await found(TurnCredentials("static", USER, "wrong-word", url)))[RELAY]

    assert relay.verdict == "failed"
    assert "does not accept the credentials (401)" in relay.found
    assert "TURN_CREDENTIAL" in relay.fix
    assert "wrong-word" not in relay.line


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("turn:127.0.0.1:9?transport=tcp", "it cannot be reached"),
        ("turn:there is none", "it cannot be reached"),
    ],
)
async def test_a_relay_that_is_not_there_is_told(url: str, why: str) -> None:
    relay = (await found(TurnCredentials("static", USER, PASSWORD, url)))[RELAY]

    assert relay.verdict == "failed"
    assert why in relay.found


async def test_a_relay_that_does_not_answer_is_told() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    url = f"turn:127.0.0.1:{port}"
    relay = (await found(TurnCredentials("static", USER, PASSWORD, url)))[RELAY]
    transport.close()

    assert "it does not answer" in relay.found


async def test_a_provider_that_gives_no_credentials_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(_: TurnCredentials) -> None:
        raise TurnError("Twilio refuses TURN credentials (HTTP 401). Check TWILIO_AUTH_TOKEN.")

    monkeypatch.setattr(module, "turn_servers", refuses)
    relay = (await found(TurnCredentials("twilio", "AC1", "secret")))[RELAY]

    assert relay.line == (
        "failed   Ways: TURN: Twilio refuses TURN credentials (HTTP 401). Check TWILIO_AUTH_TOKEN."
    )


async def test_one_relay_of_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async with turn_server() as server:
        urls = [
            "stun:127.0.0.1:9",
            "turn:127.0.0.1:9?transport=tcp",
            f"turn:127.0.0.1:{server.port}",
        ]
        several = [{"urls": urls, "username": USER, "credential": PASSWORD}]
        monkeypatch.setattr(module, "turn_servers", lambda _: several)
        relay = (await found(TurnCredentials("twilio", "AC1", "secret")))[RELAY]

    assert relay.verdict == "ok"


async def test_a_provider_that_names_no_relay_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "turn_servers", lambda _: [{"urls": "stun:127.0.0.1:9"}])
    relay = (await found(TurnCredentials("twilio", "AC1", "secret")))[RELAY]

    assert "the provider does not relay: it names no TURN server." in relay.found


@pytest.mark.parametrize(
    ("address", "lacks"), [("192.0.2.1", True), ("2001:db8::1", False)], ids=["4", "6"]
)
async def test_a_machine_without_ipv6_is_told_what_that_means(
    address: str, lacks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "get_host_addresses", lambda **_: [address])
    finding = (await found())[HOST]

    assert finding.verdict == "ok"
    assert ("none is of IPv6" in finding.found) is lacks


@pytest.mark.integration
@pytest.mark.parametrize(
    ("password", "verdict", "words"), [("right", "ok", "relays"), ("wrong", "failed", "401")]
)
async def test_a_real_relay_is_judged_by_what_it_says(
    password: str, verdict: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT_S", 8.0)
    with coturn(tmp_path, "right", "127.0.0.1") as relay:
        url = f"turn:127.0.0.1:{relay.port}"
        finding = (await found(TurnCredentials("static", RELAY_USER, password, url)))[RELAY]

    assert finding.verdict == verdict
    assert words in finding.found
