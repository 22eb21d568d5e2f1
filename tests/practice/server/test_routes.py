"""What the practice server's addresses answer to plain requests; and the SDK that uses them."""

from typing import Any

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from components.practice.server import routes
from tests.practice.call_client import SDP, http, rest, secret
from tests.practice.socket_client import receive, running, until

LOCAL = "http://127.0.0.1:7860"
FOREIGN = "https://evil.example"


async def test_the_sdk_mints_a_secret_and_talks_with_it() -> None:
    async with running(key="right") as server:
        async with AsyncOpenAI(api_key="right", base_url=http(server)) as sdk:
            minted = await sdk.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60},
                session={"type": "realtime", "instructions": "Be brief."},
            )
        async with (
            AsyncOpenAI(api_key=minted.value, websocket_base_url=server.url) as sdk,
            sdk.realtime.connect(model="practice-engine") as connection,
        ):
            created: Any = await connection.recv()

    assert minted.value.startswith("ek_")
    assert minted.session.type == "realtime"
    assert created.session.instructions == "Be brief."


async def test_an_expired_secret_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as server:
        token = await secret(server, seconds=10)
        monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)
        async with rest(server, token) as client:
            refused = await client.post("calls", content="v=0", headers=SDP)
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{server.url}/realtime?model=practice-engine"
        async with connect(url, additional_headers=headers) as socket:
            error = await receive(socket)

    assert refused.status_code == 401
    assert "expired" in refused.json()["error"]["message"]
    assert error["error"]["code"] == "invalid_api_key"


async def test_a_secret_chooses_the_model() -> None:
    async with running() as server:
        token = await secret(server, model="gpt-realtime-2.1")
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(f"{server.url}/realtime", additional_headers=headers) as socket:
            created = await until(socket, "session.created")

    assert created["session"]["model"] == "gpt-realtime-2.1"


@pytest.mark.parametrize("key", ["", "wrong", "ek_made_up"])
@pytest.mark.parametrize("path", ["client_secrets", "calls", "calls/rtc_1/hangup"])
async def test_rest_needs_the_key(key: str, path: str) -> None:
    async with running(key="right") as server, rest(server, key) as client:
        refused = await client.post(path, content="{}")

    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert "right" not in refused.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b'{"session":{"type":"realtime","model":"gpt-9"}}', 404, "model_not_found"),
        (b'{"session":{"type":"realtime","reasoning":{"effort":"low"}}}', 400, "invalid_value"),
        (b'{"expires_after":{"anchor":"created_at","seconds":1}}', 400, None),
        (b" " * (routes.MAX_BODY_BYTES + 1), 413, "body_too_large"),
    ],
)
async def test_a_secret_that_cannot_be_minted(body: bytes, status: int, code: str | None) -> None:
    async with running() as server, rest(server) as client:
        refused = await client.post("client_secrets", content=body)

    assert refused.status_code == status
    assert code is None or refused.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("session", "status"),
    [("{", 400), ("", 400), ('{"type":"realtime","model":"gpt-9"}', 404)],
)
async def test_a_session_that_cannot_be_offered(session: str, status: int) -> None:
    async with running() as server, rest(server) as client:
        form = {"sdp": (None, "v=0"), "session": (None, session)}
        refused = await client.post("calls", files=form)

    assert refused.status_code == status


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("", 400, "invalid_offer"), ("?model=gpt-9", 404, "model_not_found")],
)
async def test_a_servers_key_may_bring_a_bare_offer(query: str, status: int, code: str) -> None:
    async with running(key="right") as server, rest(server, "right") as client:
        refused = await client.post(f"calls{query}", content="v=0", headers=SDP)

    assert refused.status_code == status
    assert refused.json()["error"]["code"] == code


async def test_a_form_that_is_none_is_refused() -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with running() as server, rest(server) as client:
        refused = await client.post("calls", content="no form", headers=headers)

    assert refused.status_code == 400


async def test_a_request_must_tell_its_length() -> None:
    async def body() -> Any:
        yield b"{}"

    async with running() as server, rest(server) as client:
        refused = await client.post("client_secrets", content=body())

    assert refused.status_code == 411


@pytest.mark.parametrize(
    ("origin", "key", "allowed"), [(LOCAL, "", True), (FOREIGN, "", False), (FOREIGN, "k", True)]
)
async def test_pages_may_call_from_where_they_are_allowed(
    origin: str, key: str, allowed: bool
) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    async with running(key=key) as server, rest(server, key) as client:
        preflight = await client.request(
            "OPTIONS",
            "calls",
            headers={**asked, "Access-Control-Request-Headers": "authorization,content-type"},
        )
        minted = await client.post("client_secrets", json={}, headers={"Origin": origin})

    assert preflight.is_success is allowed
    assert minted.is_success is allowed
    assert ("access-control-allow-origin" in minted.headers) is allowed


async def test_a_socket_to_nowhere_is_refused() -> None:
    async with running() as server:
        with pytest.raises(InvalidStatus, match="404"):
            await connect(f"{server.url}/models")
