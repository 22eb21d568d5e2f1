"""Speech that a person might have spoken: flite's voices are built from recordings of people."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

VOICES = ("slt", "rms", "awb")
SILENCE = bytes(48_000)
"""One second."""


def require_flite() -> None:
    """Skip where there is no ffmpeg with flite, but never in CI."""
    ffmpeg = shutil.which("ffmpeg")
    filters = (
        subprocess.run([ffmpeg, "-v", "quiet", "-filters"], capture_output=True, check=True).stdout
        if ffmpeg
        else b""
    )
    if b" flite " not in filters:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("needs an ffmpeg with flite (Debian's has it)")


def record(folder: Path, text: str, voice: str) -> bytes:
    """The text as 24 kHz PCM, with 300 ms of silence before it and 500 ms after."""
    path = folder / f"{voice} {text}.raw"
    if not path.exists():
        quoted = text.replace("'", "\\\\\\'")
        source = f"flite=text={quoted}:voice={voice}"
        form = ("-ar", "24000", "-ac", "1", "-f", "s16le")
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *form, "-y", str(path)]
        subprocess.run(command, check=True)
    return SILENCE[:14_400] + path.read_bytes() + SILENCE[:24_000]
