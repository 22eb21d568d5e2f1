"""A session over a real socket: what it does with faults, and what it leaves behind."""

import asyncio
import logging
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from components.audio import encode
from components.practice.server import connection, outlet
from tests.practice.fakes import SILENCE_MS, SPEECH_MS, FakeEars, FakeVoice
from tests.practice.socket_client import answer, realtime, receive, running, send, until


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
        def listen(self, after: Any = None, language: str = "") -> Any:
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
        def listen(self, after: Any = None, language: str = "") -> Any:
            utterance = super().listen()

            async def transcript(heard: Any) -> str:
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
        response = await answer(socket, "count to thirty")
        words = response["output"][0]["content"][0]["transcript"].count(" ") + 1

    assert loop.time() - began > ((words - 1) * 0.2 - 1.0) / 20


async def test_ears_that_never_answer_cost_only_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TRANSCRIPT_LIMIT_S", 0.05)

    class SlowEars(FakeEars):
        def listen(self, after: Any = None, language: str = "") -> Any:
            utterance = super().listen()

            async def transcript(heard: Any) -> str:
                await asyncio.Event().wait()
                return ""

            utterance.transcript = transcript  # type: ignore[method-assign]
            return utterance

    ears = SlowEars()
    async with running(ears=ears) as server, realtime(server) as socket:
        content = [{"type": "input_audio", "audio": "AAAA" * 1600}]
        item = {"type": "message", "role": "user", "content": content}
        await send(socket, "conversation.item.create", item=item)
        await send(socket, "response.create")
        done = await until(socket, "response.done")

    assert ears.utterances[0].cancelled
    transcript = done["response"]["output"][0]["content"][0]["transcript"]
    assert "I missed that" in transcript


async def test_speech_waits_for_a_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "COMFORTABLE_UNSENT_BYTES", 0)

    async with running() as server, realtime(server) as socket:
        response = await answer(socket)

    assert response["status"] == "completed"


async def test_a_deleted_turn_is_not_transcribed() -> None:
    ears = FakeEars()
    async with running(ears=ears) as server, realtime(server) as socket:
        content = [{"type": "input_audio", "audio": "AAAA" * 1600}]
        item = {"id": "a", "type": "message", "role": "user", "content": content}
        await send(socket, "conversation.item.create", item=item)
        await send(socket, "conversation.item.delete", item_id="a")
        await until(socket, "conversation.item.deleted")
        response = await answer(socket)

    assert response["status"] == "completed"


async def test_the_ears_are_told_of_pauses_and_of_the_language() -> None:
    ears = FakeEars()
    async with running(ears=ears) as server, realtime(server) as socket:
        transcription = {"model": "gpt-transcribe", "language": "de"}
        turns = {"type": "server_vad", "silence_duration_ms": 400}
        audio = {"input": {"turn_detection": turns, "transcription": transcription}}
        await send(socket, "session.update", session={"type": "realtime", "audio": audio})
        for sound in (SPEECH_MS * 400, SILENCE_MS * 200, SPEECH_MS * 200, SILENCE_MS * 500):
            await send(socket, "input_audio_buffer.append", audio=encode(sound))
        await until(socket, "response.done")

    (utterance,) = ears.utterances
    assert utterance.pauses == [True, False, True]
    assert utterance.language == "de"
