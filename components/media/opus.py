"""Opus packets to sound of 24 kHz and back, by libopus itself.

PyAV's codecs have libopus decode to 48 kHz, which takes as long again to be halved. PyAV brings the
library along all the same; without one, here or in the system, its codecs do the work.

Rule: what is no Opus is no sound, whatever its bytes. The library's memory belongs to the object
that uses it, and goes with it: nothing has to be destroyed.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import av
import numpy as np

from components.audio import FRAME_SAMPLES, SAMPLE_RATE
from components.media.decimate import Decimator

BIT_RATE: Final = 48_000
MOST_SAMPLES: Final = SAMPLE_RATE * 120 // 1000
"""At 24 kHz; no Opus packet is longer."""
MOST_PACKET_BYTES: Final = 1275
"""Of one frame (RFC 6716); 20 ms at our rate take a tenth of it."""

_LOW_DELAY: Final = 2051
"""It keeps 2.5 ms of the sound back, not 6.5, and takes a quarter of the time for a voice."""
_SETTINGS: Final = ((4002, BIT_RATE), (4010, 5), (4020, 0))
"""Requests of `opus_encoder_ctl`: the bit rate, half of the pains that it could take, and no bound
on how far the rate may vary."""
_MONO: Final = 1


class Decoder(Protocol):
    """Of one stream of packets."""

    def decode(self, packet: bytes) -> bytes:
        """PCM16 of 24 kHz, mono, 120 ms at the most; empty if the packet is none."""


class Encoder(Protocol):
    """Of one stream of frames."""

    def encode(self, pcm: bytes) -> bytes:
        """One packet of 20 ms of PCM16, 24 kHz, mono."""


class LibraryDecoder:
    """A `Decoder` of libopus."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._state = ctypes.create_string_buffer(library.opus_decoder_get_size(_MONO))
        _check(library.opus_decoder_init(self._state, SAMPLE_RATE, _MONO))
        self._sound = ctypes.create_string_buffer(2 * MOST_SAMPLES)
        self._decode = library.opus_decode

    def decode(self, packet: bytes) -> bytes:
        if not packet:  # by which libopus would take it for lost, and make something up
            return b""
        count = self._decode(self._state, packet, len(packet), self._sound, MOST_SAMPLES, 0)
        return ctypes.string_at(self._sound, 2 * max(0, count))


class LibraryEncoder:
    """An `Encoder` of libopus."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._state = ctypes.create_string_buffer(library.opus_encoder_get_size(_MONO))
        _check(library.opus_encoder_init(self._state, SAMPLE_RATE, _MONO, _LOW_DELAY))
        for request, value in _SETTINGS:
            _check(library.opus_encoder_ctl(self._state, request, ctypes.c_int32(value)))
        self._packet = ctypes.create_string_buffer(MOST_PACKET_BYTES)
        self._encode = library.opus_encode

    def encode(self, pcm: bytes) -> bytes:
        if len(pcm) != 2 * FRAME_SAMPLES:  # the library would read on behind them
            raise ValueError(f"{len(pcm)} bytes are no frame")
        size = self._encode(self._state, pcm, FRAME_SAMPLES, self._packet, MOST_PACKET_BYTES)
        return ctypes.string_at(self._packet, _check(size))


class PyAvDecoder:
    """A `Decoder` without libopus at hand."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("libopus", "r")
        self._codec.format = "s16"
        self._codec.layout = "mono"
        self._codec.thread_count = 1
        self._decimator = Decimator()

    def decode(self, packet: bytes) -> bytes:
        if not packet:
            return b""
        try:
            frames = self._codec.decode(av.Packet(packet))
        except av.FFmpegError:
            return b""
        sound = b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in frames)
        return self._decimator.halve(np.frombuffer(sound, np.int16)).tobytes()


class PyAvEncoder:
    """An `Encoder` without libopus at hand."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("libopus", "w")
        self._codec.sample_rate = SAMPLE_RATE
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.thread_count = 1
        self._codec.bit_rate = BIT_RATE
        self._codec.options = {"application": "lowdelay"}

    def encode(self, pcm: bytes) -> bytes:
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.sample_rate = SAMPLE_RATE
        frame.planes[0].update(pcm)
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


def decoder() -> Decoder:
    """A new one, the quickest that there is."""
    return LibraryDecoder(_LIBRARY) if _LIBRARY else PyAvDecoder()


def encoder() -> Encoder:
    """A new one, the quickest that there is."""
    return LibraryEncoder(_LIBRARY) if _LIBRARY else PyAvEncoder()


def find(places: Iterator[str]) -> ctypes.CDLL | None:
    """The first of these files that is libopus."""
    for place in places:
        with suppress(OSError, AttributeError):  # no library; not this one
            return _load(place)
    return None


def places() -> Iterator[str]:
    """Where libopus may lie: where wheels of PyAV keep it, by system, then the system's own."""
    package = Path(av.__file__).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        yield from sorted(map(str, folder.glob("*opus[-.]*")))
    if name := ctypes.util.find_library("opus"):
        yield name


def _load(place: str) -> ctypes.CDLL:
    """The library with the types of its functions.

    It keeps Python's lock: to give it away and get it back takes longer than a frame does, as soon
    as another thread wants it.
    """
    library = ctypes.PyDLL(place)
    pointer, whole = ctypes.c_void_p, ctypes.c_int
    library.opus_decoder_get_size.argtypes = [whole]
    library.opus_decoder_init.argtypes = [pointer, whole, whole]
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, whole, pointer, whole, whole]
    library.opus_encoder_get_size.argtypes = [whole]
    library.opus_encoder_init.argtypes = [pointer, whole, whole, whole]
    library.opus_encoder_ctl.argtypes = [pointer, whole]  # and what the request takes
    library.opus_encode.argtypes = [pointer, ctypes.c_char_p, whole, pointer, whole]
    return library


def _check(result: int) -> int:
    """What libopus answers, if it is no error."""
    if result < 0:
        raise RuntimeError(f"libopus says {result}")
    return result


_LIBRARY: Final = find(places())
