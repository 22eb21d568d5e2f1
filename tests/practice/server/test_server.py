"""The practice server's door, over real sockets."""

from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from components.settings import ChatModel
from tests.practice.fakes import FakeEars, FakeVoice
from tests.practice.socket_client import QUERY, answer, realtime, receive, running


async def test_a_session_starts() -> None:
    async with running() as server, realtime(server) as socket:
        session = (await receive(socket))["session"]

    assert session["model"] == "practice-engine"
    assert session["practice"]["notes"] == []
    assert any("ignores the instructions" in remark for remark in session["practice"]["remarks"])


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-2.1", "gpt-realtime-mini"])
async def test_the_apis_model_names_are_accepted(model: str) -> None:
    async with running() as server, realtime(server, f"?model={model}") as socket:
        assert (await receive(socket))["session"]["model"] == model


@pytest.mark.parametrize(
    ("query", "headers", "code", "close_code"),
    [
        ("", {}, "missing_model", 4000),
        ("?model=", {}, "missing_model", 4000),
        ("?model=gpt-9", {}, "model_not_found", 4004),
        (QUERY, {"OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled", 4000),
        (
            QUERY,
            {"Sec-WebSocket-Protocol": "realtime, openai-beta.realtime-v1"},
            "beta_api_shape_disabled",
            4000,
        ),
    ],
)
async def test_a_refused_client_learns_why(
    query: str, headers: dict[str, str], code: str, close_code: int
) -> None:
    protocols = [Subprotocol(p) for p in headers.pop("Sec-WebSocket-Protocol", "").split(", ") if p]
    async with (
        running() as server,
        realtime(
            server, query, additional_headers=headers, subprotocols=protocols or None
        ) as socket,
    ):
        error = (await receive(socket))["error"]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert error["code"] == code
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == close_code
    assert closed.value.rcvd.reason == f"invalid_request_error.{code}"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "x"}])
async def test_a_wrong_key_is_refused(headers: dict[str, str]) -> None:
    async with (
        running(key="right") as server,
        realtime(server, additional_headers=headers) as socket,
    ):
        error = (await receive(socket))["error"]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert error["code"] == "invalid_api_key"
    assert "right" not in error["message"]
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 3000
    assert closed.value.rcvd.reason == "invalid_request_error.invalid_api_key"


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": {"Authorization": "Bearer right"}},
        {"subprotocols": ["realtime", "openai-insecure-api-key.right"]},
    ],
)
async def test_the_right_key_is_let_in(options: dict[str, Any]) -> None:
    async with running(key="right") as server, realtime(server, **options) as socket:
        assert (await receive(socket))["type"] == "session.created"


async def test_without_a_key_any_key_will_do() -> None:
    headers = {"Authorization": "Bearer anything"}
    async with running() as server, realtime(server, additional_headers=headers) as socket:
        assert (await receive(socket))["type"] == "session.created"


async def test_the_short_path_works_too() -> None:
    async with running() as server:
        url = server.url.removesuffix("/v1")
        async with connect(f"{url}/realtime{QUERY}") as socket:
            assert (await receive(socket))["type"] == "session.created"


@pytest.mark.parametrize(
    ("origin", "key", "allowed"),
    [
        ("http://localhost:7860", "", True),
        ("http://127.0.0.1:7860", "", True),
        ("https://evil.example", "", False),
        ("null", "", False),
        ("http://[broken", "", False),
        ("https://my.example", "secret", True),
    ],
)
async def test_pages_of_other_machines_need_a_key(origin: str, key: str, allowed: bool) -> None:
    headers = {"Origin": origin, "Authorization": f"Bearer {key}"}
    async with running(key=key) as server:
        if allowed:
            async with realtime(server, additional_headers=headers) as socket:
                assert (await receive(socket))["type"] == "session.created"
        else:
            with pytest.raises(InvalidStatus, match="403"):
                await realtime(server, additional_headers=headers)


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/v1/realtime", 426), ("/v1/models", 404)]
)
async def test_plain_http_gets_a_sane_answer(path: str, status: int) -> None:
    async with running() as server, httpx.AsyncClient() as client:
        base = server.url.replace("ws", "http").removesuffix("/v1")
        response = await client.get(base + path)

    assert response.status_code == status
    assert response.json()


async def test_missing_parts_are_named_once() -> None:
    ears, voice = FakeEars(degraded="No ears."), FakeVoice(degraded="No voice.")
    async with running(ears=ears, voice=voice) as server, realtime(server) as socket:
        session = (await receive(socket))["session"]

    assert session["practice"]["notes"] == ["No ears.", "No voice."]
    assert server.parts == {"ears": "", "voice": "", "mind": ""}


async def test_a_chat_model_that_is_not_there_is_named() -> None:
    chat_model = ChatModel("http://127.0.0.1:9/v1", "llama")
    async with running(chat_model=chat_model) as server, realtime(server) as socket:
        created = await receive(socket)
        response = await answer(socket)

    transcript = response["output"][0]["content"][0]["transcript"]
    assert "127.0.0.1:9 cannot be reached" in transcript
    assert "It is" in transcript
    assert not any("instructions" in r for r in created["session"]["practice"]["remarks"])


async def test_a_taken_port_is_an_os_error() -> None:
    async with running() as server:
        with pytest.raises(OSError, match="address already in use"):
            async with running(port=server.port):
                raise AssertionError
