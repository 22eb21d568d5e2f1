"""A worker's side of its pipes, in a process of its own."""

import io
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from components.practice.speech import framing
from components.practice.speech.framing import READY, REFUSED, Frame

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
PROGRAM = """
from components.practice.speech.framing import Frame
from components.practice.speech.serving import serve

def begin(argument):
    print("a library prints", flush=True)
    if argument == "refuse":
        raise LookupError({reason!r})

    def answer(frame):
        print("and again", flush=True)
        return Frame(b"E", argument.encode() + frame.payload) if frame.payload else None

    return answer

serve(begin, (LookupError,))
"""


def start(argument: str, reason: str = "") -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(reason=reason), argument],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def frames(pcm: bytes) -> list[Frame]:
    stream = io.BytesIO(pcm)
    return list(iter(lambda: framing.read(stream), None))


def test_only_frames_come_whatever_is_printed_and_the_end_of_the_input_is_the_end() -> None:
    asked = b"".join(framing.pack(Frame(b"A", text)) for text in (b"1", b"", b"2"))
    with start("hello ") as worker:
        out, errors = worker.communicate(asked, timeout=20)

    assert frames(out) == [Frame(READY), Frame(b"E", b"hello 1"), Frame(b"E", b"hello 2")]
    assert errors.decode().split("\n")[:2] == ["a library prints", "and again"]
    assert worker.returncode == 0


@pytest.mark.parametrize(
    ("reason", "told"), [("no such file", b"no such file"), ("", b"LookupError")]
)
def test_what_keeps_it_from_beginning_is_told_in_place_of_ready(reason: str, told: bytes) -> None:
    with start("refuse", reason) as worker:
        out, _ = worker.communicate(timeout=20)

    assert frames(out) == [Frame(REFUSED, told)]
    assert worker.returncode == 0


def test_ctrl_c_is_left_to_the_server() -> None:
    with start("hello ") as worker:
        into, out = cast(BinaryIO, worker.stdin), cast(BinaryIO, worker.stdout)
        assert framing.read(out) == Frame(READY)
        worker.send_signal(signal.SIGINT)
        framing.write(into, Frame(b"A", b"1"))
        assert framing.read(out) == Frame(b"E", b"hello 1")
        into.close()
        assert worker.wait(20) == 0
