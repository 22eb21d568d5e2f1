"""Requests that two programs may read in two ways: odd paths and odd lengths, sent as bytes."""

import socket

import pytest

from tests.running import NO_CALLS, forked_app

pytestmark = pytest.mark.integration

ANSWER_LIMIT_S = 5
MOST_HEAD_BYTES = 16_384
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with forked_app(tmp_path_factory.mktemp("app"), **NO_CALLS) as app:
        yield app
        assert "Traceback" not in app.log.read_text()


def answer(app, request):
    """All that comes back until the connection is closed, or until nothing more does."""
    port = int(app.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), ANSWER_LIMIT_S) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        return received


def closing(first_line, *headers, body=b""):
    return b"\r\n".join([first_line, b"Host: localhost", *headers, b"", body])


@pytest.mark.parametrize("folder", [b"/static/", b"/assets/", b"/gradio_api/custom_component/"])
@pytest.mark.parametrize(
    "rest",
    [
        *(b"/windows/win.ini", b"%2Fwindows/win.ini", b"\\windows\\win.ini", b"%5Cwindows"),
        *(b"..%5C..%5Cx", b"../../etc/passwd", b"%2e%2e/%2e%2e/etc/passwd", b"..%2f..%2fx"),
        *(b"C:/windows/win.ini", b"c%3a%5cwindows", b"x%00.svg", b"NUL", b"con.txt", b"x%0d%0ay"),
        *(b"%ff%fe", b"x.", b"x%20", b"img//logo.svg", b"./img/logo.svg"),
    ],
)
def test_a_path_that_a_file_system_may_read_in_another_way_leads_nowhere(app, folder, rest):
    request = closing(b"GET " + folder + rest + b" HTTP/1.1", b"Connection: close")
    head, _, body = answer(app, request).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"There is nothing here." in body


def test_a_file_of_the_page_is_served(app):
    request = closing(b"GET /static/img/logo.svg HTTP/1.1", b"Connection: close")

    assert answer(app, request).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("version", "headers", "body"),
    [
        (b"1.1", [b"Content-Length: 5", b"Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (b"1.1", [b"Transfer-Encoding: chunked", b"Content-Length: 5"], b"0\r\n\r\n"),
        (b"1.1", [b"Transfer-Encoding:\r\n chunked", b"Content-Length: 5"], b"0\r\n\r\n"),
        (b"1.0", [b"Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (b"1.1", [b"Content-Length: 1", b"Content-Length: 2"], b"x"),
        (b"1.1", [b"Content-Length: 1, 2"], b"x"),
        (b"1.1", [b"Content-Length: +1"], b"x"),
        (b"1.1", [b"Content-Length: -1"], b""),
        (b"1.1", [b"Content-Length : 1"], b"x"),
        (b"1.1", [b"Transfer-Encoding: identity"], b""),
        (b"1.1", [b"Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
        (b"1.1", [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (b"1.1", [b"Transfer-Encoding: chunked"], b"1\r\nxX0\r\n\r\n"),
        (b"1.1", [b"Transfer-Encoding: chunked"], b"-1\r\n\r\n"),
        (b"1.1", [b"X: a\rTransfer-Encoding: chunked"], b"0\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_request_without_one_length_is_refused_and_nothing_after_it_is_read(
    app, method, version, headers, body
):
    request = closing(method + b" /login HTTP/" + version, *headers, body=body + SMUGGLED)
    received = answer(app, request)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in received.lower()
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("headers", [[b"Host: evil.example"], [b"X: a\0b"], [b"X"]])
def test_a_head_that_breaks_the_rules_is_refused(app, headers):
    received = answer(app, closing(b"GET / HTTP/1.1", *headers))

    assert received.startswith(b"HTTP/1.1 400 ")


def test_a_head_that_is_too_long_is_cut_off(app):
    """One byte beyond the limit, as what the server leaves unread may cost us its answer."""
    request = closing(b"GET / HTTP/1.1", b"X: ").removesuffix(b"\r\n\r\n")

    assert answer(app, request.ljust(MOST_HEAD_BYTES + 1, b"x")).startswith(b"HTTP/1.1 400 ")
