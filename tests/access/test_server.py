"""The limits that Gradio's web server gets."""

import logging
import time
from typing import Any

import pytest
import uvicorn
from gradio import http_server, routes

from components.access.connection import Connection
from components.access.server import BACKLOG, DATE_S, limit, limited_server
from tests.running import free_port


@pytest.fixture(autouse=True)
def _loggers():
    """uvicorn sets up its logging whenever there is a configuration."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.access")]
    before = [(each, list(each.handlers), each.propagate) for each in loggers]
    yield
    for each, handlers, propagate in before:
        each.handlers[:], each.propagate = handlers, propagate


def configuration(port: int = 8000) -> uvicorn.Config:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError

    return uvicorn.Config(app, log_level="warning", port=port, lifespan="off")


def trusted(config: uvicorn.Config) -> Any:
    config.load()
    return config.loaded_app.trusted_hosts


def test_a_server_accepts_fewer_connections_at_a_time_than_it_has_files():
    config = configuration()
    limit(config, 1024, ())
    assert config.backlog == BACKLOG
    limit(config, 256, ())
    assert config.backlog == 32


async def test_connections_and_what_they_are_sent_leave_a_third_of_the_files():
    config = configuration()
    limit(config, 12, ())
    crowd = config.http.args[0]  # type: ignore[union-attr]
    connections = [object() for _ in range(5)]

    assert [crowd.enter(each, "") for each in connections[:4]] == [True] * 4
    for each in connections[:4]:
        crowd.asks(each)
    assert not crowd.enter(connections[4], "")


def test_nobody_s_word_is_taken_by_default(monkeypatch):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    config = configuration()
    limit(config, 1024, ())

    assert "127.0.0.1" not in trusted(config)


def test_the_word_of_named_proxies_is_taken():
    config = configuration()
    limit(config, 1024, ("192.0.2.0/24",))

    assert "192.0.2.9" in trusted(config)


def test_lines_of_the_server_go_where_all_lines_go(caplog):
    limit(configuration(), 1024, ())
    logging.getLogger("uvicorn.error").warning("odd")

    assert not logging.getLogger("uvicorn").handlers
    assert [record.message for record in caplog.records] == ["odd"]


def test_gradio_s_own_server_is_limited_while_it_is_asked_for():
    plain = http_server.Server
    with limited_server(1024, ()):
        server = http_server.Server(config=configuration(), reloader=None)

    assert http_server.Server is plain
    assert isinstance(server, plain)
    assert server.config.http.func is Connection


def test_a_server_that_is_told_to_end_does_at_once():
    with limited_server(1024, ()):
        server = http_server.Server(config=configuration(port=free_port()), reloader=None)
    server.run_in_thread()
    begun = time.monotonic()
    server.close()

    assert time.monotonic() - begun < DATE_S / 2
    assert not server.thread.is_alive()
    server.close()  # as Gradio does when the process ends


def test_what_gradio_prints_for_every_request_is_not_printed(capsys, caplog):
    caplog.set_level(logging.DEBUG, "components.access")
    with limited_server(1024, ()):
        pass
    routes.print("content_type", "application/json")

    assert capsys.readouterr().out == ""
    assert "content_type" in caplog.text
