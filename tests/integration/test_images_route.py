"""Who may show an image to the whole app, and which."""

from base64 import b64encode

import httpx
import pytest

from tests.images import gif, png
from tests.running import NO_CALLS, running_app

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def shown(url: str, image: bytes, **headers: str) -> tuple[int, str]:
    """The status and the sentence of the answer."""
    asked = {"key": "e" * 32, "name": "abc", "text": "", "image": b64encode(image).decode()}
    response = httpx.post(f"{url}/api/image", json=asked, headers=headers, timeout=20)
    return response.status_code, response.json()["error"]["message"]


def test_what_is_no_image_or_of_no_call_is_refused_with_a_sentence(tmp_path):
    with running_app(tmp_path, **NO_CALLS) as url:
        stranger = shown(url, png())
        other_type = shown(url, gif())
        too_large = shown(url, bytes(200_000))
        foreign = shown(url, png(), Origin="https://evil.example")

    assert stranger == (404, "The image was not sent, as there is no call.")
    assert other_type == (422, "Only PNG and JPEG images can be sent. Choose one of these.")
    assert too_large == (413, "The request is too long.")
    assert foreign[0] == 403
