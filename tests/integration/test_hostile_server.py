"""A Realtime server that means harm, or is broken beyond reason, at the other end of a call.

Whatever it sends, the call goes on or ends with a sentence, memory stays bounded, other calls on
the same loop keep their turn, and after hanging up nothing of it is left.
"""

import asyncio
import gc
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.protocol import State

from components.audio import encode
from components.core import retries
from components.upstream import client as upstream
from components.upstream import socket as connection
from tests.caller import QUIET, calling
from tests.faulty import (
    BINARY,
    CLOSE,
    CONTINUED,
    PING,
    TEXT,
    Refusal,
    close,
    error,
    faulty_server,
    frame,
    greet,
    refuse,
    say,
    send,
    send_without_end,
    stop_reading,
)

pytestmark = pytest.mark.integration

MB = 1_000_000
FLOOD_S = 0.6
"""For so long each flood goes on."""
MOST_MEMORY = 60 * MB
"""That a flood may take on top: ten minutes of sound, and what is parsed just now."""
MOST_FOR_LARGE = 250 * MB
"""The same with messages near the largest size, which exist several times while they are read."""
LEAST_TURNS = 3
"""Of the thirty frames that are due in that time, on a machine that has other things to do too."""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(connection, "CLOSE_LIMIT_S", 0.1)
    monkeypatch.setattr(upstream, "CLOSE_LIMIT_S", 0.1)


@pytest.fixture
def unthrottled(monkeypatch):
    """Everything gets in: what follows holds without the bound on events in a second, too."""
    monkeypatch.setattr(upstream, "MOST_PIECES", 10**9)


@asynccontextmanager
async def nothing_left():
    """No task and no file handle more after the block than before."""
    gc.collect()
    tasks, handles = asyncio.all_tasks(), open_handles()
    yield
    async with asyncio.timeout(10):
        while asyncio.all_tasks() != tasks or open_handles() > handles:
            gc.collect()
            await asyncio.sleep(0.01)


def open_handles():
    return len(list(Path("/proc/self/fd").iterdir()))


def resident():
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def event(type_, **fields):
    return frame(TEXT, orjson.dumps({"type": type_, **fields}))


def many(type_, number=1000, **fields):
    """So many different events in one piece; `{n}` in a field becomes a number."""

    def numbered(value, n):
        return value.replace("{n}", str(n)) if isinstance(value, str) else value

    return b"".join(
        event(type_, **{name: numbered(value, n) for name, value in fields.items()})
        for n in range(number)
    )


def endless(type_, **fields):
    """The same, and the numbers never come again."""
    numbers = count()

    async def step(client):
        async def again():
            while True:
                texts = []
                for _ in range(200):
                    number = str(next(numbers))
                    text = orjson.dumps({"type": type_, **fields}).replace(b"{n}", number.encode())
                    texts.append(frame(TEXT, text))
                yield b"".join(texts)

        async for batch in again():
            if client.socket.state is not State.OPEN:
                return
            client.socket.transport.write(batch)
            with suppress(ConnectionError):
                await client.socket.drain()
            await asyncio.sleep(0)

    return step


LOUD = b"\0\x40" * (len(QUIET) // 2)
SOUND = encode(bytes(48 * 100))
REPLY = [
    say("response.created", response={"id": "r1"}),
    say(
        "response.output_item.added",
        response_id="r1",
        item={"id": "a1", "type": "message", "role": "assistant", "content": []},
    ),
]
OF = {"response_id": "r1", "item_id": "a1"}
DEEP = b'{"type":"x","deep":' + b"[" * 1000 + b"]" * 1000 + b"}"

FLOODS = {
    "garbage": send_without_end(frame(TEXT, b"garbage") * 1000),
    "no JSON object": send_without_end(frame(TEXT, b"[1,2]") * 1000),
    "no type": send_without_end(frame(TEXT, b'{"a":1}') * 1000),
    "empty": send_without_end(frame(TEXT, b"") * 1000),
    "binary": send_without_end(frame(BINARY, b"\0\1\2\3") * 1000),
    "no UTF-8": send_without_end(frame(TEXT, b'{"type":"\xff"}') * 1000),
    "deep": send_without_end(frame(TEXT, DEEP) * 20),
    "too deep": send_without_end(frame(TEXT, DEEP.replace(b"[", b"[[").replace(b"]", b"]]")) * 20),
    "unknown events": send_without_end(many("x.{n}")),
    "pings": send_without_end(frame(PING, bytes(100)) * 1000),
    "a message in endless pieces": send_without_end(frame(CONTINUED, b"", last=False) * 1000),
    "sound": send_without_end(event("response.output_audio.delta", **OF, delta=SOUND) * 100),
    "sound of ever new items": endless(
        "response.output_audio.delta", response_id="r1", item_id="i{n}", delta=SOUND
    ),
    "sound that is none": send_without_end(
        event("response.output_audio.delta", **OF, delta="???") * 1000
    ),
    "large deltas": send_without_end(
        event("response.output_audio.delta", **OF, delta="A" * 8 * MB)
    ),
    "words": send_without_end(
        event("response.output_audio_transcript.delta", **OF, delta="word ") * 1000
    ),
    "large words": send_without_end(event("response.output_text.delta", **OF, delta="w" * MB)),
    "parts": send_without_end(
        b"".join(
            event("response.output_text.delta", **OF, content_index=n, delta="w")
            for n in (0, 31, 32, 10**9, -1)
        )
    ),
    "items": endless(
        "conversation.item.added", item={"id": "i{n}", "type": "message", "role": "user"}
    ),
    "items of long names": endless(
        "conversation.item.added",
        item={"id": "{n}" + "i" * 10_000, "type": "message", "role": "user"},
    ),
    "one item": send_without_end(
        event(
            "conversation.item.added",
            item={"id": "a1", "type": "message", "role": "user"},
            previous_item_id="a1",
        )
        * 1000
    ),
    "turns": endless("input_audio_buffer.speech_started", item_id="u{n}"),
    "responses": endless("response.created", response={"id": "r{n}"}),
    "ends": endless("response.done", response={"id": "r{n}", "status": "completed", "output": []}),
    "errors": endless("error", error={"message": "error {n}"}),
    "long errors": send_without_end(event("error", error={"message": "e" * MB})),
    "greetings": send_without_end(event("session.created", session={}) * 1000),
    "settings": send_without_end(event("session.updated", session={"audio": 7}) * 1000),
    "transcriptions": endless(
        "conversation.item.input_audio_transcription.delta", item_id="u{n}", delta="w"
    ),
    "functions": endless(
        "response.output_item.done",
        response_id="r1",
        item={"id": "f{n}", "type": "function_call", "call_id": "c{n}", "name": "world_clock"},
    ),
    "rate limits": send_without_end(event("rate_limits.updated", rate_limits=[7] * 1000) * 100),
}


@pytest.mark.usefixtures("unthrottled")
@pytest.mark.parametrize("name", FLOODS)
async def test_flood_takes_neither_memory_nor_the_others_turn(name):
    before = resident()
    opening = [send(frame(TEXT, b"", last=False))] if "pieces" in name else REPLY
    async with (
        nothing_left(),
        faulty_server([greet, *opening, FLOODS[name]]) as server,
        calling(server.url) as caller,
    ):
        await caller.state(connection="connected")
        caller.turns_s.clear()
        most = 0
        end = time.monotonic() + FLOOD_S
        while time.monotonic() < end:
            await asyncio.sleep(0.05)
            most = max(most, resident() - before)
        turns = len(caller.turns_s)
        caller.call.command({"type": "hangup"})
        await caller.state(connection="ended")

    assert most < (MOST_FOR_LARGE if "large" in name else MOST_MEMORY)
    assert turns >= LEAST_TURNS


# What ends the call, or is not even worth a word.


@dataclass
class Row:
    name: str
    script: list[Any]
    says: str = ""
    """Words of the notice with which the call fails; without any, it goes on."""
    connections: int = 1


def wrong(value):
    """Every event that is known, with this value in every field."""
    fields = ("item_id", "response_id", "content_index", "delta", "transcript", "text", "item")
    more = ("response", "session", "error", "previous_item_id", "rate_limits", "usage", "part")
    known = [
        *("session.created", "session.updated", "error", "input_audio_buffer.speech_started"),
        *("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"),
        *("conversation.item.added", "conversation.item.done", "conversation.item.deleted"),
        *(
            f"conversation.item.input_audio_transcription.{what}"
            for what in ("delta", "completed", "failed")
        ),
        *("response.created", "response.done", "response.output_item.added"),
        *(
            f"response.output_{what}.{end}"
            for what in ("audio", "audio_transcript", "text", "item")
            for end in ("delta", "done")
        ),
        *("response.function_call_arguments.done", "rate_limits.updated"),
    ]
    return [say(name, **dict.fromkeys((*fields, *more), value)) for name in known]


def reused(*roles):
    """One id for items of all kinds."""
    for role in roles:
        item = {"id": "same", "type": "message", "role": role, "content": [7, None, {"text": 7}]}
        yield say("conversation.item.added", item=item, previous_item_id="same")
        yield say("response.output_item.added", item={**item, "type": "function_call"})
        for kind in ("audio_transcript", "text"):
            yield say(f"response.output_{kind}.delta", item_id="same", response_id="r1", delta="x")
        yield say("input_audio_buffer.committed", item_id="same", previous_item_id="same")
        yield say("response.output_audio.delta", item_id="same", response_id="same", delta=SOUND)


HUGE = bytes([TEXT | 128, 127]) + (100 * MB).to_bytes(8, "big") + bytes(MB)
RULES = "breaks the rules of WebSocket (1002). Check REALTIME_BASE_URL"
LARGE = "too large for a call. Check REALTIME_BASE_URL"
NO_WEBSOCKET = "does not speak WebSocket. Check REALTIME_BASE_URL"

ROWS = [
    Row("a delta of 100 MB", [greet, send(HUGE)], LARGE, 6),
    Row(
        "a delta of 100 MB in pieces",
        [greet, send(frame(TEXT, b"", last=False), frame(CONTINUED, bytes(MB), last=False) * 100)],
        LARGE,
        6,
    ),
    Row("compressed", [greet, send(frame(TEXT, b"{}", compressed=True))], RULES, 6),
    Row("unknown kind of frame", [greet, send(frame(3, b"{}"))], RULES, 6),
    Row("a long goodbye", [greet, send(frame(CLOSE, b"\x0f\xa0" + b"x" * 1000))], RULES, 6),
    Row(
        "a goodbye of signs",
        [greet, close(4000, "\x1b[31m\u202e\r\n" + "x" * 100)],
        "refused the call: [31m xxx",
    ),
    Row("no value where one is due", [greet, *wrong(None)]),
    Row("numbers where words are due", [greet, *wrong(7)]),
    Row("huge numbers", [greet, *wrong(1e300)]),
    Row("negative numbers", [greet, *wrong(-(2**63))]),
    Row("words where numbers are due", [greet, *wrong("x")]),
    Row("lists", [greet, *wrong([[], {}, None, 7, "x"])]),
    Row("objects", [greet, *wrong({"id": ["x"], "type": 7, "message": {}, "code": []})]),
    Row("one id for everything", [greet, *reused("user", "assistant", "system", "tool", None, 7)]),
    Row(
        "a greeting that brings a book",
        [say("session.created", session={"practice": {"notes": ["n" * MB] * 5}}), greet],
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_a_broken_server_sends_ends_the_call_with_a_sentence_or_does_nothing(row):
    async with (
        nothing_left(),
        faulty_server(*[[*row.script, *NEXT]] * 6) as server,
        calling(server.url) as caller,
    ):
        if row.says:
            state = await caller.state(connection="failed")
            assert row.says in state["notice"]
            assert len(state["notice"]) < 500
        else:
            await caller.until(lambda: "next" in caller.texts)
            assert caller.states[-1]["connection"] == "connected"
            assert all(len(notice) <= 1000 for notice in caller.notices)
        assert server.connections == row.connections


NEXT = [
    say(
        "conversation.item.added",
        item={
            "id": "n1",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "next"}],
        },
    )
]
"""What comes after it is still understood."""

START = b"HTTP/1.1 101 S\r\n"
NO = b"HTTP/1.1 401 N\r\n"
SILENT = "does not answer. Check the network"
HANDSHAKES = {
    "headers without end": (Refusal(bytes_=START, again=b"A: b\r\n" * 10), NO_WEBSOCKET),
    "a header without end": (Refusal(bytes_=START, again=b"A" * 1000), NO_WEBSOCKET),
    "a trickle of a header": (Refusal(bytes_=START, again=b"A"), SILENT),
    "a huge header": (Refusal(bytes_=START + b"x" * MB), NO_WEBSOCKET),
    "a huge body": (Refusal(bytes_=NO + b"Content-Length: 99999999\r\n\r\n"), NO_WEBSOCKET),
    "a body without end": (Refusal(bytes_=NO + b"\r\n", again=b"x"), SILENT),
    "one byte": (Refusal(bytes_=b"H"), SILENT),
    "a book": (refuse(400, '{"error":{"message":"' + "no " * 100_000 + '"}}'), "no no no"),
    "another place": (refuse(302), "HTTP 302"),
}


@pytest.mark.parametrize("name", HANDSHAKES)
async def test_handshake_in_bad_faith_is_given_up(name, monkeypatch):
    monkeypatch.setattr(upstream, "OPEN_LIMIT_S", 1.0)
    refusal, says = HANDSHAKES[name]
    async with nothing_left(), faulty_server([refusal]) as server, calling(server.url) as caller:
        state = await caller.state(connection="failed")
        assert says in state["notice"]
        assert len(state["notice"]) < 500
        assert server.connections == 1


async def test_redirect_to_another_host_does_not_take_the_key_there():
    async with faulty_server() as other:
        refusal = Refusal(status=302, location=other.url)
        async with faulty_server([refusal]) as server, calling(server.url, api_key=KEY) as caller:
            await caller.state(connection="failed")
        assert other.connections == 0


async def test_server_that_stops_reading_is_given_up_and_the_call_goes_on_elsewhere(monkeypatch):
    monkeypatch.setattr(upstream, "STALL_LIMIT_S", 0.2)
    before = resident()
    script = [greet, stop_reading, send_without_end()]
    async with nothing_left(), faulty_server(script) as server, calling(server.url) as caller:
        await caller.state(connection="connected")
        for _ in range(5000):
            caller.call.microphone(LOUD)
        await caller.state(connection="reconnecting")
        await server.client(2)
        await caller.state(connection="connected")

        assert resident() - before < MOST_MEMORY


async def test_one_call_s_flood_does_not_silence_another_call():
    """As it is in use, bound on events in a second and all."""
    flood = send_without_end(event("response.output_audio.delta", **OF, delta=SOUND) * 500)
    async with (
        nothing_left(),
        faulty_server([greet, *REPLY, flood]) as hostile,
        faulty_server() as good,
        calling(hostile.url) as victim,
        calling(good.url) as other,
    ):
        await victim.state(connection="connected")
        await other.state(connection="connected")
        other.turns_s.clear()
        await good.clients[0].expect("input_audio_buffer.append", 60)

        assert len(other.turns_s) >= 10
        assert other.notices == []


# The key.

KEY = "0123456789abcdef-secret"
"""It has not the looks of a key."""


@pytest.mark.parametrize(
    "script",
    [
        [greet, error("invalid_value", message=f"not {KEY}"), *NEXT, close(1011, KEY)],
        [say("error", error={"code": KEY, "type": KEY, "message": KEY}), close(3000, f"x.{KEY}")],
        [greet, say(KEY, **{KEY: KEY}), close(4000, KEY)],
        [refuse(400, '{"error":{"message":"' + KEY + '"}}')],
        [refuse(401, KEY)],
        [Refusal(bytes_=KEY.encode() + b"\r\n\r\n")],
        [greet, send(b"\x83\x10" + KEY.encode()[:16])],
    ],
)
async def test_key_is_in_no_log_notice_trace_or_repr(script, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    trace = tmp_path / "calls.jsonl"
    async with faulty_server(script, [refuse(401)]) as server:
        url = f"{server.url}?api_key={KEY}"
        async with calling(url, api_key=KEY, trace=trace) as caller:
            caller.say("Remember me")
            await caller.state(connection="failed")
            told = [repr(caller.call), repr(vars(caller.call)), repr(caller.call._session)]
        told += [repr(caller.states), repr(caller.conversation), trace.read_text(), caplog.text]
        told += [repr(record.__dict__) for record in caplog.records]

    assert "failed" in told[3]
    assert not [text for text in told if KEY in text]
