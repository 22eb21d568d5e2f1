"""A proxy before the app that gathers what streams of events say, as some proxies do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

STREAM = b"text/event-stream"
CHUNK = 65_536


@dataclass(frozen=True)
class Gathering:
    """`url` leads through it. While `passing` is not set, streams wait; all else comes at once."""

    url: str
    passing: threading.Event


@contextmanager
def gathering(url: str) -> Iterator[Gathering]:
    """Before the app at this address; in the beginning everything passes."""
    app = urlsplit(url)
    passing = threading.Event()
    passing.set()

    class Visit(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((app.hostname, app.port)) as there:
                answers = threading.Thread(target=_answer, args=(there, self.request, passing))
                answers.start()
                _ask(self.request, there)
                answers.join()

    with _Proxy(("127.0.0.1", 0), Visit) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield Gathering(f"http://127.0.0.1:{proxy.server_address[1]}", passing)
        finally:
            passing.set()
            proxy.shutdown()


class _Proxy(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def _ask(page: socket.socket, app: socket.socket) -> None:
    """What the page says, until it hangs up."""
    with suppress(OSError):
        while said := page.recv(CHUNK):
            app.sendall(said)
    with suppress(OSError):
        app.shutdown(socket.SHUT_RDWR)


def _answer(app: socket.socket, page: socket.socket, passing: threading.Event) -> None:
    """What the app says, until it hangs up."""
    streams = False
    with suppress(OSError):
        while said := app.recv(CHUNK):
            streams = streams or STREAM in said
            if streams:
                passing.wait()
            page.sendall(said)
    with suppress(OSError):
        page.shutdown(socket.SHUT_RDWR)
