"""`python app.py` starts, or says why not; and it stops when told to, with a goodbye."""

import asyncio
import json
import os
import signal
import socket
import time
from contextlib import asynccontextmanager

import httpx
import pytest
from gradio import tunneling

from tests.peer import caller
from tests.running import (
    ended_app,
    ended_code,
    ended_fork,
    forked_app,
    free_port,
    started_app,
)
from tests.scripted import scripted_server

pytestmark = pytest.mark.integration

STOP_S = 3
"""The app promises to stop within it."""


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("MAX_CALLS", "abc", "a whole number from 1"),
        ("GRADIO_SERVER_PORT", "abc", "a whole number from 1"),
        ("REALTIME_VOICE", "hal", "marin"),
        ("REALTIME_TURN_DETECTION", "telepathy", "server_vad, semantic_vad or push_to_talk"),
        ("REALTIME_BASE_URL", "ftp://x", "wss://"),
    ],
)
def test_setting_that_cannot_be_used_is_named_with_what_it_may_be(
    tmp_path, variable, value, expected
):
    status, _, text = ended_app(tmp_path, **{variable: value})

    assert status == 2
    assert f"{variable} is '{value}'" in text
    assert expected in text
    assert "Traceback" not in text


def test_all_problems_are_told_at_once(tmp_path):
    (tmp_path / ".env").write_text("MAX_CALLS=abc\nthis is no setting\n")
    status, _, text = ended_app(tmp_path, REALTIME_VOICE="hal")

    assert status == 2
    assert "MAX_CALLS" in text
    assert "REALTIME_VOICE" in text
    assert ".env, line 2" in text


def test_port_in_use_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, text = ended_fork(tmp_path, "--port", str(port))

    assert status == 2
    assert f"is {port}, but that port is in use" in text
    assert "Traceback" not in text


def test_port_may_come_from_the_env_file(tmp_path):
    port = free_port()
    (tmp_path / ".env").write_text(f"GRADIO_SERVER_PORT={port}\n")

    with started_app(tmp_path, port=port) as app:
        assert app.url.endswith(str(port))


def share_program(folder, says):
    """Puts a stand-in in the place of the program that Gradio makes public links with."""
    program = folder / "gradio" / "frpc" / tunneling.BINARY_FILENAME
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}'\nexec sleep 60\n")
    program.chmod(0o755)
    return {"HF_HOME": str(folder), "GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:9"}


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_the_public_link_is_printed_and_shown_and_strangers_see_no_events(tmp_path, by):
    variables = share_program(tmp_path, "start proxy success: http://abc.gradio.live")
    flags = ["--share"] if by == "flag" else []
    if by == "variable":
        variables["GRADIO_SHARE"] = "true"
    with started_app(tmp_path, *flags, REALTIME_BASE_URL="practice", **variables) as app:
        tells(app, "* Running on public URL: https://abc.gradio.live (")
        page = httpx.get(app.url, trust_env=False).text
        assert "https://abc.gradio.live" in page
        assert "no TURN server is set" in page
        for closed in ("/api/inspection", "/api/recording", "/metrics", "/api/realtime/token"):
            assert httpx.post(f"{app.url}{closed}", trust_env=False).status_code == 404


def test_an_app_without_a_public_link_says_why_in_a_sentence_and_goes_on(tmp_path):
    variables = share_program(tmp_path, "login to server failed: no")
    with started_app(tmp_path, "--share", REALTIME_BASE_URL="practice", **variables) as app:
        tells(app, "! There is no public link: Gradio's share server did not give one.")
        page = httpx.get(app.url, trust_env=False)
        assert page.status_code == 200
        assert "public link" not in page.text
        log = app.log.read_text()
        assert "Traceback" not in log
        assert "login to server failed" not in log


def tells(app, words):
    """Wait until these words stand in the log of an app."""
    deadline = time.monotonic() + 10
    while words not in app.log.read_text():
        assert time.monotonic() < deadline, app.log.read_text()
        time.sleep(0.05)


def by_the_terminal(app):
    """Ctrl-C: every process of the terminal's foreground group gets the signal."""
    os.killpg(app.pid, signal.SIGINT)


def by_a_service_manager(app):
    """As containers and systemd ask for an end."""
    os.kill(app.pid, signal.SIGTERM)


def by_closing_the_terminal(app):
    """Its window is closed, or the connection to it breaks."""
    os.killpg(app.pid, signal.SIGHUP)


def impatiently(app):
    """Ctrl-C, and again before the goodbyes are said."""
    by_the_terminal(app)
    time.sleep(0.1)
    by_the_terminal(app)


@asynccontextmanager
async def open_page(url, peer):
    """The stream that every loaded page holds open, so that Gradio knows it is there."""
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
        client.stream("GET", f"/gradio_api/heartbeat/{peer.session_hash}") as response,
    ):
        yield response


async def ends_in_time(app, begun):
    left = begun + STOP_S - time.monotonic()
    assert await asyncio.to_thread(app.ended, left) == 0
    assert "Traceback" not in app.log.read_text()


@pytest.mark.parametrize(
    "stop", [by_the_terminal, by_a_service_manager, by_closing_the_terminal, impatiently]
)
async def test_stop_says_goodbye_to_callers_and_to_the_server(tmp_path, stop):
    async with scripted_server() as upstream:
        with forked_app(tmp_path, REALTIME_BASE_URL=upstream.url, MAX_CALLS="3") as app:
            async with caller(app.url) as one, caller(app.url) as other, open_page(app.url, one):
                sessions = [await upstream.connection() for _ in range(2)]
                for session in sessions:
                    await session.greet()
                for peer in (one, other):
                    await peer.sees(type="state", connection="connected")
                begun = time.monotonic()
                stop(app)

                for peer in (one, other):
                    assert (await peer.sees(type="state", connection="ended"))["notice"]
                for session in sessions:
                    await session.closed.wait()
                    assert session.socket.close_code == 1000
                await ends_in_time(app, begun)


async def joined(peer, upstream):
    """The server's end of this caller's session, once he is told that he is connected."""
    session = await upstream.connection()
    await session.greet()
    await peer.sees(type="state", connection="connected")
    return session


@pytest.mark.parametrize("stop", [by_the_terminal, by_a_service_manager])
async def test_stop_says_goodbye_although_the_practice_server_stops_too(tmp_path, stop):
    with forked_app(tmp_path) as app:
        async with caller(app.url) as peer:
            await peer.sees(type="state", connection="connected")
            peer.send(type="say", text="count to thirty")
            await peer.hears(500)
            peer.forget()
            begun = time.monotonic()
            stop(app)

            assert (await peer.sees(type="state", connection="ended"))["notice"]
            assert all(m.get("connection") != "reconnecting" for m in peer.messages)
            await ends_in_time(app, begun)
    with pytest.raises(ProcessLookupError):
        os.killpg(app.pid, 0)


async def test_caller_who_vanished_does_not_hold_up_the_stop(tmp_path):
    async with scripted_server() as upstream:
        with forked_app(tmp_path, REALTIME_BASE_URL=upstream.url) as app:
            async with caller(app.url) as peer:
                session = await joined(peer, upstream)
                await peer.vanish()
                begun = time.monotonic()
                by_a_service_manager(app)

                await ends_in_time(app, begun)
                await session.closed.wait()
                assert session.socket.close_code == 1000


async def draining(app):
    """Wait until the app takes no more calls; it still answers."""
    async with asyncio.timeout(10), httpx.AsyncClient(trust_env=False) as client:
        # Another process changes, and tells nobody.
        while (await client.get(f"{app.url}/healthz")).text != "draining\n":  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_calls_under_way_may_finish_when_the_system_ends_an_app_that_drains(tmp_path):
    async with scripted_server() as upstream:
        with forked_app(
            tmp_path, REALTIME_BASE_URL=upstream.url, DRAIN_SECONDS="50", LOG_FORMAT="json"
        ) as app:
            async with caller(app.url) as peer:
                session = await joined(peer, upstream)
                by_a_service_manager(app)
                await draining(app)
                async with httpx.AsyncClient(trust_env=False) as client:
                    figures = (await client.get(f"{app.url}/metrics")).text
                assert 'voice_calls_running{route="bridged"} 1.0' in figures
                assert "voice_draining 1.0" in figures
                with pytest.raises(ConnectionError, match="takes no new calls"):
                    async with caller(app.url):
                        pass
                peer.send(type="say", text="still here?")
                await session.expect("conversation.item.create")
                peer.send(type="hangup")
                begun = time.monotonic()
                await peer.sees(type="state", connection="ended")
            await ends_in_time(app, begun)
    errors = [line for line in app.log.read_text().splitlines() if line.startswith("{")]
    messages = [json.loads(line)["message"] for line in errors]
    assert messages[0] == "No new calls; those under way (1) may go on for 50 s."
    assert messages[-1] == "Ending all calls…"


async def test_a_second_signal_ends_an_app_that_drains_with_its_goodbyes(tmp_path):
    async with scripted_server() as upstream:
        with forked_app(tmp_path, REALTIME_BASE_URL=upstream.url, DRAIN_SECONDS="50") as app:
            async with caller(app.url) as peer:
                await joined(peer, upstream)
                by_a_service_manager(app)
                await draining(app)
                begun = time.monotonic()
                by_the_terminal(app)

                assert (await peer.sees(type="state", connection="ended"))["notice"]
                await ends_in_time(app, begun)


def test_ctrl_c_ends_the_wait_where_no_signal_wakes_the_main_thread(tmp_path):
    """On Windows it only leaves a note, which the main thread finds when it next runs."""
    code = (
        "import _thread, threading\n"
        "from components import launch\n"
        "threading.Timer(0.1, _thread.interrupt_main).start()\n"
        "launch._wait_for_the_end()\n"
        "launch._announce('Ending all calls…')\n"
    )

    assert ended_code(tmp_path, code)[1] == "Ending all calls…\n"


@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_second_signal_does_not_keep_the_goodbyes_from_being_said(tmp_path, first):
    code = (
        "import os, signal, threading\n"
        "from components import launch\n"
        f"threading.Timer(0.1, os.kill, (os.getpid(), signal.{first})).start()\n"
        "launch._wait_for_the_end()\n"
        "for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "    os.kill(os.getpid(), again)\n"
        "print('goodbye')\n"
    )

    assert ended_code(tmp_path, code)[0] == "goodbye\n"


def test_who_is_told_to_outlive_the_terminal_does(tmp_path):
    """As `nohup` does it."""
    code = (
        "import os, signal, threading\n"
        "from components import launch\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGHUP)).start()\n"
        "threading.Timer(0.2, print, ('still here',)).start()\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "launch._wait_for_the_end()\n"
    )

    assert ended_code(tmp_path, code)[0] == "still here\n"


def test_goodbyes_are_said_although_there_is_no_terminal_to_tell_it(tmp_path):
    code = (
        "import os, signal, threading\n"
        "from components import launch\n"
        "threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGHUP)).start()\n"
        "os.close(2)\n"
        "launch._wait_for_the_end()\n"
        "launch._announce('Ending all calls…')\n"
        "print('goodbye', flush=True)\n"
        "os._exit(0)\n"
    )

    assert ended_code(tmp_path, code)[0] == "goodbye\n"
