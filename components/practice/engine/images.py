"""Reads how large an image is that a client sends as a data URL.

Rule: what is said of it must hold: base64, PNG or JPEG as named, with a head that tells its size.
Nobody looks at its pixels.
"""

import binascii
import struct
from collections.abc import Iterator

from components.practice.engine.schema import RefusedError

Size = tuple[int, int]
"""Width and height in pixels."""


def size_of(url: str, param: str = "image_url") -> Size:
    """The size of a data URL's image; raises `RefusedError` if it is none."""
    head, _, text = url.partition(",")
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
        size = _png(data) if head == "data:image/png;base64" else _jpeg(data)
    except (binascii.Error, ValueError, struct.error):
        size = (0, 0)
    if not all(size):
        raise RefusedError(
            f"Invalid '{param}'. Expected a base64-encoded PNG or JPEG image, as its data URL "
            "says, but got an invalid value.",
            param=param,
        )
    return size


def _png(data: bytes) -> Size:
    magic, _, kind, width, height = struct.unpack_from(">8sI4sII", data)
    if (magic, kind) != (b"\x89PNG\r\n\x1a\n", b"IHDR"):
        raise ValueError("not a PNG")
    return width, height


def _jpeg(data: bytes) -> Size:
    if not data.startswith(b"\xff\xd8"):
        raise ValueError("not a JPEG")
    for marker, start in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, start + 3)
            return width, height
    raise ValueError("a JPEG without a frame")


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The marker of each segment before the picture itself, and where its length stands."""
    at = 2
    while at < len(data):
        mark, marker, length = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF or marker == 0xDA or length < 2:
            return
        yield marker, at + 2
        at += 2 + length
