"""What the log says of things that happen thousands of times."""

import io
import logging
import weakref

import pytest

from components.access import repeats
from components.access.repeats import (
    MOST_KINDS,
    MOST_LINES,
    TRACEBACK_LINES,
    WINDOW_S,
    BoundedHandler,
)


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(repeats, "time", clock)
    return clock


@pytest.fixture
def written():
    return io.StringIO()


@pytest.fixture
def log(clock, written):
    handler = BoundedHandler()
    handler.setStream(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.Logger("server")
    logger.addHandler(handler)
    yield logger
    handler.close()


def test_lines_of_one_kind_are_counted_beyond_some_and_told_in_the_next_minute(log, clock, written):
    for number in range(MOST_LINES + 1234):
        log.warning("visitor %d is odd", number)
    assert len(written.getvalue().splitlines()) == MOST_LINES
    clock.now += WINDOW_S
    log.info("quiet again")

    *_, told, last = written.getvalue().splitlines()
    assert (
        told
        == f"WARNING server: … 1,234 times more, the last one: visitor {MOST_LINES + 1233} is odd"
    )
    assert last == "INFO server: quiet again"


def test_the_same_line_is_written_anew_after_a_minute(log, clock, written):
    for _ in range(MOST_LINES):
        log.warning("odd")
    clock.now += WINDOW_S
    log.warning("odd")

    assert written.getvalue() == "WARNING server: odd\n" * (MOST_LINES + 1)


def test_other_lines_are_written_meanwhile(log, written):
    for _ in range(MOST_LINES + 5):
        log.warning("odd")
    log.error("odd")
    log.warning("something else")

    assert written.getvalue().endswith("ERROR server: odd\nWARNING server: something else\n")


def test_tracebacks_of_one_cause_are_one_kind_and_count_for_more(log, written):
    message = "socket.accept() out of system resource\nsocket: %d"
    for number in range(2000):
        log.error(message, number, exc_info=OSError(24))

    assert written.getvalue().count("out of system resource") == MOST_LINES // TRACEBACK_LINES


def test_lines_that_are_all_different_are_bounded_together(log, written):
    for number in range(5000):
        log.warning(f"visitor {number} is odd")  # noqa: G004

    assert len(written.getvalue().splitlines()) == MOST_KINDS + MOST_LINES


def test_what_was_left_out_is_told_at_the_end(log, written):
    for _ in range(MOST_LINES + 7):
        log.warning("odd")
    log.handlers[0].close()

    assert written.getvalue().endswith("WARNING server: … 7 times more, the last one: odd\n")


def test_a_line_that_cannot_be_formatted_stops_nothing(log, clock, written, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    for _ in range(MOST_LINES + 1):
        log.warning("%d", "no number")
    clock.now += WINDOW_S
    log.info("goes on")

    assert "goes on" in written.getvalue()


def test_nothing_of_what_a_line_tells_of_is_kept():
    class HeldError(Exception):
        pass

    error = HeldError("no %s")
    gone = weakref.ref(error)
    handler = BoundedHandler()
    for _ in range(MOST_LINES + 5):
        handler.emit(logging.LogRecord("a", logging.INFO, "", 0, "! %s", (error,), None))
    del error

    assert gone() is None
    handler.close()
