"""What the caller sees of everything that can go wrong on the way to the Realtime server.

Each way to refuse, fail or break that the API documents or that servers are known for, through a
whole call.
"""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.core import link, liveness, retries
from components.core.conversation import Status
from components.upstream import client as upstream
from tests.caller import calling
from tests.certificates import certified
from tests.faulty import (
    TEXT,
    answer,
    break_tls,
    close,
    error,
    failed,
    faulty_server,
    frame,
    greet,
    hear,
    no_handshake,
    refuse,
    say,
    trickle,
)

pytestmark = pytest.mark.integration

KEY = "OPENAI_API_KEY"
MODEL = "REALTIME_MODEL"
ADDRESS = "REALTIME_BASE_URL"
CREDIT = "no credit left"
BUSY = "too many requests"
PERMANENT = "invalid_request_error"
TURN = [greet, answer]
"""The user typed "Remember me", the assistant answered "I will."."""

ASKED = [greet, hear("response.create")]
"""The same, not yet answered."""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Pauses between tries are tested where they are decided (tests/core/test_retries.py)."""
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.0)


@pytest.fixture
def impatient(monkeypatch):
    """For servers that never finish the handshake."""
    monkeypatch.setattr(upstream, "OPEN_LIMIT_S", 1.0)


@dataclass
class Row:
    name: str
    scripts: list[Any] = field(default_factory=list)
    """Of the connections, in their order."""
    says: str = ""
    """Words of the last notice; without any, there was none at all."""
    connections: int = 1
    """That were begun in all."""


def of_api(code, close_code):
    """As the API refuses a call: the upgrade succeeds, an error follows, then a close."""
    return [error(code), close(close_code, f"{PERMANENT}.{code}")]


def body(code, type_=PERMANENT):
    return json.dumps({"error": {"message": "m", "type": type_, "param": None, "code": code}})


# A call that cannot begin.

NEVER_UP = [
    Row("bad key", [of_api("invalid_api_key", 3000)], KEY),
    Row("beta shape", [of_api("beta_api_shape_disabled", 4000)], ADDRESS),
    Row("no model", [of_api("missing_model", 4000)], MODEL),
    Row("no realtime model", [of_api("invalid_model", 4000)], MODEL),
    Row("unknown model", [of_api("model_not_found", 4004)], MODEL),
    Row("error without a close", [[error("invalid_api_key")]], KEY),
    Row("close without an error", [[close(3000, f"{PERMANENT}.invalid_api_key")]], KEY),
    Row("close 3000 without a reason", [[close(3000)]], "refused the call: close code 3000"),
    Row(
        "close 4000 with another reason",
        [[close(4000, "no thanks")]],
        "refused the call: no thanks",
    ),
    Row("unknown call", [[refuse(404, body("call_id_not_found"))]], "does not know this call"),
    Row("no credit", [[greet, hear("response.create"), error("insufficient_quota")]], CREDIT),
    Row("HTTP 401", [[refuse(401)]], KEY),
    Row("HTTP 401 in words", [[refuse(401, body("invalid_api_key"))]], KEY),
    Row("HTTP 403", [[refuse(403)]], KEY),
    Row("HTTP 403 for the model", [[refuse(403, body("model_not_found"))]], MODEL),
    Row("HTTP 404", [[refuse(404)]], "no Realtime API at this address (HTTP 404)"),
    Row("HTTP 404 for the model", [[refuse(404, body("model_not_found"))]], MODEL),
    Row("HTTP 400 in words", [[refuse(400, body("invalid_value"))]], "(HTTP 400): m. Check"),
    Row("HTTP 429", [[refuse(429)]], BUSY),
    Row("HTTP 429 for credit", [[refuse(429, body("insufficient_quota"))]], CREDIT),
    Row("HTTP 429 by type", [[refuse(429, body(None, "insufficient_quota"))]], CREDIT),
    Row("HTTP 500", [[refuse(500)]], "in trouble (HTTP 500)"),
    Row("HTTP 500 in HTML", [[refuse(500, "<html>")]], "in trouble (HTTP 500)"),
    Row("HTTP 503", [[refuse(503)]], "in trouble (HTTP 503)"),
    Row("HTTP 503 with a reason", [[refuse(503, body("session_limit_reached"))]], "no room"),
    Row(
        "pool full",
        [[error("session_limit_reached"), close(1008, "session_limit_reached")]],
        "no room",
    ),
    Row("refused by policy", [[close(1008, "bad token")]], "refused the call: bad token"),
    Row("model does not load", [[error("model_load_error")]], "server's own log"),
    Row("drop before the greeting", [[close(1006)]], "lost (1006). Start the call again"),
    *(
        Row(f"close {code} before the greeting", [[close(code)]], f"lost ({code}). Start")
        for code in (1000, 1001, 1005, 1011, 1012, 1013)
    ),
    Row("busy, then closed", [[error("server_error"), close(1011)]], "error of its own"),
    Row("busy, then refused", [[error("rate_limit_exceeded"), close(4000)]], BUSY),
]


@pytest.mark.parametrize("row", NEVER_UP, ids=lambda row: row.name)
async def test_call_that_cannot_begin_says_why_and_does_not_try_again(row):
    async with faulty_server(*row.scripts) as server, calling(server.url) as caller:
        caller.say("Remember me")
        state = await caller.state(connection="failed")
        await caller.call.close("")

    assert row.says in state["notice"]
    assert server.connections == 1
    assert caller.ended == 1
    assert caller.dismissed.is_set()


@pytest.mark.usefixtures("impatient")
async def test_server_that_does_not_finish_the_handshake():
    async with faulty_server([no_handshake()]) as server, calling(server.url) as caller:
        state = await caller.state(connection="failed")

    assert "does not answer" in state["notice"]
    assert server.connections == 1


@pytest.mark.usefixtures("impatient")
async def test_server_that_does_not_finish_the_handshake_of_a_lost_call_is_tried_again():
    scripts = [*TURN, close(1006)], [no_handshake()]
    async with faulty_server(*scripts) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        successor = await server.client(2)
        await successor.expect("conversation.item.create", 2)


async def test_server_that_takes_the_call_and_says_nothing(monkeypatch):
    monkeypatch.setattr(link, "CREATED_LIMIT_S", 0.2)
    async with faulty_server([]) as server, calling(server.url) as caller:
        state = await caller.state(connection="failed")

    assert "says nothing" in state["notice"]
    assert server.connections == 1


async def test_server_that_does_not_confirm_the_settings_is_talked_to_all_the_same(monkeypatch):
    monkeypatch.setattr(link, "UPDATED_LIMIT_S", 0.2)
    script = [say("session.created", session={}), answer]
    async with faulty_server(script) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await caller.reads("Remember me", "I will.")

    assert server.connections == 1


# A call that is under way, and heals.

HEALS = [
    *(
        Row(f"close {code}", [[*TURN, close(code)]], connections=2)
        for code in (1000, 1001, 1005, 1006, 1011, 1012, 1013)
    ),
    Row("our message was too large", [[*TURN, close(1009)]], connections=2),
    *(
        Row(
            f"an hour is over, close {code}",
            [[*TURN, error("session_expired"), close(code)]],
            "",
            2,
        )
        for code in (1000, 1001, 1006, 1008, 4000)
    ),
    Row("expiry as a reason", [[*TURN, close(1000, f"{PERMANENT}.session_expired")]], "", 2),
    Row("pool full", [[*TURN, close(1008, "session_limit_reached")]], "", 2),
    Row("overloaded, then closed", [[*TURN, close(1008, "overloaded")]], "", 2),
    Row("HTTP 429", [[*TURN, close(1006)], [refuse(429)]], "", 3),
    Row("HTTP 500", [[*TURN, close(1006)], [refuse(500)]], "", 3),
    Row("HTTP 503", [[*TURN, close(1006)], [refuse(503, body("server_error"))]], "", 3),
    Row("drop before the greeting", [[*TURN, close(1006)], [close(1006)]], "", 3),
    Row("four tries fail", [[*TURN, close(1011)], *[[refuse(503)]] * 4], "", 6),
    Row(
        "drop in the middle of a reply",
        [[*TURN, say("response.created", response={"id": "r2"}), close(1006)]],
        "",
        2,
    ),
]


@pytest.mark.parametrize("row", HEALS, ids=lambda row: row.name)
async def test_lost_call_is_taken_up_again_with_its_past_and_no_word_is_provoked(row):
    async with faulty_server(*row.scripts) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await server.reached(row.connections)
        await caller.state(connection="connected")
        successor = server.clients[-1]
        await successor.expect("conversation.item.create", 2)
        caller.say("Still there?")
        await successor.expect("response.create")

        told = [e for e in successor.received if e["type"] != "input_audio_buffer.append"]
        assert [e["type"] for e in told] == [
            "session.update",
            *["conversation.item.create"] * 3,
            "response.create",
        ]
        assert [e["item"]["content"][0]["text"] for e in told[1:4]] == [
            "Remember me",
            "I will.",
            "Still there?",
        ]
        assert server.connections == row.connections
        assert "reconnecting" in [state["connection"] for state in caller.states]
        assert caller.states[-1]["notice"] == ""


async def test_broken_tls_is_a_lost_connection(tmp_path, monkeypatch):
    context = certified(tmp_path, monkeypatch)
    script = [*TURN, hear("conversation.item.create", 2), break_tls]
    async with faulty_server(script, tls=context) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await caller.reads("Remember me", "I will.")
        caller.say("Still there?")
        successor = await server.client(2)
        await successor.expect("conversation.item.create", 3)
        await caller.state(connection="connected")


# A call that is under way, and cannot be healed.

ENDS = [
    *(
        Row(f"{code} as an error", [[*TURN, error(code)]], says)
        for code, says in (
            ("insufficient_quota", CREDIT),
            ("credit_balance_exhausted", CREDIT),
            ("billing_hard_limit_reached", CREDIT),
            ("account_deactivated", "account of this key is closed"),
            ("invalid_api_key", KEY),
            ("model_not_found", MODEL),
        )
    ),
    *(
        Row(f"{code} in a failed response", [[greet, failed(code)]], says)
        for code, says in (
            ("insufficient_quota", CREDIT),
            ("credit_balance_exhausted", CREDIT),
            ("account_deactivated", "account of this key is closed"),
            ("billing_hard_limit_reached", CREDIT),
        )
    ),
    Row("no credit, by type", [[greet, error(None, "insufficient_quota")]], CREDIT),
    *(
        Row(f"close {code}", [[*TURN, close(code)]], f"{code}. Check")
        for code in (3000, 4000, 4004)
    ),
    Row("close 1008", [[*TURN, close(1008, "go away")]], "refused the call: go away"),
    Row("close with a reason", [[*TURN, close(1000, f"{PERMANENT}.insufficient_quota")]], CREDIT),
    Row("HTTP 401 on the way back", [[*TURN, close(1006)], [refuse(401)]], KEY, 2),
    Row("HTTP 404 on the way back", [[*TURN, close(1006)], [refuse(404)]], "HTTP 404", 2),
    Row("five tries fail", [[*TURN, close(1011)], *[[refuse(503)]] * 5], "HTTP 503", 6),
    Row(
        "five times up and dropped",
        [[*TURN, close(1011)], *[[greet, close(1011)]] * 9],
        "lost (1011)",
        6,
    ),
]


@pytest.mark.parametrize("row", ENDS, ids=lambda row: row.name)
async def test_call_that_cannot_go_on_says_why(row):
    async with faulty_server(*row.scripts) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        state = await caller.state(connection="failed")
        await caller.call.close("")

    assert row.says in state["notice"]
    assert server.connections == row.connections
    assert caller.ended == 1


# A call that goes on.

GOES_ON = [
    *(
        Row(code, [[*ASKED, error(code, message="Bad x.")]], "The server reports: Bad x.")
        for code in (
            "invalid_value",
            "unknown_parameter",
            "invalid_json",
            "invalid_event",
            "cannot_update_voice",
        )
    ),
    *(
        Row(f"{code} is ignored", [[*ASKED, error(code, message="Whatever.")]])
        for code in (
            "response_cancel_not_active",
            "input_audio_buffer_commit_empty",
            "item_retrieve_invalid_item_id",
            "item_truncate_invalid_item_id",
            "item_delete_invalid_item_id",
        )
    ),
    *(
        Row(f"'{message}' is ignored", [[*ASKED, error(None, message=message)]])
        for message in (
            "Cancellation failed: no active response found",
            "Audio content of 100ms is already shorter than 200ms",
            "Only model output audio messages can be truncated",
            "Error committing input audio buffer: buffer too small.",
        )
    ),
    Row("rate limit by code", [[*ASKED, error("rate_limit_exceeded")]], BUSY),
    Row("rate limit by type", [[*ASKED, error(None, "rate_limit_error")]], BUSY),
    Row("server error by type", [[*ASKED, error(None, "server_error")]], "Say it again"),
    Row("overloaded", [[*ASKED, error(None, "overloaded_error")]], "overloaded"),
    Row("timeout", [[*ASKED, error("timeout")]], "too long to answer"),
    Row("rate limit in a response", [[greet, failed("inference_rate_limit_exceeded")]], "busy"),
    Row("failed response", [[greet, failed("server_error", "server_error")]], "Say it again"),
]


@pytest.mark.parametrize("row", GOES_ON, ids=lambda row: row.name)
async def test_call_goes_on_after_what_harms_nobody_or_is_only_said(row):
    seen = asyncio.Event()

    async def marker(client):
        """What the server says next shows that it was heard out."""
        await client.send("conversation.item.added", item=NEXT)
        seen.set()

    scripts = [[*row.scripts[0], marker]]
    async with faulty_server(*scripts) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await caller.reads("Remember me", "next")

        assert caller.states[-1]["connection"] == "connected"
        assert server.connections == 1
        assert bool(caller.notices) is bool(row.says)
        assert row.says in caller.states[-1]["notice"]


NEXT = {
    "id": "n1",
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "next"}],
}


async def test_refused_request_for_a_response_is_repeated_when_the_other_one_has_ended():
    async def other_first(client):
        [request] = await client.expect("response.create")
        await client.send("response.created", response={"id": "r0"})
        refusal = {"code": "conversation_already_has_active_response", "message": "m"}
        await client.send("error", error={**refusal, "event_id": request["event_id"]})
        await client.send("response.done", response={"id": "r0", "status": "completed"})
        await client.expect("response.create", 2)
        await answer(client)

    async with faulty_server([greet, other_first]) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await caller.reads("Remember me", "I will.")

        assert len(server.clients[0].of("response.create")) == 2
        assert caller.notices == []


@pytest.mark.parametrize(
    ("param", "gone"),
    [
        ("session.reasoning.effort", lambda s: "reasoning" not in s),
        ("session.truncation", lambda s: "truncation" not in s),
        (
            "session.audio.input.noise_reduction",
            lambda s: s["audio"]["input"]["noise_reduction"] is None,
        ),
        (
            "session.audio.input.transcription.model",
            lambda s: s["audio"]["input"]["transcription"]["model"] == "gpt-realtime-whisper",
        ),
        (None, lambda s: s["audio"]["input"]["noise_reduction"] is None),
    ],
)
@pytest.mark.parametrize("names_the_event", [True, False])
async def test_refused_optional_block_is_left_out_and_the_rest_sent_again(
    param, gone, names_the_event
):
    async def pick(client):
        await client.send("session.created", session={})
        [update] = await client.expect("session.update")
        cause = update["event_id"] if names_the_event else None
        refusal = {"type": PERMANENT, "code": "invalid_value", "message": "No.", "param": param}
        await client.send("error", error={**refusal, "event_id": cause})
        _, update = await client.expect("session.update", 2)
        await client.send("session.updated", session=update["session"])

    async with faulty_server([pick]) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        first, second = (e["session"] for e in server.clients[0].of("session.update"))

    assert not gone(first)
    assert gone(second)
    assert len(server.clients[0].of("session.update")) == 2
    assert caller.notices == []


async def test_refused_voice_ends_the_call_in_the_server_s_words():
    async def pick(client):
        await client.send("session.created", session={})
        [update] = await client.expect("session.update")
        refusal = {
            "code": "invalid_value",
            "message": "No such voice.",
            "param": "session.audio.output.voice",
        }
        await client.send("error", error={**refusal, "event_id": update["event_id"]})

    async with faulty_server([pick]) as server, calling(server.url) as caller:
        state = await caller.state(connection="failed")

    assert "No such voice." in state["notice"]
    assert server.connections == 1


async def test_session_is_renewed_before_its_hour_is_over_and_nobody_notices(monkeypatch):
    async with faulty_server(TURN) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await caller.reads("Remember me", "I will.")
        monkeypatch.setattr(link, "RENEW_AFTER_S", 3600.0)
        caller.call._session._link._renew_at = 0.0
        first, successor = await server.client(1), await server.client(2)
        items = await successor.expect("conversation.item.create", 2)
        async with asyncio.timeout(10):
            await first.closed.wait()

        assert [item["item"]["content"][0]["text"] for item in items] == ["Remember me", "I will."]
        assert successor.of("response.create") == []
        assert {state["connection"] for state in caller.states} == {"connecting", "connected"}
        assert caller.notices == []


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (
            [
                say("response.output_text.delta", response_id="r1", item_id="a1", delta="I"),
                say(
                    "response.done",
                    response={
                        "id": "r1",
                        "status": "incomplete",
                        "status_details": {"type": "incomplete", "reason": "max_output_tokens"},
                        "output": [{"id": "a1"}],
                    },
                ),
            ],
            Status.CUT,
        ),
        (
            [
                say("input_audio_buffer.committed", item_id="u1", previous_item_id=None),
                say(
                    "conversation.item.input_audio_transcription.failed",
                    item_id="u1",
                    content_index=0,
                    error={"code": "audio_unintelligible"},
                ),
            ],
            Status.UNTRANSCRIBED,
        ),
    ],
    ids=["cut", "untranscribed"],
)
async def test_message_that_did_not_come_whole_is_marked(events, status):
    async with faulty_server([greet, *events]) as server, calling(server.url) as caller:
        await caller.until(lambda: any(m.status is status for m in caller.conversation.messages))

        assert caller.notices == []


async def test_events_twice_and_out_of_order_make_one_transcript():
    of = {"response_id": "r1", "item_id": "a1"}
    user = {"id": "u1", "type": "message", "role": "user", "content": []}
    item = {"id": "a1", "type": "message", "role": "assistant", "content": []}
    done = say("response.output_text.done", **of, text="I will.")
    over = say("response.done", response={"id": "r1", "status": "completed", "output": [item]})
    script = [
        greet,
        say("response.created", response={"id": "r1"}),
        say("response.output_text.delta", **of, delta="I "),
        say("response.output_item.added", response_id="r1", item=item),
        say("conversation.item.added", item=item, previous_item_id="u1"),
        done,
        done,
        over,
        over,
        say("response.created", response={"id": "r1"}),
        say(
            "conversation.item.input_audio_transcription.completed",
            item_id="u1",
            content_index=0,
            transcript="Hello.",
        ),
        say("conversation.item.added", item=user, previous_item_id=None),
        say("conversation.item.added", item=item, previous_item_id="u1"),
        over,
    ]
    async with faulty_server(script) as server, calling(server.url) as caller:
        await caller.reads("Hello.", "I will.")
        await caller.state(connection="connected", assistant="idle")
        assert caller.notices == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("path", ["/dev/full", "/no/such/folder/trace.jsonl"])
async def test_trace_that_cannot_be_written_does_not_end_the_call(path):
    async with faulty_server(TURN) as server, calling(server.url, trace=Path(path)) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await caller.reads("Remember me", "I will.")
        assert caller.notices == []


async def test_words_that_come_byte_by_byte_are_read_all_the_same():
    delta = b'{"type":"response.output_text.delta","item_id":"a1","response_id":"r1","delta":"Hi."}'
    script = [greet, trickle(frame(TEXT, delta), frame(TEXT, delta))]
    async with faulty_server(script) as server, calling(server.url) as caller:
        await caller.reads("Hi.")
        await caller.reads("Hi.Hi.")
        assert caller.notices == []


async def test_silence_in_the_middle_of_a_reply_is_noticed_when_the_user_says_more(monkeypatch):
    monkeypatch.setattr(liveness, "PATIENCE_S", 0.2)
    begun = say("response.created", response={"id": "r1"})
    words = say("response.output_text.delta", item_id="a1", response_id="r1", delta="I was")
    script = [*ASKED, begun, words]
    async with faulty_server(script) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        caller.say("Remember me")
        await caller.reads("Remember me", "I was")
        caller.say("Still there?")
        await caller.state(connection="connected", notice=liveness.NO_REACTION)

        await server.clients[0].send("ping")
        await caller.state(connection="connected", notice="")
        assert server.connections == 1
