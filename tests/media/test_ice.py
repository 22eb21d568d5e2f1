"""Which STUN and TURN servers both peers are told of, with providers on loopback."""

import inspect
import json
import socket
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from components.media import ice as media
from components.media.ice import (
    STUN,
    TurnError,
    browser_configuration,
    server_configuration,
    turn_servers,
)
from components.settings import Settings, TurnCredentials

STATIC = TurnCredentials("static", "ann", "pass", "turn:turn.example:3478")
CLOUDFLARE = TurnCredentials("cloudflare", "key-id", "cf-secret")
TWILIO = TurnCredentials("twilio", "AC1", "tw-secret")
HUGGING_FACE = TurnCredentials("huggingface", "", "hf-secret")
PROVIDERS = [CLOUDFLARE, TWILIO, HUGGING_FACE]

RELAY = {"urls": ["turn:relay.example:3478"], "username": "u", "credential": "c"}


@contextmanager
def provider(monkeypatch, status=200, body=b"{}"):
    """A server in place of every provider, which gives one answer; the requests that it got."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            requests.append((self.command, self.path, self.headers, self.rfile.read(length)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # the name that http.server looks for

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        point_providers_to(monkeypatch, server.server_port)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield requests
        finally:
            server.shutdown()
            thread.join()


def point_providers_to(monkeypatch, port):
    for name in ("CLOUDFLARE_URL", "TWILIO_URL", "HUGGING_FACE_URL"):
        monkeypatch.setattr(media, name, f"http://127.0.0.1:{port}/{name}")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def nobody(monkeypatch):
    """Whoever is asked is not there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        point_providers_to(monkeypatch, unused.getsockname()[1])
        yield


def answer(servers):
    return json.dumps(servers).encode()


# Who is asked.


@pytest.mark.parametrize("turn", [None, STATIC, *PROVIDERS])
def test_a_page_that_only_this_machine_can_open_asks_nobody(turn, nobody):
    settings = Settings(practice=True, turn=turn)

    assert server_configuration(settings) == {"iceServers": []}
    assert browser_configuration(settings) == {"iceServers": []}


@pytest.mark.parametrize(
    "reachable", [{"share": True}, {"host": "0.0.0.0"}, {"on_space": True}], ids=str
)
def test_a_page_that_others_can_open_asks_a_stun_server_on_both_sides(reachable):
    settings = Settings(practice=True, **reachable)

    assert server_configuration(settings) == {"iceServers": [STUN]}
    assert browser_configuration(settings) == {"iceServers": [STUN]}


def test_a_fixed_turn_server_is_told_to_both_sides():
    settings = Settings(practice=True, share=True, turn=STATIC)
    relay = {"urls": "turn:turn.example:3478", "username": "ann", "credential": "pass"}

    assert server_configuration(settings) == {"iceServers": [STUN, relay]}
    fetch = browser_configuration(settings)
    assert callable(fetch)
    assert fetch() == {"iceServers": [STUN, relay]}


@pytest.mark.parametrize("turn", [STATIC, *PROVIDERS], ids=lambda turn: turn.provider)
def test_the_browser_s_credentials_come_from_a_plain_function(turn):
    """fastrtc recognises nothing else as one, and writes anything else into the page."""
    assert inspect.isfunction(browser_configuration(Settings(practice=True, share=True, turn=turn)))


@pytest.mark.parametrize("turn", PROVIDERS, ids=lambda turn: turn.provider)
def test_credentials_are_fetched_for_each_call_by_the_browser_alone(turn, monkeypatch):
    settings = Settings(practice=True, share=True, turn=turn)
    with provider(monkeypatch, body=answer({"iceServers": [RELAY]})) as requests:
        fetch = browser_configuration(settings)
        assert callable(fetch)
        assert server_configuration(settings) == {"iceServers": [STUN]}
        assert requests == []

        assert fetch() == fetch() == {"iceServers": [STUN, RELAY]}
        assert len(requests) == 2


# What the providers are asked, and what they answer.


def test_cloudflare_is_asked_as_it_wants_to_be(monkeypatch):
    with provider(monkeypatch, 201, answer({"iceServers": [RELAY]})) as requests:
        assert turn_servers(CLOUDFLARE) == [RELAY]

    ((method, path, headers, body),) = requests
    assert (method, path) == ("POST", "/CLOUDFLARE_URL/key-id/credentials/generate-ice-servers")
    assert headers["Authorization"] == "Bearer cf-secret"
    assert json.loads(body) == {"ttl": 86_400}


def test_twilio_is_asked_as_it_wants_to_be(monkeypatch):
    with provider(monkeypatch, 201, answer({"ice_servers": [RELAY]})) as requests:
        assert turn_servers(TWILIO) == [RELAY]

    ((method, path, headers, body),) = requests
    assert (method, path) == ("POST", "/TWILIO_URL/AC1/Tokens.json")
    assert headers["Authorization"] == f"Basic {b64encode(b'AC1:tw-secret').decode()}"
    assert parse_qs(body.decode()) == {"Ttl": ["86400"]}


def test_hugging_face_s_relay_is_asked_as_it_wants_to_be(monkeypatch):
    with provider(monkeypatch, 200, answer({"iceServers": RELAY})) as requests:
        assert turn_servers(HUGGING_FACE) == [RELAY]

    ((method, path, headers, _),) = requests
    assert (method, path) == ("GET", "/HUGGING_FACE_URL?ttl=86400")
    assert headers["Authorization"] == "Bearer hf-secret"


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ({"iceServers": [RELAY]}, [RELAY]),
        ({"iceServers": RELAY}, [RELAY]),
        ({"ice_servers": [RELAY], "sid": "x"}, [RELAY]),
        (
            {"iceServers": [{"urls": ["stun:s.example"]}, {"credential": "c"}, RELAY]},
            [{"urls": ["stun:s.example"]}, RELAY],
        ),
        (
            {"ice_servers": [{"url": "turn:old", **RELAY, "credentialType": "x"}]},
            [RELAY],
        ),
    ],
)
def test_every_known_shape_of_an_answer_is_read(servers, expected, monkeypatch):
    with provider(monkeypatch, body=answer(servers)):
        assert turn_servers(CLOUDFLARE) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"iceServers":null}',
        b'{"iceServers":7}',
        b'{"iceServers":[]}',
        b'{"iceServers":"turn:x"}',
        b'{"iceServers":["credential"]}',
        b'{"iceServers":[null]}',
        b'{"iceServers":[{"urls":["stun:only.example"]}]}',
        b'{"iceServers":[{"username":"u","credential":"c"}]}',
        b'{"errors":["no"]}',
    ],
)
@pytest.mark.parametrize("turn", PROVIDERS, ids=lambda turn: turn.provider)
def test_an_answer_without_credentials_is_said_to_be_of_no_use(body, turn, monkeypatch):
    with (
        provider(monkeypatch, body=body),
        pytest.raises(TurnError, match=r" sent no usable TURN credentials\.$"),
    ):
        turn_servers(turn)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize(
    ("turn", "name", "variable"),
    [
        (CLOUDFLARE, "Cloudflare", "CLOUDFLARE_TURN_KEY_ID and CLOUDFLARE_TURN_KEY_API_TOKEN"),
        (TWILIO, "Twilio", "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
        (HUGGING_FACE, "Hugging Face", "HF_TOKEN"),
    ],
)
def test_a_refusal_names_the_provider_and_the_variables(status, turn, name, variable, monkeypatch):
    with (
        provider(monkeypatch, status, answer({"iceServers": [RELAY]})),
        pytest.raises(TurnError) as refusal,
    ):
        turn_servers(turn)

    assert str(refusal.value) == (
        f"{name} refuses TURN credentials (HTTP {status}). Check {variable}."
    )


@pytest.mark.parametrize("turn", PROVIDERS, ids=lambda turn: turn.provider)
def test_a_provider_that_is_not_there(turn, nobody):
    with pytest.raises(
        TurnError, match=r"it cannot be reached\. Try again in a minute\."
    ) as refusal:
        turn_servers(turn)

    assert turn.secret not in str(refusal.value)


def test_a_provider_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(media, "FETCH_LIMIT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_providers_to(monkeypatch, silent.getsockname()[1])

        with pytest.raises(TurnError, match="Cloudflare gives no TURN credentials: it cannot be"):
            turn_servers(CLOUDFLARE)


def test_an_account_that_makes_no_address(nobody):
    """What a person pastes as an id may be anything printable."""
    with pytest.raises(TurnError, match="Cloudflare"):
        turn_servers(TurnCredentials("cloudflare", "x" * 70_000, "secret"))
