"""Runs the practice server in a process of its own, beside the program that needs it.

Rule: the child knows no key but those of the chat model and of a fixed TURN server, and ends with
its parent, however that ends. If it ends by itself it is started again at the same address, so that
calls find it there.
"""

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from components.settings import Settings

log = logging.getLogger(__name__)

READY_LIMIT_S: Final = 30.0
"""A little longer than its workers have."""
LOCAL: Final = "PRACTICE_LOCAL"
"""Set for a child that must have its neural ears and voice."""
STOP_LIMIT_S: Final = 1.5
LEAST_LIFE_S: Final = 5.0
"""A server that does not even run for so long would end again."""
_ROOT: Final = Path(__file__).resolve().parents[3]
_SECRETS: Final = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


class PracticeError(Exception):
    """The practice server cannot be started; the message is a sentence for the user."""


class PracticeProcess:
    """A practice server that runs. `base_url` is where; `stop` ends it.

    `parts` names its `ears`, `voice` and `mind`; a name is empty if there is none. A mind may come
    later, of which `on_parts` is told, in a thread.
    """

    def __init__(
        self, settings: Settings, ready_limit_s: float, ice_servers: Sequence[Mapping[str, Any]]
    ) -> None:
        self._settings = settings
        self._ice_servers = ice_servers
        self._ready_limit_s = ready_limit_s
        self._stopped = False
        self.parts: Mapping[str, str] = {}
        self.on_parts: Callable[[Mapping[str, str]], None] | None = None
        self._change = threading.Lock()
        """Held while `_process` is replaced, or stopped for good."""
        self._process = _begin(settings, 0, ice_servers)
        self._port = self._ready_or_end()
        self.base_url = f"ws://127.0.0.1:{self._port}/v1"
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the server, within two seconds; a second call does nothing."""
        with self._change:
            self._stopped = True
        _end(self._process)

    def _ready_or_end(self) -> int:
        """The port of a server that is ready; one that does not get ready is ended."""
        try:
            return self._ready()
        except BaseException:
            _end(self._process)
            raise

    def _ready(self) -> int:
        ports: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(self._process, ports), daemon=True).start()
        try:
            port = ports.get(timeout=self._ready_limit_s)
        except queue.Empty:
            limit = f"{self._ready_limit_s:g} s"
            raise PracticeError(f"The practice server was not ready after {limit}.") from None
        if port is None:
            raise PracticeError(
                "The practice server ended while it started; its message stands above."
            )
        return port

    def _listen(
        self, process: "subprocess.Popen[bytes]", ports: "queue.SimpleQueue[int | None]"
    ) -> None:
        """Take what the server reports, until it ends; its port, or that there is none, comes once
        to whoever waits."""
        assert process.stdout is not None
        with contextlib.suppress(ValueError):  # it is closed when the server has been stopped
            for line in process.stdout:
                if (port := self._take(line)) is not None:
                    ports.put(port)
        ports.put(None)

    def _take(self, line: bytes) -> int | None:
        """Note what a report says of the parts; the port, if it names one."""
        try:
            told = json.loads(line)
            parts = {name: str(part) for name, part in told["parts"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        self.parts = parts
        if self.on_parts is not None:
            self.on_parts(parts)
        port = told.get("port")
        return port if isinstance(port, int) else None

    def _watch(self) -> None:
        """Start the server again whenever it ends, until it is stopped or does not live."""
        lives = True
        while lives:
            begun = time.monotonic()
            status = self._process.wait()
            lives = time.monotonic() > begun + LEAST_LIFE_S and self._begin_again(status)

    def _begin_again(self, status: int) -> bool:
        with self._change:
            if self._stopped:
                return False
            log.warning("! the practice server has ended (%d): it is started again", status)
            _end(self._process)
            try:
                self._process = _begin(self._settings, self._port, self._ice_servers)
            except PracticeError as error:
                log.error("! %s", error)
                return False
        try:
            self._ready_or_end()
        except PracticeError as error:
            log.error("! %s", error)
            return False
        return True


def start_process(
    settings: Settings,
    ready_limit_s: float = READY_LIMIT_S,
    ice_servers: Sequence[Mapping[str, Any]] = (),
) -> PracticeProcess:
    """Start the server and wait until it is ready; raises `PracticeError`."""
    return PracticeProcess(settings, ready_limit_s, ice_servers)


def _begin(
    settings: Settings, port: int, ice_servers: Sequence[Mapping[str, Any]]
) -> "subprocess.Popen[bytes]":
    """A server that is about to listen at this port, or for 0 at any."""
    command = [sys.executable, "-m", "components.practice", "--child", "--port", str(port)]
    try:
        return subprocess.Popen(
            command,
            cwd=_ROOT,
            env=_environment(os.environ, settings, ice_servers),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C in the terminal is the parent's business.
            start_new_session=True,
        )
    except OSError as error:
        raise PracticeError(f"The practice server cannot be started: {error}.") from error


def _environment(
    environ: Mapping[str, str],
    settings: Settings,
    ice_servers: Sequence[Mapping[str, Any]] = (),
) -> dict[str, str]:
    """The parent's environment without its secrets and practice settings."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("PRACTICE_") and not any(word in name for word in _SECRETS)
    }
    if not settings.looks_for_chat_model:
        kept["PRACTICE_LLM_BASE_URL"] = "off"
    if settings.local:
        kept[LOCAL] = "yes"
    for part, size, model in (
        ("EARS", settings.practice_ears, settings.practice_ears_model),
        ("VOICE", settings.practice_voice, settings.practice_voice_model),
    ):
        if size != "auto":
            kept[f"PRACTICE_{part}"] = size
        if model:
            # A folder, or a name on the hub, which is none.
            folder = Path(model)
            kept[f"PRACTICE_{part}_MODEL"] = str(folder.absolute()) if folder.is_dir() else model
    if (chat_model := settings.chat_model) is not None:
        kept["PRACTICE_LLM_BASE_URL"] = chat_model.base_url
        kept["PRACTICE_LLM_MODEL"] = chat_model.model
        kept["PRACTICE_LLM_API_KEY"] = chat_model.api_key
    if ice_servers:
        kept["PRACTICE_ICE_SERVERS"] = json.dumps(ice_servers)
    return kept


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the child go by closing its input; one that stays is killed. No pipe is left open."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
