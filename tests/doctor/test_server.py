"""What is found of a Realtime server, with one that answers as it is told to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from components.doctor import server as module
from components.doctor.findings import Finding
from components.doctor.server import examine_server
from components.practice.server.server import listening
from components.settings import Settings
from tests.wire import validate_client_event

KEY = "sk-0123456789abcdefghij"
MODEL = "gpt-realtime-2.1"
EARS = "gpt-transcribe"
REFUSES_EARS = {"param": "session.audio.input.transcription.model", "message": "transcription"}


class Server:
    """Realtime sessions and a list of models, each with the statuses and answers of a test."""

    def __init__(self, models: Mapping[str, int], door: int, answers: Sequence[Any]) -> None:
        self.models = models
        self.door = door
        self.answers = list(answers)
        self.heads: list[str | None] = []
        self.updates: list[Any] = []

    async def look_up(self, request: Request) -> Response:
        self.heads.append(request.headers.get("authorization"))
        status = self.models.get(request.path_params.get("model", ""), 404)
        if status == 0:  # no answer, for as long as anybody waits for one
            while (await request.receive())["type"] != "http.disconnect":
                pass
        return JSONResponse({"error": {"message": "no"}} if status >= 400 else {}, status)

    async def session(self, socket: WebSocket) -> None:
        self.heads.append(socket.headers.get("authorization"))
        if self.door != 200:
            await socket.send_denial_response(JSONResponse({"error": {"message": "no"}}, self.door))
            return
        await socket.accept()
        try:
            for answer in self.answers:
                if answer["type"] != "session.created":
                    self.updates.append(orjson.loads(await socket.receive_text()))
                await socket.send_text(orjson.dumps(answer).decode())
            await socket.receive_text()
        except WebSocketDisconnect:
            return
        await socket.close(1000)


CREATED = {"type": "session.created", "session": {}}
UPDATED = {"type": "session.updated", "session": {}}


def refusal(**error: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", **error}}


@asynccontextmanager
async def serving(
    models: Mapping[str, int] | None = None,
    door: int = 200,
    answers: Sequence[Any] = (CREATED, UPDATED),
) -> AsyncIterator[tuple[Server, Settings]]:
    server = Server({"": 200, MODEL: 200, EARS: 200, **(models or {})}, door, answers)
    routes = [
        Route("/v1/models", server.look_up),
        Route("/v1/models/{model}", server.look_up),
        WebSocketRoute("/v1/realtime", server.session),
    ]
    async with listening(Starlette(routes=routes), "127.0.0.1", 0) as (host, port):
        base_url = f"http://{host}:{port}/v1"
        yield server, Settings(practice=False, api_key=KEY, base_url=base_url)


def verdicts(findings: Sequence[Finding]) -> dict[str, str]:
    assert KEY not in "".join(finding.line for finding in findings)
    return {finding.check: finding.verdict.value for finding in findings}


ALL_WELL = {"Key": "ok", "Model": "ok", "Transcription model": "ok", "Session": "ok"}


async def test_a_server_that_takes_everything_is_well() -> None:
    async with serving() as (server, settings):
        assert verdicts(await examine_server(settings)) == ALL_WELL

    assert set(server.heads) == {f"Bearer {KEY}"}
    for update in server.updates:
        validate_client_event(update)


async def test_a_wrong_key_is_told_and_nothing_else_is_tried() -> None:
    async with serving({"": 401}) as (_, settings):
        [found] = await examine_server(settings)

    assert verdicts([found]) == {"Key": "failed"}
    assert "OPENAI_API_KEY" in found.line


@pytest.mark.parametrize(("status", "verdict"), [(403, "warning"), (404, "ok")])
async def test_a_server_without_a_list_is_judged_by_its_session(status: int, verdict: str) -> None:
    async with serving({"": status}) as (_, settings):
        assert verdicts(await examine_server(settings)) == {"Key": verdict, "Session": "ok"}


@pytest.mark.parametrize(("status", "verdict"), [(429, "warning"), (500, "failed")])
async def test_a_server_in_trouble_says_so(status: int, verdict: str) -> None:
    async with serving({"": status}) as (_, settings):
        assert verdicts(await examine_server(settings))["Key"] == verdict


@pytest.mark.parametrize("status", [403, 404])
async def test_a_model_that_the_key_may_not_use_is_told(status: int) -> None:
    async with serving({MODEL: status}, door=status) as (_, settings):
        findings = await examine_server(settings)

    assert verdicts(findings) == {**ALL_WELL, "Model": "failed", "Session": "failed"}
    assert "REALTIME_MODEL" in findings[1].fix


async def test_a_model_that_cannot_be_looked_up_is_left_to_the_session() -> None:
    async with serving({MODEL: 503}) as (_, settings):
        assert verdicts(await examine_server(settings)) == {**ALL_WELL, "Model": "warning"}


async def test_a_transcription_model_that_is_refused_costs_the_words_only() -> None:
    answers = (CREATED, refusal(**REFUSES_EARS), UPDATED)
    async with serving({EARS: 404}, answers=answers) as (server, settings):
        findings = await examine_server(settings)

    assert verdicts(findings) == {
        **ALL_WELL,
        "Transcription model": "warning",
        "Session": "warning",
    }
    assert len(server.updates) == 2


async def test_no_transcription_model_is_looked_up_where_none_is_wanted() -> None:
    async with serving() as (_, settings):
        without = Settings(
            practice=False, base_url=settings.base_url, transcription_model=None, voice="alloy"
        )
        findings = await examine_server(without)

    assert "Transcription model" not in verdicts(findings)
    assert findings[0].found == "127.0.0.1 needs none."


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((CREATED, refusal(code="insufficient_quota", message="pay")), "no credit left"),
        ((CREATED,), "does not begin a session"),
    ],
)
async def test_a_session_that_does_not_begin_is_told(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[Any], words: str
) -> None:
    monkeypatch.setattr(module, "SESSION_LIMIT_S", 1.0)
    async with serving(answers=answers) as (server, settings):
        if len(answers) == 1:  # it takes the settings, and never says another word
            server.answers.append({"type": "rate_limits.updated", "rate_limits": []})
        findings = await examine_server(settings)

    assert verdicts(findings)["Session"] == "failed"
    assert words in findings[-1].found


async def test_a_server_that_does_not_greet_is_no_failure() -> None:
    async with serving(answers=(UPDATED,)) as (_, settings):
        assert verdicts(await examine_server(settings))["Session"] == "warning"


async def test_no_network_is_told_in_a_sentence() -> None:
    settings = Settings(practice=False, api_key=KEY, base_url="http://127.0.0.1:9/v1")
    [found] = await examine_server(settings)

    assert found.line == (
        "failed   Key: 127.0.0.1 cannot be reached. Check the network and REALTIME_BASE_URL."
    )


async def test_a_server_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_LIMIT_S", 0.2)
    async with serving({"": 0}) as (_, settings):
        [found] = await examine_server(settings)
    assert "does not answer" in found.found

    async with serving({MODEL: 0}) as (_, settings):
        assert verdicts(await examine_server(settings))["Model"] == "warning"
