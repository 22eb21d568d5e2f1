"""A line of the log is one object of JSON, whatever was logged."""

import io
import json
import logging
import sys

import pytest

from components.access.repeats import MOST_LINES, BoundedHandler
from components.operating.json_lines import JsonLines


@pytest.fixture
def written():
    return io.StringIO()


@pytest.fixture
def log(written):
    handler = BoundedHandler()
    handler.setStream(written)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("components.bridge.call")
    logger.addHandler(handler)
    return logger


def lines(written):
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_says_when_where_how_bad_and_what(log, written):
    log.warning("! a page of %s said\n%s", "Zoë", '"quotes"')

    (line,) = lines(written)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "components.bridge.call",
        "message": '! a page of Zoë said\n"quotes"',
    }


def test_a_traceback_stands_in_its_line(log, written):
    try:
        raise ZeroDivisionError("what happened")
    except ZeroDivisionError:
        log.exception("! it failed")

    (line,) = lines(written)
    assert line["message"] == "! it failed"
    assert line["traceback"].endswith("ZeroDivisionError: what happened")


def test_a_message_whose_values_do_not_fit_is_shown_as_it_is(log, written):
    log.info("%d calls", "many")

    (line,) = lines(written)
    assert line["message"] == "%d calls ('many',)"


def test_what_is_left_out_is_summed_up_as_json(log, written):
    for _ in range(MOST_LINES + 3):
        log.info("again")
    log.handlers[0].close()

    assert lines(written)[-1]["message"] == "… 3 times more, the last one: again"


def test_lone_surrogates_do_not_break_a_stream(log):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    log.handlers[0].setStream(stream)
    log.info("\ud800")
    stream.flush()

    assert json.loads(stream.buffer.getvalue())["message"] == "\ud800"
    assert sys.exc_info() == (None, None, None)
