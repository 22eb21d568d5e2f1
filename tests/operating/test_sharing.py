"""The public link, and what is said where there is none, with a stand-in for Gradio's program."""

import stat
from pathlib import Path

import httpx
import pytest
from gradio import networking, tunneling
from gradio.exceptions import ChecksumMismatchError

from components.operating.sharing import ShareError, end_links, public_link

GIVES = "#!/bin/sh\necho 'start proxy success: http://abc.gradio.live'\nexec sleep 60\n"
REFUSES = "#!/bin/sh\necho 'login to server failed: no'\nexec sleep 60\n"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-in is to be written; it talks to no server."""
    path = tmp_path / "frpc"
    monkeypatch.setattr(tunneling, "BINARY_PATH", str(path))
    monkeypatch.setattr(tunneling, "CURRENT_TUNNELS", [])
    monkeypatch.setattr(networking, "GRADIO_SHARE_SERVER_ADDRESS", "127.0.0.1:9")
    return path


def write(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


def close(tunnel: tunneling.Tunnel) -> None:
    """Wait for the end of the program, and let go of its pipes."""
    process = tunnel.proc
    tunnel.kill()
    if process:
        process.wait(5)
        process.stdout.close()
        process.stderr.close()


def test_the_link_is_that_of_the_share_server_and_ends_with_the_app(program: Path) -> None:
    write(program, GIVES)
    assert public_link("127.0.0.1", 7860) == "https://abc.gradio.live"

    [tunnel] = tunneling.CURRENT_TUNNELS
    process = tunnel.proc
    end_links()
    assert process.wait(5) != 0
    process.stdout.close()
    process.stderr.close()


def test_a_refusal_of_the_share_server_is_one_sentence(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(program, REFUSES)
    with pytest.raises(ShareError, match="share server did not give one"):
        public_link("127.0.0.1", 7860)
    [tunnel] = tunneling.CURRENT_TUNNELS
    close(tunnel)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuntimeError(), "cannot be reached"),
        (httpx.ConnectError("no route"), "cannot be reached"),
        (ChecksumMismatchError(), "not the one that Gradio published"),
        (PermissionError(13, "denied"), "cannot be stored or started here"),
    ],
)
def test_whatever_goes_wrong_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    def fails(*_: object) -> str:
        raise error

    monkeypatch.setattr(networking, "setup_tunnel", fails)
    with pytest.raises(ShareError, match=why) as refusal:
        public_link("127.0.0.1", 7860)

    assert "The app goes on" in str(refusal.value)
    assert "\n" not in str(refusal.value)
