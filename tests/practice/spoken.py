"""What tests ask of a voice, and of the chunks that it speaks."""

from components.practice.speech.chunks import Spoken
from components.practice.speech.voice import Voice


def sound(chunks: list[Spoken]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def words(chunks: list[Spoken]) -> str:
    return "".join(chunk.words for chunk in chunks)


def pid_of(voice: Voice) -> int:
    assert voice._worker is not None
    return voice._worker.pid
