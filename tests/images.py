"""Images as files, such as a browser makes them."""

import io
import struct
from base64 import b64encode

from PIL import Image


def png(width: int = 640, height: int = 480) -> bytes:
    return _file("PNG", width, height)


def jpeg(width: int = 640, height: int = 480, **how: object) -> bytes:
    return _file("JPEG", width, height, **how)


def gif() -> bytes:
    return _file("GIF", 8, 8)


def png_that_says(width: int, height: int) -> bytes:
    """A few bytes that pretend to be that large."""
    whole = png(1, 1)
    return whole[:16] + struct.pack(">II", width, height) + whole[24:]


def url_of(data: bytes, kind: str) -> str:
    """A data URL that says so."""
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


def _file(form: str, width: int, height: int, **how: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, form, **how)
    return file.getvalue()
