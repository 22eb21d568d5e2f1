"""Whose word about visitors is taken."""

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from components.access.proxies import SPACE, Proxies, named_proxies
from components.settings import Settings

OWN = ("192.0.2.7", "198.51.100.0/24")
MADE_UP = "203.0.113.99"


def settings(**changes):
    return Settings(practice=True, **changes)


def test_nobody_is_believed_who_is_not_named():
    assert named_proxies(settings()) == ()
    assert named_proxies(settings(host="0.0.0.0")) == ()
    assert named_proxies(settings(proxies=OWN)) == OWN


def test_the_app_names_the_proxies_that_it_knows_itself():
    assert named_proxies(settings(on_space=True)) == SPACE
    assert named_proxies(settings(share=True)) == ("127.0.0.1", "::1")
    assert named_proxies(settings(share=True, proxies=OWN)) == (*OWN, "127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("192.0.2.7", True),
        ("198.51.100.200", True),
        ("192.0.2.8", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_a_proxy_is_an_address_or_in_a_network(host, is_one):
    proxies = Proxies(OWN)

    assert (host in proxies) is is_one


async def visitor_behind(proxies, peer, *forwarded):
    """Whom uvicorn takes for the client."""
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["client"][0])

    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope = {"type": "http", "client": (peer, 1), "headers": headers, "scheme": "http"}
    await ProxyHeadersMiddleware(app, list(proxies))(scope, None, None)  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("changes", "peer", "forwarded", "visitor"),
    [
        ({}, "127.0.0.1", [MADE_UP], "127.0.0.1"),
        ({"proxies": OWN}, "127.0.0.1", [MADE_UP], "127.0.0.1"),
        ({"proxies": OWN}, "192.0.2.7", [f"{MADE_UP}, 203.0.113.5"], "203.0.113.5"),
        ({"proxies": OWN}, "192.0.2.7", [f"{MADE_UP}, 203.0.113.5, 198.51.100.3"], "203.0.113.5"),
        ({"share": True}, "127.0.0.1", [f"{MADE_UP}, 203.0.113.5"], "203.0.113.5"),
        ({"share": True}, "127.0.0.1", [MADE_UP, "203.0.113.5"], "203.0.113.5"),
        ({"share": True}, "127.0.0.1", [f"127.0.0.1, {MADE_UP}, 203.0.113.5"], "203.0.113.5"),
        ({"share": True, "host": "0.0.0.0"}, "203.0.113.9", [MADE_UP], "203.0.113.9"),
        ({"on_space": True}, "10.16.3.80", [f"{MADE_UP}, 203.0.113.5, 10.1.1.1"], "203.0.113.5"),
    ],
)
async def test_the_right_most_address_that_is_no_proxy_counts(changes, peer, forwarded, visitor):
    named = named_proxies(settings(**changes))

    assert await visitor_behind(named, peer, *forwarded) == visitor
