"""A machine that has no IPv4: the page, the sound and the Realtime server over IPv6 alone."""

import socket

import pytest
from aioice import ice

from tests.peer import Peer
from tests.running import forked_app, practice_server

pytestmark = pytest.mark.integration


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")
async def test_whole_call_over_ipv6(tmp_path, monkeypatch):
    own = ice.get_host_addresses(use_ipv4=False, use_ipv6=True)
    if own:  # ICE takes no loopback address: a machine without any other speaks IPv4 here
        monkeypatch.setattr(ice, "get_host_addresses", lambda **_: own)
    with practice_server("--host", "::1") as server:
        base_url = server.replace("127.0.0.1", "[::1]")
        with forked_app(tmp_path, host="::1", REALTIME_BASE_URL=base_url) as app:
            assert app.url.startswith("http://[::1]:")
            peer = Peer()
            peer.address = "::1"
            try:
                await peer.join(app.url)
                await peer.sees(type="state", connection="connected")
                peer.send(type="say", text="what is 3 plus 4?")
                await peer.hears(300)
            finally:
                await peer.hang_up()
