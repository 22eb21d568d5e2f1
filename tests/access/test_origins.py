"""Whose page may use the direct route."""

import pytest

from components.access.origins import is_local, is_local_page, may_ask

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


@pytest.mark.parametrize(
    "authority",
    [
        *("localhost", "LocalHost:7860", "localhost.:80", "app.localhost:7860"),
        *("127.0.0.1", "127.0.0.1:7860", "127.255.0.9", "[::1]", "[::1]:7860"),
    ],
)
def test_names_of_this_machine(authority):
    assert is_local(authority)
    assert is_local_page(f"HTTP://{authority}")


@pytest.mark.parametrize(
    "authority",
    [
        *("evil.example", "evil.example:7860", "localhost.evil.example", "notlocalhost"),
        *("127.0.0.1.evil.example", "0.0.0.0:7860", "[::]", "192.168.1.7", "10.0.0.1", "[::1"),
        *("", ":7860", "localhost@evil.example", "127.1", "0x7f000001", "2130706433", "[fe80::1]"),
    ],
)
def test_names_that_may_be_of_another_machine(authority):
    assert not is_local(authority)
    assert not is_local_page(f"http://{authority}")


@pytest.mark.parametrize("origin", ["null", "", "file://localhost", "localhost", "ws://localhost"])
def test_what_is_no_page_of_this_machine(origin):
    assert not is_local_page(origin)
