"""The Realtime server's certificate cannot be trusted."""

import pytest

from components.core import retries
from tests.caller import calling
from tests.certificates import DAY, certified
from tests.faulty import answer, close, faulty_server, greet

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"ended_ago": DAY}, "certificate has expired"),
        ({"address": "127.0.0.2"}, "certificate is not valid for '127.0.0.1'"),
        ({"known": False}, "self-signed certificate"),
    ],
)
async def test_certificate_that_cannot_be_trusted_is_said_with_the_reason(
    tmp_path, monkeypatch, faults, reason
):
    context = certified(tmp_path, monkeypatch, **faults)
    async with faulty_server(tls=context) as server, calling(server.url) as caller:
        state = await caller.state(connection="failed")

    assert "No secure connection to 127.0.0.1 is possible" in state["notice"]
    assert reason in state["notice"]
    assert "this machine's clock" in state["notice"]
    assert server.connections == 0


async def test_certificate_that_ends_during_a_call_ends_it_after_five_tries(tmp_path, monkeypatch):
    """What stands is not checked again; what is opened anew is."""
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.0)
    context = certified(tmp_path, monkeypatch)

    async def lose_trust(_client: object) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")

    script = [greet, answer, lose_trust, close(1006)]
    async with faulty_server(script, tls=context) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        state = await caller.state(connection="failed")

    assert "No secure connection" in state["notice"]
    assert "I will." in caller.texts
    assert server.connections == 1
