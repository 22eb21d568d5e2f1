"""The socket against real servers on loopback: good, refusing, silent, broken, gone."""

import asyncio
import logging
import socket as sockets
import time
import traceback
import tracemalloc
from contextlib import asynccontextmanager, closing, suppress
from itertools import pairwise
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from components.audio import FRAME_BYTES, decode
from components.protocol.events import AudioDelta, Other, SessionCreated
from components.protocol.failures import (
    Severity,
    failure_of_close,
    failure_of_own_close,
    failure_of_status,
)
from components.upstream import client as module
from components.upstream.client import Upstream, UpstreamError, open_upstream
from components.upstream.outbox import MOST_AUDIO
from components.upstream.socket import Connection
from components.upstream.trace import Trace
from tests.scripted import port_of

KEY = "sk-very-secret"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}
CONTINUED, TEXT = range(2)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "socks_proxy", "ws_proxy")


@pytest.fixture(autouse=True)
async def no_task_is_left_behind():
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def no_proxy(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def realtime_server(script, **options):
    """The address of a WebSocket server that does to each connection what the script says."""
    async with serve(
        script, "127.0.0.1", 0, compression=None, max_size=None, close_timeout=0.2, **options
    ) as server:
        yield f"ws://127.0.0.1:{port_of(server)}/v1/realtime?model=m"


@asynccontextmanager
async def tcp_server(script):
    """The address of a server that speaks what it likes; it ends when its clients are gone."""
    handlers: list[Any] = []

    async def handle(reader, writer):
        handlers.append(asyncio.current_task())
        with suppress(ConnectionError):
            await script(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"
    await asyncio.gather(*handlers)


@asynccontextmanager
async def opened(url, *records):
    upstream = await open_upstream(url, AUTHORIZED, records)
    try:
        yield upstream
    finally:
        await upstream.close()


def frame(opcode, payload, last=True):
    """A server's frame, byte by byte: what the library itself would not send."""
    assert len(payload) < 126
    return bytes([opcode | 128 * last, len(payload)]) + payload


async def echo(socket):
    async for frame in socket:
        await socket.send(frame)


async def everything_of(upstream):
    """All events until the connection ends, and why it did."""
    events = []
    try:
        async for event in upstream.events():
            events.append(event)
    except UpstreamError as end:
        return events, end.failure
    raise AssertionError("the events ended without a reason")


async def failure_to_open(url):
    with pytest.raises(UpstreamError) as refusal:
        await open_upstream(url, AUTHORIZED)
    assert str(refusal.value) == refusal.value.failure.sentence
    assert KEY not in str(refusal.value)
    return refusal.value.failure


# A server as it should be.


async def test_events_and_audio_go_out_in_order_and_events_come_back():
    received = []

    async def keep_and_echo(socket):
        async for frame in socket:
            received.append(frame)
            await socket.send(frame)

    async with realtime_server(keep_and_echo) as url, opened(url) as upstream:
        upstream.send({"type": "session.update", "session": {"voice": "é"}})
        upstream.send_audio(b"\x01\x02")
        upstream.send({"type": "response.create"})
        events = upstream.events()
        came = [await anext(events) for _ in range(3)]
        await events.aclose()

    assert [event.type for event in came] == [
        "session.update",
        "input_audio_buffer.append",
        "response.create",
    ]
    update, append, _ = received
    assert orjson.loads(update)["session"] == {"voice": "é"}
    assert decode(orjson.loads(append)["audio"]) == b"\x01\x02"


async def test_what_the_network_takes_wakes_no_task(monkeypatch):
    left: list[None] = []
    stock = Connection.write
    monkeypatch.setattr(Connection, "write", lambda self, text: left.append(stock(self, text)))

    async with realtime_server(echo) as url, opened(url) as upstream:
        upstream.send({"type": "response.create"})
        upstream.send_audio(b"\x01\x02")
        assert len(left) == 2


async def test_the_server_gets_the_path_and_the_headers_and_no_offer_to_compress():
    seen = []

    async def script(socket):
        seen.append((socket.request.path, socket.request.headers))

    async with realtime_server(script) as url, opened(url) as upstream:
        await everything_of(upstream)

    ((path, headers),) = seen
    assert path == "/v1/realtime?model=m"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert "Sec-WebSocket-Extensions" not in headers
    assert "OpenAI-Beta" not in headers


async def test_old_names_become_new_ones():
    async def script(socket):
        await socket.send('{"type":"response.audio.delta","delta":"AAAA"}')

    async with realtime_server(script) as url, opened(url) as upstream:
        events, _ = await everything_of(upstream)

    assert events == [AudioDelta("", "", 0, decode("AAAA"))]


async def test_a_message_of_5_mb_comes_through_both_ways():
    audio = "A" * 5_000_000
    async with realtime_server(echo) as url, opened(url) as upstream:
        upstream.send({"type": "response.output_audio.delta", "delta": audio})
        event = await anext(aiter(upstream.events()))

    assert event.pcm == decode(audio)


async def test_a_reply_of_minutes_may_come_in_one_piece():
    audio = "A" * 15_000_000

    async def script(socket):
        event = {"type": "response.output_audio.delta", "delta": audio}
        await socket.send(orjson.dumps(event).decode())

    async with realtime_server(script) as url, opened(url) as upstream:
        [event], _ = await everything_of(upstream)

    assert event.pcm == decode(audio)


# What is no event.


async def test_frames_that_are_no_events_are_left_out_with_a_word_in_the_log(caplog):
    frames = [
        "this is not JSON",
        "[]",
        "{}",
        b"\x00\xff\x00",
        '{"type":"x","deep":' + "[" * 5000 + "]" * 5000 + "}",
        '{"type":"first"}',
        b'{"type":"binary, but an event"}',
        "",
        '{"type":"last"}',
    ]

    async def script(socket):
        for frame in frames:
            await socket.send(frame)

    async with realtime_server(script) as url, opened(url) as upstream:
        events, _ = await everything_of(upstream)

    assert [event.type for event in events] == ["first", "binary, but an event", "last"]
    assert [record.getMessage() for record in caplog.records] == [
        "! the server sent something that is no event",
        "! 6 messages of the server were no events",
    ]


async def test_text_that_is_not_utf_8_is_no_event():
    async def script(socket):
        socket.transport.write(frame(TEXT, b'{"type":"\xff"}') + frame(TEXT, b'{"type":"good"}'))
        await socket.close()

    async with realtime_server(script) as url, opened(url) as upstream:
        events, failure = await everything_of(upstream)

    assert events == [Other("good")]
    assert failure == failure_of_close(1000, "")


async def test_server_that_sends_nothing_but_garbage_fills_no_log(monkeypatch, caplog):
    monkeypatch.setattr(module, "MOST_PIECES", 10**9)
    count = 3000

    async def script(socket):
        for _ in range(count):
            await socket.send("garbage")

    async with realtime_server(script) as url, opened(url) as upstream:
        events, _ = await everything_of(upstream)

    assert events == []
    assert [record.getMessage() for record in caplog.records] == [
        "! the server sent something that is no event",
        f"! {count} messages of the server were no events",
    ]


async def test_message_of_brackets_is_not_turned_into_lists():
    """16 MiB of them would take half a gigabyte, and a second."""

    async def script(socket):
        await socket.send('{"type":"x","y":[' + "[]," * (module.LARGE_BYTES // 3) + "0]}")
        await socket.send('{"type":"good"}')

    async with realtime_server(script) as url, opened(url) as upstream:
        events, _ = await everything_of(upstream)

    assert events == [Other("good")]


@pytest.mark.parametrize("pieces", [1, 100])
async def test_message_without_end_is_given_up(monkeypatch, pieces):
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)

    async def script(socket):
        await socket.send(["x" * (100_001 // pieces + 1)] * pieces)
        await socket.wait_closed()

    async with realtime_server(script) as url, opened(url) as upstream:
        events, failure = await everything_of(upstream)

    assert events == []
    assert failure == failure_of_own_close(1009)


async def test_message_in_endless_empty_pieces_takes_no_memory(monkeypatch):
    monkeypatch.setattr(module, "MOST_PIECES", 10**9)
    count = 20_000

    async def script(socket):
        socket.transport.write(frame(TEXT, b'{"type":', last=False))
        for _ in range(count):
            socket.transport.write(frame(CONTINUED, b"", last=False))
        socket.transport.write(frame(CONTINUED, b'"good"}'))
        await socket.close()

    async with realtime_server(script) as url, opened(url) as upstream:
        tracemalloc.start()
        try:
            events, _ = await everything_of(upstream)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert events == [Other("good")]
    assert peak < 50 * count


async def test_flood_of_events_lets_everybody_else_have_a_turn_after_each(monkeypatch):
    monkeypatch.setattr(module, "MOST_PIECES", 10**9)
    count = 2000
    handled, at_each_turn = 0, []

    async def bystander():
        while handled < count:
            at_each_turn.append(handled)
            await asyncio.sleep(0)

    async def script(socket):
        socket.transport.write(frame(TEXT, b'{"type":"x"}') * count)
        await socket.close()

    async with realtime_server(script) as url, opened(url) as upstream:
        other = asyncio.create_task(bystander())
        with suppress(UpstreamError):
            async for _ in upstream.events():
                handled += 1
        await other

    steps = [after - before for before, after in pairwise(at_each_turn)]
    assert max(steps) == 1


async def test_flood_of_events_is_slowed_down(monkeypatch):
    monkeypatch.setattr(module, "MOST_PIECES", 10)

    async def script(socket):
        for _ in range(15):
            await socket.send('{"type":"x"}')

    async with realtime_server(script) as url, opened(url) as upstream:
        begun = time.monotonic()
        events, _ = await everything_of(upstream)
        took = time.monotonic() - begun

    assert len(events) == 15
    assert took > 0.9


# A server that refuses.


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
async def test_a_refused_handshake_is_judged_by_its_status(status):
    def refuse(connection, request):
        return connection.respond(status, "No.\n")

    async with realtime_server(echo, process_request=refuse) as url:
        failure = await failure_to_open(url)

    assert failure == failure_of_status(status)


async def test_the_body_of_a_refused_handshake_may_say_more():
    body = '{"error":{"code":"insufficient_quota","message":"You exceeded your quota."}}'

    def refuse(connection, request):
        return connection.respond(429, body)

    async with realtime_server(echo, process_request=refuse) as url:
        failure = await failure_to_open(url)

    assert "credit" in failure.sentence
    assert failure.severity is Severity.PERMANENT


async def test_a_redirect_is_not_followed_as_it_would_take_the_key_along():
    visitors = []

    async def elsewhere(socket):
        visitors.append(socket.request.headers)

    async with realtime_server(elsewhere) as other:

        def redirect(connection, request):
            response = connection.respond(302, "")
            response.headers["Location"] = other
            return response

        async with realtime_server(echo, process_request=redirect) as url:
            failure = await failure_to_open(url)

    assert failure == failure_of_status(302)
    assert visitors == []


async def test_a_page_instead_of_a_socket():
    async def script(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nWelcome")

    async with tcp_server(script) as url:
        failure = await failure_to_open(url)

    assert failure == failure_of_status(200)


@pytest.mark.parametrize(
    ("greeting", "what"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak WebSocket. Check"),
        (b"\x00" * 100, "hung up without an answer. Try again, or check"),
        (b"", "hung up without an answer. Try again, or check"),
    ],
    ids=["ssh", "noise", "nothing"],
)
async def test_a_server_of_something_else(greeting, what):
    async def script(reader, writer):
        writer.write(greeting)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")

    async with tcp_server(script) as url:
        failure = await failure_to_open(url)

    assert failure.sentence == f"127.0.0.1 {what} REALTIME_BASE_URL."


async def test_a_server_that_hangs_up_at_once():
    async def script(reader, writer):
        writer.transport.abort()

    async with tcp_server(script) as url:
        failure = await failure_to_open(url)

    assert failure.sentence.startswith("127.0.0.1 ")
    assert failure.sentence.endswith("REALTIME_BASE_URL.")


async def test_a_server_that_takes_the_connection_and_says_nothing(monkeypatch):
    monkeypatch.setattr(module, "OPEN_LIMIT_S", 0.1)

    async def script(reader, writer):
        await reader.read()

    async with tcp_server(script) as url:
        failure = await failure_to_open(url)

    assert failure.sentence == (
        "127.0.0.1 does not answer. Check the network and REALTIME_BASE_URL."
    )


async def test_hanging_up_while_connecting_leaves_nothing_behind():
    arrived = asyncio.Event()

    async def script(reader, writer):
        arrived.set()
        await reader.read()

    async with tcp_server(script) as url:
        opening = asyncio.create_task(open_upstream(url, AUTHORIZED))
        await arrived.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


async def test_nobody_listens():
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        failure = await failure_to_open(f"ws://127.0.0.1:{unused.getsockname()[1]}/")

    assert failure.severity is Severity.TRANSIENT
    assert failure.sentence == (
        "127.0.0.1 cannot be reached. Check the network and REALTIME_BASE_URL."
    )


async def test_a_host_that_nobody_knows(monkeypatch, no_proxy):
    async def unknown(*args, **options):
        raise sockets.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)

    failure = await failure_to_open("wss://no-such-host.invalid/v1/realtime")

    assert failure.sentence.startswith("no-such-host.invalid cannot be reached.")


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
async def test_a_host_whose_name_cannot_be_one(host, no_proxy):
    failure = await failure_to_open(f"ws://{host}/v1/realtime")

    assert failure.sentence.startswith(f"{host} cannot be reached.")


async def test_a_secure_address_of_an_insecure_server():
    async def script(reader, writer):
        assert await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with tcp_server(script) as url:
        failure = await failure_to_open(url.replace("ws://", "wss://"))

    assert failure.sentence == (
        "No secure connection to 127.0.0.1 is possible. Check REALTIME_BASE_URL."
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ws:///v1/realtime", "ws://user@127.0.0.1/"])
async def test_an_address_that_is_none(url):
    failure = await failure_to_open(url)

    assert failure.sentence.endswith("refused the connection. Check REALTIME_BASE_URL.")


async def test_a_server_that_does_not_finish_the_handshake_properly():
    async def script(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    async with tcp_server(script) as url:
        failure = await failure_to_open(url)

    assert failure.sentence == "127.0.0.1 refused the connection. Check REALTIME_BASE_URL."


async def test_a_proxy_that_lets_nothing_through(monkeypatch, no_proxy):
    async def script(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with tcp_server(script) as proxy:
        monkeypatch.setenv("https_proxy", proxy.replace("ws://", "http://").rsplit("/v1")[0])
        failure = await failure_to_open("wss://api.example/v1/realtime")

    assert failure.sentence == (
        "This machine's proxy does not let a call to api.example through. Check HTTPS_PROXY."
    )


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:1", "socks5h://127.0.0.1:1"])
async def test_a_proxy_that_cannot_be_used(monkeypatch, no_proxy, proxy):
    monkeypatch.setenv("https_proxy", proxy)

    failure = await failure_to_open("wss://api.example/v1/realtime")

    assert "proxy does not let a call to api.example through" in failure.sentence


async def test_no_proxy_stands_between_us_and_our_own_machine(monkeypatch, no_proxy):
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy")

    async with realtime_server(echo) as url, opened(url) as upstream:
        upstream.send({"type": "x"})
        assert await anext(aiter(upstream.events())) == Other("x")


# A server that goes away.


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (3000, "invalid_request_error.invalid_api_key"),
        (4000, "invalid_request_error.beta_api_shape_disabled"),
        (4000, "invalid_request_error.missing_model"),
        (4000, "invalid_request_error.invalid_model"),
        (4004, "invalid_request_error.model_not_found"),
        (1000, ""),
        (1000, "invalid_request_error.session_expired"),
        (1001, ""),
        (1008, "session_limit_reached"),
        (1008, "no such user"),
        (1009, ""),
        (1011, "keepalive ping timeout"),
        (1012, ""),
        (1013, "try again"),
    ],
)
async def test_a_close_is_judged_by_its_code_and_reason_after_the_last_event(code, reason):
    async def script(socket):
        await socket.send('{"type":"error","error":{"message":"last words"}}')
        await socket.close(code, reason)

    async with realtime_server(script) as url, opened(url) as upstream:
        events, failure = await everything_of(upstream)

    assert [event.error.message for event in events] == ["last words"]
    assert failure == failure_of_close(code, reason)


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [(1008, "", "session_expired"), (4000, "", "session_expired"), (1008, "go", "go")],
)
async def test_close_without_a_reason_is_explained_by_the_error_before_it(code, reason, expected):
    """How the API closes an expired session is not written anywhere."""

    async def script(socket):
        await socket.send('{"type":"error","error":{"type":"x","code":"session_expired"}}')
        await socket.close(code, reason)

    async with realtime_server(script) as url, opened(url) as upstream:
        _, failure = await everything_of(upstream)

    assert failure == failure_of_close(code, expected)


async def test_error_long_ago_explains_no_close():
    async def script(socket):
        await socket.send('{"type":"error","error":{"type":"x","code":"invalid_api_key"}}')
        await socket.send('{"type":"x"}')
        await socket.close(1011)

    async with realtime_server(script) as url, opened(url) as upstream:
        _, failure = await everything_of(upstream)

    assert failure == failure_of_close(1011, "")


async def test_a_close_without_a_code():
    async def script(socket):
        socket.transport.write(b"\x88\x00")
        await socket.wait_closed()

    async with realtime_server(script) as url, opened(url) as upstream:
        _, failure = await everything_of(upstream)

    assert failure == failure_of_close(1005, "")


async def test_a_connection_that_drops_in_mid_stream():
    async def script(socket):
        await socket.send('{"type":"session.created"}')
        assert await socket.recv()
        socket.transport.abort()

    async with realtime_server(script) as url, opened(url) as upstream:
        events = upstream.events()
        assert isinstance(await anext(events), SessionCreated)
        upstream.send({"type": "session.update"})
        with pytest.raises(UpstreamError) as end:
            await anext(events)

    assert end.value.failure == failure_of_close(1006, "")


async def test_a_connection_that_drops_in_the_middle_of_a_frame():
    async def script(socket):
        socket.transport.write(b'\x81\x7e\x01\x00{"type":"x"')
        socket.transport.close()

    async with realtime_server(script) as url, opened(url) as upstream:
        events, failure = await everything_of(upstream)

    assert events == []
    assert failure == failure_of_close(1006, "")


async def test_sending_to_a_server_that_has_gone_harms_nobody():
    async def script(socket):
        await socket.close(1001)

    async with realtime_server(script) as url, opened(url) as upstream:
        _, failure = await everything_of(upstream)
        for _ in range(2 * MOST_AUDIO):
            upstream.send_audio(b"\0\0")
        await upstream.close()
        upstream.send({"type": "too late"})

    assert failure == failure_of_close(1001, "")


# A server that does not listen.


@asynccontextmanager
async def deaf_server():
    over = asyncio.Event()

    async def script(socket):
        socket.transport.pause_reading()
        await over.wait()
        socket.transport.abort()

    async with realtime_server(script) as url:
        try:
            yield url
        finally:
            over.set()


async def test_server_that_takes_no_events_ends_the_call_instead_of_filling_the_memory():
    async with deaf_server() as url, opened(url) as upstream:
        reading = asyncio.create_task(everything_of(upstream))
        sent = 0
        while not reading.done():
            upstream.send({"type": "x", "text": "x" * 1_000_000})
            sent += 1
            await asyncio.sleep(0)
        events, failure = await reading

    assert events == []
    assert sent > 5
    assert failure.severity is Severity.TRANSIENT
    assert failure.sentence == "The network is too slow to carry the call. Start it again."


async def test_server_that_takes_no_sound_for_too_long_is_given_up(monkeypatch):
    async with deaf_server() as url, opened(url) as upstream:
        reading = asyncio.create_task(everything_of(upstream))
        for _ in range(2000):
            upstream.send_audio(bytes(FRAME_BYTES))
            await asyncio.sleep(0)
        assert not reading.done()

        monkeypatch.setattr(module, "STALL_LIMIT_S", 0.0)
        upstream.send_audio(bytes(FRAME_BYTES))
        _, failure = await reading

    assert failure.sentence == "The network is too slow to carry the call. Start it again."


@pytest.mark.skipif(not hasattr(sockets, "TCP_NOTSENT_LOWAT"), reason="this system buffers more")
async def test_after_a_stall_the_server_hears_the_newest_sound_and_not_all_that_was_said():
    """A minute of it would wait in the system's own buffers."""
    stalled, resumed, heard = asyncio.Event(), asyncio.Event(), []
    minute = 3000

    async def script(socket):
        socket.transport.pause_reading()
        stalled.set()
        await resumed.wait()
        socket.transport.resume_reading()
        async for text in socket:
            heard.append(decode(orjson.loads(text)["audio"]))
            if heard[-1] == sound(minute - 1):
                return

    def sound(number):
        return number.to_bytes(2, "little") * (FRAME_BYTES // 2)

    async with realtime_server(script) as url, opened(url) as upstream:
        await stalled.wait()
        for number in range(minute):
            upstream.send_audio(sound(number))
            await asyncio.sleep(0)
        resumed.set()
        await everything_of(upstream)

    newest = [sound(number) for number in range(minute - MOST_AUDIO, minute)]
    assert heard[-MOST_AUDIO:] == newest
    assert len(heard) < minute / 4


async def test_hanging_up_on_a_server_that_never_reads_does_not_hang(monkeypatch):
    """Its goodbye waits behind all that was sent before, for ever."""
    monkeypatch.setattr(module, "CLOSE_LIMIT_S", 0.05)
    async with deaf_server() as url:
        socket = await connect(
            url, compression=None, close_timeout=0.05, create_connection=Connection
        )
        assert isinstance(socket, Connection)
        upstream = Upstream(socket)
        while socket.transport.get_write_buffer_size() == 0:
            upstream.send_audio(bytes(100_000))
            await asyncio.sleep(0)

        await upstream.close()

        assert socket.transport.is_closing()
        with pytest.raises(ConnectionClosed):
            await socket.recv()


# Hanging up.


async def test_hanging_up_says_goodbye_and_may_be_done_twice():
    ends: asyncio.Queue[Any] = asyncio.Queue()

    async def script(socket):
        await socket.wait_closed()
        ends.put_nowait((socket.close_code, socket.close_reason))

    async with realtime_server(script) as url:
        upstream = await open_upstream(url, {})
        await upstream.close()
        await upstream.close()

        assert await ends.get() == (1000, "")
        _, failure = await everything_of(upstream)
        assert failure == failure_of_close(1000, "")


async def test_hanging_up_twice_at_once():
    async with realtime_server(echo) as url:
        upstream = await open_upstream(url, {})

        await asyncio.gather(upstream.close(), upstream.close())


async def test_hanging_up_ends_the_events_of_whoever_waits_for_them():
    async with realtime_server(echo) as url:
        upstream = await open_upstream(url, {})
        reading = asyncio.create_task(everything_of(upstream))
        await asyncio.sleep(0)
        await upstream.close()

        events, failure = await reading

    assert events == []
    assert failure == failure_of_close(1000, "")


async def test_hanging_up_while_there_is_much_to_send(monkeypatch):
    """The server's answers to it stand before its goodbye, and nobody reads them any more."""
    monkeypatch.setattr(module, "CLOSE_LIMIT_S", 0.05)
    async with realtime_server(echo) as url:
        upstream = await open_upstream(url, {})
        for _ in range(MOST_AUDIO):
            upstream.send_audio(bytes(9600))
        await asyncio.sleep(0)

        await upstream.close()


# What is written down.


async def test_the_trace_holds_both_directions_without_audio_or_key(tmp_path):
    async def script(socket):
        assert await socket.recv()
        assert await socket.recv()
        await socket.send('{"type":"response.audio.delta","delta":"QUJDRA=="}')
        await socket.send(f'{{"type":"error","error":{{"message":"not {KEY}!"}}}}')

    path = tmp_path / "call.jsonl"
    with closing(Trace(path)) as trace:
        async with realtime_server(script) as url, opened(url, trace) as upstream:
            upstream.send({"type": "session.update", "session": {"voice": "marin"}})
            upstream.send_audio(b"microphone")
            await everything_of(upstream)

    text = path.read_text()
    lines = [orjson.loads(line) for line in text.splitlines()]
    assert [line.get("sent") or line["received"] for line in lines] == [
        {"type": "session.update", "session": {"voice": "marin"}},
        {"type": "response.output_audio.delta", "delta": "(8 characters of audio)"},
        {"type": "error", "error": {"message": "not (key)!"}},
    ]
    assert not any(secret in text for secret in (KEY, "QUJDRA", "Authorization"))


async def test_the_log_holds_neither_audio_nor_key(caplog):
    caplog.set_level(logging.DEBUG)

    async def refuse(connection, request):
        return connection.respond(401, f"wrong: {KEY}")

    async with realtime_server(echo, logger=logging.getLogger("quiet")) as url:
        logging.getLogger("quiet").setLevel(logging.CRITICAL)
        async with opened(url) as upstream:
            upstream.send_audio(b"ABCD")
            await anext(aiter(upstream.events()))
    async with realtime_server(
        echo, process_request=refuse, logger=logging.getLogger("quiet")
    ) as url:
        await failure_to_open(url)

    assert "< input_audio_buffer.append" in caplog.text
    assert "! no connection to 127.0.0.1" in caplog.text
    assert not any(secret in caplog.text for secret in (KEY, "QUJDRA", "Authorization"))


async def test_key_that_a_server_repeats_goes_no_further(tmp_path, caplog):
    """Not every server's keys can be known by their looks."""
    caplog.set_level(logging.DEBUG)
    key = "0123456789abcdef"

    async def repeat(socket):
        await socket.send(orjson.dumps({"type": f"the key is {key}", key: key}).decode())
        await socket.close(1008, f"not {key}")

    def refuse(connection, request):
        return connection.respond(400, '{"error":{"message":"' + key + '?"}}')

    quiet = logging.getLogger("quiet")
    quiet.setLevel(logging.CRITICAL)
    path = tmp_path / "call.jsonl"
    with closing(Trace(path)) as trace:
        async with realtime_server(repeat, logger=quiet) as url:
            upstream = await open_upstream(url, {"api-key": key}, [trace])
            events, closed = await everything_of(upstream)
            await upstream.close()
    async with realtime_server(echo, process_request=refuse, logger=quiet) as url:
        with pytest.raises(UpstreamError) as refused:
            await open_upstream(f"{url}&api_key={key}", {})

    assert events == [Other("the key is (key)")]
    assert "not (key)" in closed.sentence
    assert "(key)?" in str(refused.value)
    everything = f"{caplog.text}{path.read_text()}{events}{closed}{refused.value.failure}"
    assert key not in everything


async def test_error_holds_no_address_as_that_may_hold_the_key():
    key = "".join(str(digit) for digit in range(10))
    with pytest.raises(UpstreamError) as refused:
        await open_upstream(f"http://127.0.0.1/?api_key={key}", {})

    assert key not in "".join(traceback.format_exception(refused.value))


async def test_type_of_an_event_cannot_forge_the_log(caplog):
    caplog.set_level(logging.DEBUG, "components.upstream.client")

    async def script(socket):
        await socket.send(orjson.dumps({"type": "x\n! forged" + "x" * 10_000}).decode())

    async with realtime_server(script) as url, opened(url) as upstream:
        await everything_of(upstream)

    [line] = [r.getMessage() for r in caplog.records if r.name == "components.upstream.client"]
    assert line.startswith("< x ! forged")
    assert len(line) < 100
