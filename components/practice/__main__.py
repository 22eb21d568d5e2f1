"""Runs the practice server alone: `python -m components.practice --port 8765`; or fetches a model.

Rule: a problem is one sentence and exit status 2. Started by `process.py`, it reports its port and
parts as JSON, its parts again when they change, and ends when its standard input does, so that it
never outlives its parent.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from components.practice.brain.ollama import find
from components.practice.server.process import LOCAL
from components.practice.server.server import serve
from components.practice.speech.choice import Wish, choose
from components.practice.speech.fetch import fetch
from components.practice.speech.weights import WeightsError
from components.settings import Settings, SettingsError, load

DEFAULT_PORT: Final = 8765
CHILD_FLAG: Final = "--child"


def main() -> int:
    """The process's exit status."""
    parser = _parser()
    flags = parser.parse_args()
    if (flags.command is None) != (flags.name is None):
        parser.error("fetch needs the name of a model")
    logging.basicConfig(level=logging.WARNING, format="%(name)s %(message)s", stream=sys.stderr)
    try:
        if flags.command:
            fetch(flags.name, _say)
            return 0
        asyncio.run(_run(flags, _settings(flags.child)))
    except (SettingsError, WeightsError) as error:
        return _fail(str(error))
    except OSError as error:
        # asyncio puts the address, which is said here already, in front of the system's words.
        reason = (error.strerror or str(error)).rpartition(": ")[2]
        return _fail(f"Cannot listen on {flags.host}, port {flags.port}: {reason}.")
    except KeyboardInterrupt:
        pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m components.practice",
        description="A Realtime API on this machine that needs neither key nor network. "
        "PRACTICE_LLM_BASE_URL, _MODEL and _API_KEY let a chat model think for it; without them it "
        "looks for an Ollama on this machine, unless PRACTICE_LLM_BASE_URL is off.",
    )
    parser.add_argument(
        "command", nargs="?", choices=["fetch"], help="get a model from the hub instead: fetch NAME"
    )
    parser.add_argument(
        "name",
        nargs="?",
        help="of ears, such as small, or of a voice, such as de_DE-thorsten-medium",
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--key",
        default=os.environ.get("PRACTICE_KEY", ""),
        help="key that clients must show (default: PRACTICE_KEY, or none)",
    )
    parser.add_argument(CHILD_FLAG, action="store_true", help=argparse.SUPPRESS)
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and len(text) < 6 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"is {text!r}, but must be a number from 0 to 65535")
    return int(text)


def _settings(child: bool) -> Settings:
    """What is about ears, voice and mind; a child has been told everything by its parent."""
    about = ("PRACTICE_LLM_", "PRACTICE_EARS", "PRACTICE_VOICE")
    ours = {name: value for name, value in os.environ.items() if name.startswith(about)}
    return load([], ours, Path(os.devnull if child else ".env"))


async def _run(flags: argparse.Namespace, settings: Settings) -> None:
    # Before the thread below: one that still reads when the program ends makes Python abort.
    insist = flags.child and LOCAL in os.environ
    ears, voice, problem = await choose(
        Wish(settings.practice_ears, settings.practice_ears_model),
        Wish(settings.practice_voice, settings.practice_voice_model),
        insist,
    )
    if problem:
        sys.stderr.write(problem + "\n")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if flags.child:
        ended = threading.Thread(target=_wait_for_end, args=(loop, stop.set), daemon=True)
        ended.start()
    else:
        _on_signals(loop, stop.set)
    told = os.environ.get("PRACTICE_ICE_SERVERS", "[]") if flags.child else "[]"
    async with serve(
        host=flags.host,
        port=flags.port,
        key=flags.key,
        chat_model=settings.chat_model,
        look=find if settings.looks_for_chat_model and not settings.chat_model else None,
        tell=_tell if flags.child else None,
        ice_servers=json.loads(told),
        ears=ears,
        voice=voice,
    ) as server:
        if flags.child:
            _say(json.dumps({"port": server.port, "parts": server.parts}))
        else:
            _say(f"The practice server is ready at {server.url} (Ctrl-C ends it).")
        await stop.wait()


def _tell(parts: Mapping[str, str]) -> None:
    _say(json.dumps({"parts": parts}))


def _wait_for_end(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Read until the parent is gone; it never writes anything."""
    while sys.stdin.buffer.read(4096):
        pass
    loop.call_soon_threadsafe(stop)


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(signal.SIGINT, stop)
        loop.add_signal_handler(signal.SIGTERM, stop)
    except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt
        return


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
