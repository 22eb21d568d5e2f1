"""Whose page may use the direct route."""

import pytest

from components.access.origins import may_ask

ALLOWED = ("https://shop.example",)


@pytest.mark.parametrize(
    ("origin", "host", "reachable", "may"),
    [
        ("http://127.0.0.1:7860", "127.0.0.1:7860", False, True),
        ("http://localhost:7860", "LOCALHOST:7860", False, True),
        ("http://[::1]:7860", "[::1]:7860", False, True),
        ("https://voice.example", "voice.example", True, True),
        ("https://shop.example", "voice.example", True, True),
        ("https://SHOP.example", "127.0.0.1:7860", False, True),
        # A page of another port is another page.
        ("http://127.0.0.1:8000", "127.0.0.1:7860", False, False),
        ("https://evil.example", "voice.example", True, False),
        ("https://shop.example.evil.example", "voice.example", True, False),
        ("null", "null", True, False),
        ("file://", "", True, False),
        ("", "", True, False),
        (None, "voice.example", True, False),
        # A name of somebody else that points to this machine.
        ("http://evil.example:7860", "evil.example:7860", False, False),
        ("http://[broken", "[broken", False, False),
    ],
)
def test_who_may_ask(origin, host, reachable, may):
    assert may_ask(origin, host, ALLOWED, reachable) is may
