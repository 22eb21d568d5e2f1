"""The practice server's door, over real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from components.practice.server import PracticeServer, serve
from components.settings import ChatModel
from tests.practice.drive import judged
from tests.practice.fakes import FakeEars, FakeVad, FakeVoice

QUERY = "?model=practice-engine"


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[PracticeServer]:
    parts = {"ears": FakeEars(), "voice": FakeVoice(), "open_vad": FakeVad, "pace": 1000.0}
    async with serve(**{**parts, **settings}) as server:
        yield server


def realtime(server: PracticeServer, query: str = QUERY, **options: Any) -> connect:
    return connect(f"{server.url}/realtime{query}", max_size=None, **options)


async def receive(socket: ClientConnection) -> dict[str, Any]:
    return judged(orjson.loads(await asyncio.wait_for(socket.recv(), 10)))


async def until(socket: ClientConnection, type_: str) -> dict[str, Any]:
    while (event := await receive(socket))["type"] != type_:
        pass
    return event


async def send(socket: ClientConnection, type_: str, **fields: Any) -> None:
    await socket.send(orjson.dumps({"type": type_, **fields}).decode())


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


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x00\x01", "invalid_event"),
        ("{not json", "invalid_json"),
        ("[1, 2]", "invalid_event"),
        ("null", "invalid_event"),
        ('{"type": "\\ud800"}', "invalid_json"),
        ("[" * 2000, "invalid_json"),
        ('{"type":"x"}', "invalid_value"),
    ],
)
async def test_a_bad_frame_is_an_error_and_the_session_goes_on(
    frame: str | bytes, code: str
) -> None:
    async with running() as server, realtime(server) as socket:
        await socket.send(frame)
        error = await until(socket, "error")
        await send(socket, "input_audio_buffer.clear")
        await until(socket, "input_audio_buffer.cleared")

    assert error["error"]["code"] == code


async def test_missing_parts_are_named_once() -> None:
    ears, voice = FakeEars(degraded="No ears."), FakeVoice(degraded="No voice.")
    async with running(ears=ears, voice=voice) as server, realtime(server) as socket:
        session = (await receive(socket))["session"]

    assert session["practice"]["notes"] == ["No ears.", "No voice."]


async def answer(socket: ClientConnection, text: str = "what time is it") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await send(socket, "conversation.item.create", item=item)
    await send(socket, "response.create")
    return dict((await until(socket, "response.done"))["response"])


async def test_a_broken_part_costs_the_answer_not_the_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    voice = FakeVoice(error=RuntimeError("voice broke"))
    async with running(voice=voice) as server, realtime(server) as socket:
        failed = await answer(socket)
        voice.error = None
        second = await answer(socket)

    assert failed["status"] == "failed"
    assert failed["status_details"]["error"]["code"] == "server_error"
    assert second["status"] == "completed"
    assert "voice broke" in caplog.text


async def test_a_crash_ends_one_session_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "websockets.server")

    class DeafEars(FakeEars):
        def listen(self, after: Any = None) -> Any:
            raise RuntimeError("ears broke")

    async with running(ears=DeafEars()) as server, realtime(server) as bystander:
        async with realtime(server) as victim:
            session = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
            await send(victim, "session.update", session=session)
            await send(victim, "input_audio_buffer.append", audio="AAAA" * 1600)
            with pytest.raises(ConnectionClosed) as closed:
                await until(victim, "never")
        survived = await answer(bystander)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert survived["status"] == "completed"


async def test_a_failed_transcription_task_closes_the_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeEars):
        def listen(self, after: Any = None) -> Any:
            utterance = super().listen()

            async def transcript() -> str:
                raise RuntimeError("ears broke")

            utterance.transcript = transcript  # type: ignore[method-assign]
            return utterance

    async with running(ears=Broken()) as server, realtime(server) as socket:
        content = [{"type": "input_audio", "audio": "AAAA" * 1600}]
        item = {"type": "message", "role": "user", "content": content}
        await send(socket, "conversation.item.create", item=item)
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, "never")

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert "ears broke" in caplog.text


async def test_leaving_releases_everything() -> None:
    ears, voice = FakeEars(), FakeVoice(gate=asyncio.Event())
    async with running(ears=ears, voice=voice) as server, realtime(server) as socket:
        session = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await send(socket, "session.update", session=session)
        await send(socket, "input_audio_buffer.append", audio="AAAA" * 1600)
        content = [{"type": "input_text", "text": "what time is it"}]
        item = {"type": "message", "role": "user", "content": content}
        await send(socket, "conversation.item.create", item=item)
        await send(socket, "response.create")
        await until(socket, "response.output_audio.delta")

    assert ears.utterances[0].cancelled
    assert voice.closed == 1


async def test_forgotten_audio_is_not_transcribed() -> None:
    ears = FakeEars()
    async with running(ears=ears) as server, realtime(server) as socket:
        session = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await send(socket, "session.update", session=session)
        await send(socket, "input_audio_buffer.append", audio="AAAA" * 1600)
        await send(socket, "input_audio_buffer.clear")
        await until(socket, "input_audio_buffer.cleared")

        assert ears.utterances[0].cancelled


async def test_an_expired_session_is_closed() -> None:
    async with running(session_seconds=0.05) as server, realtime(server) as socket:
        error = await until(socket, "error")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert error["error"]["code"] == "session_expired"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.reason == "invalid_request_error.session_expired"


async def test_a_client_that_does_not_read_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    """Retrieving a large item again and again, without ever reading, must not fill the memory."""
    async with running() as server, realtime(server, max_queue=1) as socket:
        await receive(socket)
        content = [{"type": "input_audio", "audio": "AAAA" * 2_000_000}]
        item = {"id": "big", "type": "message", "role": "user", "content": content}
        await send(socket, "conversation.item.create", item=item)
        while "reads too slowly" not in caplog.text:
            await send(socket, "conversation.item.retrieve", item_id="big")
            await asyncio.sleep(0)
        # A client that does not read does not notice either.
        socket.transport.abort()


async def test_speech_is_sent_faster_than_it_plays_but_not_all_at_once() -> None:
    async with running(pace=20.0) as server, realtime(server) as socket:
        loop = asyncio.get_running_loop()
        began = loop.time()
        response = await answer(socket, "tell me " + "a very long story " * 5)
        words = response["output"][0]["content"][0]["transcript"].count(" ") + 1

    assert loop.time() - began > ((words - 1) * 0.2 - 1.0) / 20


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
