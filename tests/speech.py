"""Speech human enough for the practice server's ears: voices of flite, through ffmpeg."""

import functools
import os
import shutil
import subprocess

import numpy as np
import pytest

LEAD_S = 0.3
"""Silence before and after the words."""


@functools.cache
def speech(text: str, voice: str = "slt", rate: int = 48_000) -> np.ndarray:
    """Mono int16 samples of a sentence; without ffmpeg the test is skipped, but never in CI."""
    if shutil.which("ffmpeg") is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("ffmpeg with flite makes the speech; it is not installed")
    words = text.replace("'", "")
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"flite=text='{words}':voice={voice}"]
    output = ["-f", "s16le", "-ac", "1", "-ar", str(rate), "-"]
    pcm = subprocess.run([*command, *output], check=True, capture_output=True, timeout=30).stdout
    quiet = np.zeros(int(LEAD_S * rate), np.int16)
    return np.concatenate([quiet, np.frombuffer(pcm, np.int16), quiet])
