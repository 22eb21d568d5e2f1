"""Which data URLs the server takes for images, and how large it says they are."""

import pytest

from components.practice.engine.images import size_of
from components.practice.engine.schema import RefusedError
from tests.images import gif, jpeg, png, png_that_says, url_of


@pytest.mark.parametrize(
    "url",
    [
        url_of(png(), "png"),
        url_of(jpeg(), "jpeg"),
        url_of(jpeg(progressive=True, exif=bytes(300)), "jpeg"),
    ],
)
def test_the_size_of_an_image_is_read_from_its_head(url: str) -> None:
    assert size_of(url) == (640, 480)


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,",
        "data:image/png;base64,*",
        "data:image/png;base64,aaaa",
        url_of(gif(), "png"),
        url_of(gif(), "jpeg"),
        url_of(png(), "jpeg"),
        url_of(jpeg(), "png"),
        url_of(bytes(40), "png"),
        url_of(png_that_says(0, 7), "png"),
        url_of(png()[:20], "png"),
        url_of(b"\xff\xd8", "jpeg"),
        url_of(b"\xff\xd8\xff\xe0\0\1aaaa", "jpeg"),
        url_of(b"\xff\xd8\xff\xe0\0\4aa\xff\xda\0\4", "jpeg"),
        url_of(b"\xff\xd8aaaaaaaa", "jpeg"),
        url_of(jpeg()[:30], "jpeg"),
    ],
)
def test_what_is_no_image_is_refused(url: str) -> None:
    with pytest.raises(RefusedError) as refused:
        size_of(url, "item.content[0].image_url")

    assert refused.value.param == "item.content[0].image_url"
