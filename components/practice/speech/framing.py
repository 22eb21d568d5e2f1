"""How the server and its worker processes talk over pipes: a kind, a length, a payload.

Rule: both directions of every pipe use it, so that neither audio nor text needs escaping. Nothing
here imports what only a worker may load.

Every worker begins with READY, or with REFUSED and the reason. The ears then get for each utterance
BEGIN (the speaker's cepstral mean, or nothing for a new one), AUDIO (16 kHz PCM) as it is spoken,
and END or CANCEL; they answer END with TRANSCRIBED. The neural ears answer each HEAR, all of an
utterance, with TRANSCRIBED. A voice answers each SPEAK with SPOKEN, or with REFUSED and the
reason in words.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, NamedTuple

_HEADER: Final = struct.Struct("<cI")
HEADER_BYTES: Final = _HEADER.size
READY: Final = b"R"
BEGIN, AUDIO, END, CANCEL, TRANSCRIBED = b"B", b"A", b"E", b"C", b"T"
HEAR: Final = b"H"
SPEAK, SPOKEN, REFUSED = b"S", b"P", b"F"
EARS_RATE: Final = 16_000
VOICE_RATE: Final = 22_050
"""What eSpeak NG speaks with, and most voices of Piper."""
MAX_PAYLOAD: Final = 64 * 1024 * 1024
"""A longer one means that the stream is out of step."""


class Frame(NamedTuple):
    """One message on a pipe."""

    kind: bytes
    """One byte; each worker's module says what it means."""
    payload: bytes = b""


def pack(frame: Frame) -> bytes:
    """The bytes of a frame on the pipe."""
    return _HEADER.pack(frame.kind, len(frame.payload)) + frame.payload


def unpack_header(header: bytes) -> tuple[bytes, int]:
    """Kind and payload length; `ValueError` if this cannot be a header."""
    kind, length = _HEADER.unpack(header)
    if length > MAX_PAYLOAD:
        raise ValueError(f"a payload of {length} bytes cannot be right")
    return kind, length


def read(stream: BinaryIO) -> Frame | None:
    """The next frame, or None at the end of the stream; blocks until it is complete."""
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    kind, length = unpack_header(header)
    payload = stream.read(length)
    return Frame(kind, payload) if len(payload) == length else None


def write(stream: BinaryIO, frame: Frame) -> None:
    """Send a frame now; blocks until it is in the pipe."""
    stream.write(pack(frame))
    stream.flush()


def pack_json(kind: bytes, fields: Mapping[str, Any]) -> Frame:
    """A frame whose payload is a JSON object."""
    return Frame(kind, json.dumps(fields).encode())


@dataclass(frozen=True, slots=True)
class Mark:
    """From this sample on, the text from this character on is spoken."""

    character: int
    sample: int


@dataclass(frozen=True, slots=True)
class Sound:
    """What a voice made of a text: PCM at the common level, its rate, and where its words are."""

    pcm: bytes
    marks: tuple[Mark, ...] = ()
    rate: int = VOICE_RATE


_SOUND: Final = struct.Struct("<II")
_MARK: Final = struct.Struct("<II")


def pack_sound(sound: Sound) -> Frame:
    """The SPOKEN frame of a sound."""
    marks = b"".join(_MARK.pack(mark.character, mark.sample) for mark in sound.marks)
    return Frame(SPOKEN, _SOUND.pack(sound.rate, len(sound.marks)) + marks + sound.pcm)


def unpack_sound(payload: bytes) -> Sound:
    """The sound of a SPOKEN frame; `ValueError` if it is none."""
    try:
        rate, count = _SOUND.unpack_from(payload)
        end = _SOUND.size + count * _MARK.size
        marks = tuple(Mark(*fields) for fields in _MARK.iter_unpack(payload[_SOUND.size : end]))
    except struct.error as error:
        raise ValueError(f"not a sound: {error}") from error
    if len(marks) != count:
        raise ValueError("not a sound: marks are missing")
    return Sound(payload[end:], marks, rate)
