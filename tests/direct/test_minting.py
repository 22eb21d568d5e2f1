"""What is asked of a Realtime server for a browser, and what becomes of its refusals."""

import socket

import orjson
import pytest

from components.access.visitor import identifier
from components.direct import minting
from components.direct.minting import HangUp, Minting, MintingError
from components.protocol.options import Refused
from components.settings import Settings
from components.tools import definitions
from tests.direct.upstreams import scripted

KEY = "sk-test-0123456789"
VISITOR = "192.0.2.1"
TOKEN = (200, {"value": "ek_1", "expires_at": 1_790_000_000, "session": {}})
SDP = (201, "v=0\r\nanswer")


def make(base_url: str, **fields: object) -> Minting:
    values = {"practice": False, "api_key": KEY, "base_url": base_url, **fields}
    return Minting(Settings(**values), Refused())  # type: ignore[arg-type]


def refusal(code: str, param: str | None = None) -> dict[str, object]:
    return {"error": {"code": code, "message": f"About {KEY}.", "param": param}}


async def test_a_token_is_minted_for_the_session_of_the_settings() -> None:
    async with scripted(TOKEN) as server:
        token = await make(server.base_url, voice="cedar", instructions="Be brief.").token(VISITOR)
        ((path, query, body),) = server.asked

    assert (token.value, token.expires_at) == ("ek_1", 1_790_000_000)
    assert (path, query) == ("/v1/realtime/client_secrets", "")
    assert [head["authorization"] for head in server.heads] == [f"Bearer {KEY}"]
    asked = orjson.loads(body)
    assert asked["expires_after"]["seconds"] == minting.TOKEN_SECONDS
    session = asked["session"]
    assert session["audio"]["output"] == {"voice": "cedar", "speed": 1.0}
    assert session["instructions"] == "Be brief."
    assert session["model"] == "gpt-realtime-2.1"
    assert "format" not in session["audio"]["input"]
    assert session["tools"] == []


async def test_turns_are_found_by_the_server_where_no_button_can_be_held() -> None:
    async with scripted(TOKEN) as server:
        await make(server.base_url, turn_detection="push_to_talk").token(VISITOR)
        ((_, _, body),) = server.asked

    turn_detection = orjson.loads(body)["session"]["audio"]["input"]["turn_detection"]
    assert turn_detection["type"] == "server_vad"


async def test_an_offer_is_passed_on_with_the_session() -> None:
    async with scripted(SDP) as server:
        answer = await make(server.base_url).answer("v=0\r\noffer", VISITOR)
        ((path, _, body),) = server.asked

    assert path == "/v1/realtime/calls"
    assert (answer.sdp, answer.call_id) == ("v=0\r\nanswer", "rtc_1")
    assert b"v=0\r\noffer" in body
    session = orjson.loads(body[body.index(b'{"type":"realtime"') :].partition(b"\r\n--")[0])
    assert session["tools"] == definitions()


async def test_what_a_server_does_not_take_is_left_out_for_good() -> None:
    field = "session.audio.input.transcription.model"
    async with scripted((400, refusal("invalid_value", field)), TOKEN, TOKEN) as server:
        one = make(server.base_url)
        await one.token(VISITOR)
        await one.token(VISITOR)
        models = [
            orjson.loads(body)["session"]["audio"]["input"]["transcription"]["model"]
            for _, _, body in server.asked
        ]

    assert models == ["gpt-transcribe", "gpt-realtime-whisper", "gpt-realtime-whisper"]


@pytest.mark.parametrize(
    ("status", "body", "ours", "sentence"),
    [
        (401, refusal("invalid_api_key"), 502, "does not accept the key"),
        (429, refusal("insufficient_quota"), 503, "no credit"),
        (429, refusal("rate_limit_exceeded"), 503, "busy"),
        (404, refusal("model_not_found"), 502, "REALTIME_MODEL"),
        (400, refusal("invalid_value", "session.audio.output.voice"), 502, "HTTP 400"),
        (400, "no json", 502, "HTTP 400"),
        (500, "oops", 503, "in trouble"),
        (200, "no json", 502, "no token"),
        (200, {"value": "ek_1"}, 502, "no token"),
    ],
)
async def test_a_refusal_becomes_a_sentence_without_the_key(
    status: int, body: object, ours: int, sentence: str
) -> None:
    async with scripted(*[(status, body)] * minting.MOST_ATTEMPTS) as server:
        with pytest.raises(MintingError, match=sentence) as error:
            await make(server.base_url).token(VISITOR)

    assert error.value.status == ours
    assert KEY not in str(error.value)


async def test_an_answer_that_is_none_is_refused() -> None:
    async with scripted((201, "<html>")) as server:
        with pytest.raises(MintingError, match="no answer"):
            await make(server.base_url).answer("v=0", VISITOR)


async def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(MintingError, match=r"127.0.0.1 cannot be reached") as error:
            await make(f"http://127.0.0.1:{closed.getsockname()[1]}/v1").token(VISITOR)

    assert error.value.status == 502


async def test_a_server_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(minting, "REQUEST_LIMIT_S", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(MintingError, match="does not answer") as error,
    ):
        await make(f"http://127.0.0.1:{mute.getsockname()[1]}/v1").token(VISITOR)

    assert error.value.status == 504


async def told(asked: int = 1, **fields: object) -> str | None:
    """What a server is told of the visitor who asks last."""
    async with scripted(*[TOKEN] * asked) as server:
        for number in range(asked):
            await make(server.base_url, **fields).token(f"192.0.2.{number + 1}")
    assert all("192.0.2" not in str(head) for head in server.heads)
    return server.heads[-1].get("openai-safety-identifier")


async def test_a_visitor_is_known_to_the_server_by_a_hash_alone() -> None:
    assert await told() == await told() == identifier(VISITOR, KEY)
    assert await told(2) != await told()
    assert await told(api_key="") is None


async def test_the_server_knows_who_begins_a_call() -> None:
    async with scripted(SDP) as server:
        await make(server.base_url).answer("v=0\r\noffer", VISITOR)

    assert server.heads[0]["openai-safety-identifier"] == identifier(VISITOR, KEY)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, HangUp.DONE),
        (404, HangUp.GONE),
        (410, HangUp.GONE),
        (401, HangUp.REFUSED),
        (503, HangUp.REFUSED),
    ],
)
async def test_what_comes_of_hanging_up(status: int, outcome: HangUp) -> None:
    async with scripted((status, {})) as server:
        assert await make(server.base_url).hang_up("rtc_1") is outcome
        ((path, _, _),) = server.asked

    assert path == "/v1/realtime/calls/rtc_1/hangup"


async def test_a_server_that_does_not_answer_has_not_hung_up() -> None:
    async with scripted() as server:
        one = make(server.base_url)

    assert await one.hang_up("rtc_1") is HangUp.REFUSED


@pytest.mark.parametrize(
    ("base_url", "calls", "sideband"),
    [
        (
            "https://api.openai.com/v1",
            "https://api.openai.com/v1/realtime/calls",
            "wss://api.openai.com/v1/realtime?call_id=rtc_1",
        ),
        (
            "ws://127.0.0.1:8765/v1/realtime?model=x&key=1",
            "http://127.0.0.1:8765/v1/realtime/calls?key=1",
            "ws://127.0.0.1:8765/v1/realtime?key=1&call_id=rtc_1",
        ),
    ],
)
def test_where_everything_is(base_url: str, calls: str, sideband: str) -> None:
    one = make(base_url)

    assert one.calls_url == calls
    assert one.sideband_url("rtc_1") == sideband


async def test_what_was_refused_once_is_not_asked_for_again_by_anyone() -> None:
    refused = Refused()
    async with scripted(
        (400, refusal("invalid_value", "session.truncation")), TOKEN, SDP
    ) as server:
        settings = Settings(practice=False, api_key=KEY, base_url=server.base_url)
        await Minting(settings, refused).token(VISITOR)
        await Minting(settings, refused).answer("v=0", VISITOR)
        first, second, third = (body for _, _, body in server.asked)

    assert b"retention_ratio" in first
    assert b"retention_ratio" not in second
    assert b"retention_ratio" not in third
