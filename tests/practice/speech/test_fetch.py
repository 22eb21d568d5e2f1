"""Models come from a hub on loopback, by the command that a person gives."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi

from components.practice.speech import fetch
from components.practice.speech.weights import WeightsError

ROOT = Path(__file__).resolve().parents[3]
THORSTEN = "de/de_DE/thorsten/medium"
FILES = {
    "Systran/faster-whisper-tiny": {
        "README.md": b"not asked for",
        "model.bin": b"m" * 300_000,
        "config.json": b"{}",
        "tokenizer.json": b"{}",
        "vocabulary.txt": b"v",
    },
    "rhasspy/piper-voices": {
        f"{THORSTEN}/de_DE-thorsten-medium.onnx": b"o" * 200_000,
        f"{THORSTEN}/de_DE-thorsten-medium.onnx.json": b"{}",
        f"{THORSTEN}/MODEL_CARD": b"# Model card\n* License: CC0\n",
    },
}
COMMIT = "c" * 40


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download needs."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        """Sizes of the files of a repository."""
        self.rfile.read(int(self.headers["Content-Length"]))
        files = FILES[self.path.removeprefix("/api/models/").partition("/paths-info")[0]]
        self._json(
            [{"type": "file", "path": p, "size": len(b), "oid": "0"} for p, b in files.items()]
        )

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/"):
            repository = path.removeprefix("/api/models/").partition("/revision")[0]
            if repository not in FILES:
                self._send(b"{}", 404, {"X-Error-Code": "RepoNotFound"})
                return
            siblings = [{"rfilename": name} for name in FILES[repository]]
            card = {"license": "mit"}
            self._json({"id": repository, "sha": COMMIT, "siblings": siblings, "cardData": card})
            return
        repository, _, name = path.strip("/").partition("/resolve/main/")
        content = FILES[repository][name]
        self._send(content, 200, {"ETag": f'"{len(content)}"', "X-Repo-Commit": COMMIT})

    def _json(self, content: Any) -> None:
        self._send(json.dumps(content).encode(), 200, {"Content-Type": "application/json"})

    def _send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetched(name: str, endpoint: str, home: Path) -> "subprocess.CompletedProcess[str]":
    ours = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    bars = {"TQDM_POSITION": "-1"}  # as in a terminal, although here is none
    return subprocess.run(
        [sys.executable, "-m", "components.practice", "fetch", name],
        cwd=ROOT,
        env={**os.environ, **ours, **bars},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "told", "file"),
    [
        ("tiny", "tiny: 0.3 MB, licence: mit.", "model.bin"),
        (
            "de_DE-thorsten-medium",
            "de_DE-thorsten-medium: 0.2 MB, licence: CC0.",
            "de_DE-thorsten-medium.onnx",
        ),
    ],
)
def test_size_and_licence_are_named_and_the_model_is_fetched(
    name: str, told: str, file: str, tmp_path: Path
) -> None:
    with hub() as endpoint:
        done = fetched(name, endpoint, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == told
    assert done.stdout.splitlines()[-1].endswith(f"_MODEL={name}")
    assert "100%" in done.stderr
    assert [path.name for path in tmp_path.rglob(f"snapshots/**/{file}")] == [file]
    assert not list(tmp_path.rglob("README.md"))


@pytest.mark.integration
def test_what_the_hub_has_not_is_one_sentence(tmp_path: Path) -> None:
    with hub() as endpoint:
        done = fetched("nobody/nothing", endpoint, tmp_path)

    told = "The hub has no model nobody/nothing in nobody/nothing.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


@pytest.mark.integration
def test_without_a_network_it_is_one_sentence(tmp_path: Path) -> None:
    done = fetched("tiny", "http://127.0.0.1:9", tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The hub at http://127.0.0.1:9 cannot be reached, or broke off its answer.\n"
    )


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that tells of a model, whatever its address."""
    names = FILES["Systran/faster-whisper-tiny"]
    about = SimpleNamespace(
        siblings=[SimpleNamespace(rfilename=name) for name in names], sha=COMMIT, card_data=None
    )
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: about)
    sizes = [SimpleNamespace(size=len(content)) for content in names.values()]
    monkeypatch.setattr(HfApi, "get_paths_info", lambda *_, **__: sizes)


def test_a_repository_without_the_model_is_one_sentence(answering: None) -> None:
    with pytest.raises(WeightsError, match="no model de_DE-nobody-low in rhasspy/piper-voices"):
        fetch.fetch("de_DE-nobody-low", lambda line: None)


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    answering: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    said: list[str] = []

    with pytest.raises(WeightsError, match=r"no room for it: .* has 0\.1 MB"):
        fetch.fetch("tiny", said.append)
    assert said[0] == "tiny: 0.3 MB, licence: not named."


def test_a_disk_that_fills_meanwhile_is_one_sentence(
    answering: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "hf_hub_download", full)
    with pytest.raises(WeightsError, match="no room for it at"):
        fetch.fetch("tiny", lambda line: None)
