"""An app that others can open names ways to itself beyond its own network, over both routes."""

import httpx
import pytest
from aiortc import RTCPeerConnection

from tests.peer import Peer
from tests.running import forked_app
from tests.turn import PASSWORD, RELAY, USER, turn_server

pytestmark = pytest.mark.integration

WAY = f"{RELAY[0]} {RELAY[1]} typ relay"


async def offer() -> str:
    pc = RTCPeerConnection()
    pc.addTransceiver("audio")
    pc.createDataChannel("oai-events")
    await pc.setLocalDescription(await pc.createOffer())
    sdp = str(pc.localDescription.sdp)
    await pc.close()
    return sdp


async def test_both_routes_name_the_relay_of_the_settings(tmp_path):
    async with turn_server() as turn:
        url = f"turn:127.0.0.1:{turn.port}"
        with forked_app(
            tmp_path,
            host="0.0.0.0",
            REALTIME_BASE_URL="practice",
            DIRECT_ROUTE="on",
            TURN_URL=url,
            TURN_USERNAME=USER,
            TURN_CREDENTIAL=PASSWORD,
        ) as app:
            sdp = await offer()
            bridged = await Peer().offer(app.url, {"type": "offer", "sdp": sdp})
            origin = {"Origin": app.url, "Content-Type": "text/plain"}
            async with httpx.AsyncClient(
                base_url=f"{app.url}/api/realtime", headers=origin, trust_env=False, timeout=20
            ) as page:
                direct = await page.post("/call", content=sdp)
                told = await page.post("/ice")
                token = await page.post("/token")

    assert WAY in bridged["sdp"]
    assert WAY in direct.text
    relay = {"urls": url, "username": USER, "credential": PASSWORD}
    assert told.json()["ice_servers"][-1] == relay
    assert token.json()["ice_servers"][-1] == relay
    assert token.json()["url"] == "call"
