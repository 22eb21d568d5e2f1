"""An image in a turn: what may be one, how large it is, and what stands for it in words.

Rule: it is judged by its bytes alone, whatever somebody calls it: PNG or JPEG, whole, of a size
that fits a message and a side that no decoder stumbles over. Nothing is decoded but its head.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 160_000
"""As base64 and with a line beside it, it fits into 256 KB: a request to this app may have so many,
and an event of the API has at most so many."""
LONGEST_SIDE: Final = 2048
"""Pixels. A few bytes can say that they are a hundred million; the page sends 1,024 at most."""

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"IEND\xaeB\x60\x82"
_JPEG_HEAD: Final = b"\xff\xd8\xff"
_JPEG_END: Final = b"\xff\xd9"
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segment that has the size (ITU T.81, B.1.1.3)."""
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers that no segment follows."""


class ImageError(Exception):
    """This is no image that can be sent; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Image:
    """One that belongs to a message; without a size if that is not known."""

    width: int = 0
    """Pixels."""
    height: int = 0
    url: str = field(default="", repr=False)
    """A data URL; empty if the image itself is not kept."""
    name: str = ""
    """By which the page that has sent it knows it."""

    @property
    def label(self) -> str:
        """What is written in its place."""
        return f"Image, {self.width:,} × {self.height:,}" if self.width else "Image"


def image_of(data: bytes, name: str = "") -> Image:
    """The image that these bytes of a file are; raises `ImageError`."""
    if len(data) > MOST_BYTES:
        raise ImageError(
            f"The image is too large to send: {MOST_BYTES:,} bytes is the most. "
            "Choose a smaller one."
        )
    if data.startswith(_PNG_HEAD):
        kind, size = "png", _png_size(data)
    elif data.startswith(_JPEG_HEAD):
        kind, size = "jpeg", _jpeg_size(data)
    else:
        raise ImageError("Only PNG and JPEG images can be sent. Choose one of these.")
    if size is None or 0 in size:
        raise ImageError("The image is broken. Choose another one.")
    if max(size) > LONGEST_SIDE:
        raise ImageError(
            f"The image has too many pixels: {LONGEST_SIDE:,} on a side is the most. "
            "Choose a smaller one."
        )
    return Image(*size, url=f"data:image/{kind};base64,{b64encode(data).decode()}", name=name)


def _png_size(data: bytes) -> tuple[int, int] | None:
    """By its first chunk; None if that is missing, or the last one is."""
    if data[12:16] != b"IHDR" or not data.endswith(_PNG_END):
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """By its frame, the first segment of such a kind; None if there is none, or no end."""
    if not data.endswith(_JPEG_END):
        return None
    at = 2
    while data[at : at + 1] == b"\xff" and at + 9 <= len(data):
        marker = data[at + 1]
        if marker == 0xFF or marker in _BARE:  # the first of these only fills
            at += 1 if marker == 0xFF else 2
        elif marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return None
