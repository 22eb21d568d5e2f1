"""`python -m components.practice`, as a person starts it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def practice(*flags: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "components.practice", *flags],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_says_where_it_is_and_ctrl_c_ends_it_quietly() -> None:
    with practice("--port", "0") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)

    assert line.startswith("The practice server is ready at ws://127.0.0.1:")
    assert (process.returncode, output) == (0, "")
    assert "Traceback" not in errors


@pytest.mark.parametrize("port", ["x", "-1", "65536", "1" * 5000])
def test_a_bad_port_is_one_sentence(port: str) -> None:
    with practice("--port", port) as process:
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 2
    assert "must be a number from 0 to 65535" in errors
    assert "Traceback" not in errors


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with practice("--port", port) as process:
            _, errors = process.communicate(timeout=20)

    assert process.returncode == 2
    assert errors == f"Cannot listen on 127.0.0.1, port {port}: address already in use.\n"


def test_a_bad_chat_model_is_one_sentence() -> None:
    with practice("--port", "0", PRACTICE_LLM_BASE_URL="ollama") as process:
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 2
    assert errors.startswith("PRACTICE_LLM_BASE_URL is 'ollama', but must be")
    assert errors.count("\n") == 1


def test_a_child_ends_when_its_input_does() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "components.practice", "--child", "--port", "0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert process.stdout.startswith('{"port": ')


def test_a_child_that_must_have_neural_ears_ends_with_one_sentence(tmp_path: Path) -> None:
    variables = {"PRACTICE_LOCAL": "yes", "PRACTICE_EARS_MODEL": str(tmp_path)}
    child = subprocess.Popen(
        [sys.executable, "-m", "components.practice", "--child", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stderr is not None
        errors = child.stderr.read()  # its parent is there all the time

    assert child.returncode == 2
    assert len(errors.splitlines()) == 1
    assert "pip install -r requirements-local.txt" in errors or "has no model.bin" in errors
