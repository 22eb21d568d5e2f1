import json
import os
import queue
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from components.practice.server import process
from components.practice.server.process import PracticeError, PracticeProcess, start_process
from components.settings import ChatModel, Settings

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[3]
SETTINGS = Settings(practice=True, practice_ears="small", practice_voice="small")
PATIENCE_S = 20


def answers(base_url: str) -> bool:
    url = base_url.replace("ws://", "http://").removesuffix("/v1") + "/"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_it_starts_answers_and_stops() -> None:
    practice = start_process(SETTINGS)
    try:
        assert answers(practice.base_url)
        assert practice.running
        assert practice.parts == {"ears": "PocketSphinx", "voice": "eSpeak", "mind": ""}
    finally:
        practice.stop()

    assert not practice.running
    practice.stop()


REPORTS = """
import json, sys
for told in ({"parts": {"mind": "early"}}, {"port": 1, "parts": {"mind": ""}}):
    print(json.dumps(told), flush=True)
sys.stdin.readline()
print("no report", flush=True)
print(json.dumps({"parts": {"mind": "late"}}), flush=True)
sys.stdin.read()
"""
"""What a server says that finds a mind only when it is asked to."""


def test_a_mind_that_comes_later_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", REPORTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin
    monkeypatch.setattr(process, "_begin", lambda *_: child)
    told: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
    practice = start_process(SETTINGS)
    try:
        assert practice.base_url == "ws://127.0.0.1:1/v1"
        assert practice.parts == {"mind": ""}
        practice.on_parts = told.put

        child.stdin.write(b"\n")
        child.stdin.flush()

        assert told.get(timeout=PATIENCE_S) == practice.parts == {"mind": "late"}
    finally:
        practice.stop()


def test_the_child_knows_no_secret_but_the_chat_models() -> None:
    environ = {"PATH": "/bin", "OPENAI_API_KEY": "sk", "HF_TOKEN": "hf", "PRACTICE_KEY": "p"}
    chat_model = ChatModel("http://127.0.0.1:1/v1", "m", "chat-key")

    assert process._environment(environ, Settings(practice=True)) == {"PATH": "/bin"}
    assert process._environment(environ, replace(SETTINGS, chat_model=chat_model)) == {
        "PATH": "/bin",
        "PRACTICE_EARS": "small",
        "PRACTICE_VOICE": "small",
        "PRACTICE_LLM_BASE_URL": "http://127.0.0.1:1/v1",
        "PRACTICE_LLM_MODEL": "m",
        "PRACTICE_LLM_API_KEY": "chat-key",
    }


def test_the_child_is_told_not_to_look_for_a_chat_model() -> None:
    settings = replace(SETTINGS, looks_for_chat_model=False)

    assert process._environment({}, settings)["PRACTICE_LLM_BASE_URL"] == "off"


def test_the_child_is_told_who_helps_to_find_a_way() -> None:
    servers = [{"urls": "stun:s.example"}]
    environ = {"PRACTICE_ICE_SERVERS": "old", "TURN_CREDENTIAL": "secret"}

    assert process._environment(environ, Settings(practice=True)) == {}
    told = process._environment(environ, SETTINGS, servers)["PRACTICE_ICE_SERVERS"]
    assert json.loads(told) == servers


def test_a_server_that_is_not_ready_in_time_is_an_error() -> None:
    with pytest.raises(PracticeError, match="was not ready after 0 s"):
        start_process(SETTINGS, ready_limit_s=0)


def test_a_server_that_dies_at_once_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_ROOT", Path("/"))

    with pytest.raises(PracticeError, match="ended while it started"):
        start_process(SETTINGS)


def test_a_python_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    with pytest.raises(PracticeError, match="cannot be started"):
        start_process(SETTINGS)


def test_a_server_that_will_not_go_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_LIMIT_S", 0.1)
    practice = start_process(SETTINGS)
    os.kill(practice._process.pid, signal.SIGSTOP)

    practice.stop()

    assert not practice.running


def killed(practice: PracticeProcess) -> None:
    os.kill(practice._process.pid, signal.SIGKILL)


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def test_a_server_that_was_killed_is_there_again_at_the_same_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "LEAST_LIFE_S", 0.0)
    practice = start_process(SETTINGS)
    try:
        killed(practice)
        assert eventually(lambda: not answers(practice.base_url))
        assert eventually(lambda: answers(practice.base_url))
    finally:
        practice.stop()

    assert not practice.running
    assert len(caplog.records) == 1
    assert "the practice server has ended (-9): it is started again" in caplog.text


def test_a_server_that_does_not_live_is_not_started_again() -> None:
    practice = start_process(SETTINGS)
    killed(practice)
    practice._watching.join(PATIENCE_S)

    assert not practice._watching.is_alive()
    assert not practice.running
    practice.stop()


def test_a_server_that_cannot_be_started_again_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "LEAST_LIFE_S", 0.0)
    practice = start_process(SETTINGS)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    killed(practice)
    practice._watching.join(PATIENCE_S)

    assert "The practice server cannot be started" in caplog.text
    practice.stop()


def test_a_server_that_is_stopped_is_not_started_again(caplog: pytest.LogCaptureFixture) -> None:
    practice = start_process(SETTINGS)
    practice.stop()
    practice._watching.join(PATIENCE_S)

    assert not practice._watching.is_alive()
    assert not practice.running
    assert caplog.text == ""


def test_it_dies_with_its_parent() -> None:
    script = """
        import sys, time
        from components.practice.server.process import start_process
        from components.settings import Settings
        settings = Settings(practice=True, practice_ears="small", practice_voice="small")
        practice = start_process(settings)
        print(practice._process.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until = time.monotonic() + 10
    while _is_running(child) and time.monotonic() < until:
        os.sched_yield()
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_child_is_told_which_ears_and_voice_it_has() -> None:
    settings = Settings(
        practice=True,
        local=True,
        practice_ears_model="/models/large",
        practice_voice="small",
        practice_voice_model="/models/voice",
    )

    assert process._environment({}, settings) == {
        "PRACTICE_LOCAL": "yes",
        "PRACTICE_EARS_MODEL": "/models/large",
        "PRACTICE_VOICE": "small",
        "PRACTICE_VOICE_MODEL": "/models/voice",
    }
