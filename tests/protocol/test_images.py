"""Which files can be sent as an image, and what is said of the others."""

from base64 import b64decode

import pytest

from components.protocol.images import LONGEST_SIDE, MOST_BYTES, Image, ImageError, image_of
from tests.images import gif, jpeg, png, png_that_says


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(), "png"),
        (jpeg(), "jpeg"),
        (jpeg(progressive=True), "jpeg"),
        (jpeg(exif=bytes(5000)), "jpeg"),
    ],
)
def test_a_png_or_jpeg_becomes_a_data_url_of_its_size(data, kind):
    image = image_of(data, "abc")

    assert (image.width, image.height, image.name) == (640, 480, "abc")
    head, _, text = image.url.partition(",")
    assert head == f"data:image/{kind};base64"
    assert b64decode(text, validate=True) == data


def test_what_fills_up_between_the_segments_of_a_jpeg_is_passed_over():
    whole = jpeg()
    filled = whole[:2] + b"\xff\x01\xff\xff\xff" + whole[2 + 1 :]

    assert image_of(filled).width == 640


BROKEN = [
    png()[:40],
    png()[:-1],
    png()[:8] + bytes(40) + png()[-8:],
    jpeg()[:-1],
    jpeg()[:20] + b"\xff\xd9",
    b"\xff\xd8\xff\xd9",
    b"\xff\xd8\xff\xe0" + bytes(20) + b"\xff\xd9",
    png_that_says(0, 5),
    png_that_says(5, 0),
]


@pytest.mark.parametrize("data", BROKEN)
def test_a_broken_one_is_told_so(data):
    with pytest.raises(ImageError, match=r"^The image is broken\."):
        image_of(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (gif(), "Only PNG and JPEG"),
        (b"", "Only PNG and JPEG"),
        (b"<svg/>", "Only PNG and JPEG"),
        (png() + bytes(MOST_BYTES), "too large"),
        (png_that_says(LONGEST_SIDE + 1, 1), "too many pixels"),
        (png_that_says(1, 2**31), "too many pixels"),
    ],
)
def test_what_cannot_be_sent_is_told_why(data, sentence):
    with pytest.raises(ImageError, match=sentence):
        image_of(data)


def test_the_longest_sides_can_be_sent():
    assert image_of(png_that_says(LONGEST_SIDE, LONGEST_SIDE)).height == LONGEST_SIDE


def test_its_words_have_its_size_if_that_is_known():
    assert Image(1024, 480).label == "Image, 1,024 × 480"
    assert Image().label == "Image"


def test_it_is_not_written_into_a_log_whole():
    assert "base64" not in repr(image_of(png()))
