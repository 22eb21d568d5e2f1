"""`python app.py` with settings that cannot be used: one clear message, no traceback."""

import socket
import subprocess
import sys

import pytest

from tests.running import ROOT, environment, free_port, running_app

pytestmark = pytest.mark.integration


def run(folder, *flags, **variables):
    """Status and error text of an app that should end by itself."""
    process = subprocess.run(
        [sys.executable, str(ROOT / "app.py"), *flags],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return process.returncode, process.stderr


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
    status, text = run(tmp_path, **{variable: value})

    assert status == 2
    assert f"{variable} is '{value}'" in text
    assert expected in text
    assert "Traceback" not in text


def test_all_problems_are_told_at_once(tmp_path):
    (tmp_path / ".env").write_text("MAX_CALLS=abc\nthis is no setting\n")
    status, text = run(tmp_path, REALTIME_VOICE="hal")

    assert status == 2
    assert "MAX_CALLS" in text
    assert "REALTIME_VOICE" in text
    assert ".env, line 2" in text


def test_port_in_use_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, text = run(tmp_path, "--port", str(port))

    assert status == 2
    assert f"is {port}, but that port is in use" in text
    assert "Traceback" not in text


def test_port_may_come_from_the_env_file(tmp_path):
    port = free_port()
    (tmp_path / ".env").write_text(f"GRADIO_SERVER_PORT={port}\n")

    with running_app(tmp_path, port=port) as url:
        assert url.endswith(str(port))
