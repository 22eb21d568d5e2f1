"""What the app writes into its log while a target runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)


@contextmanager
def logged(level: int = logging.INFO) -> Iterator[list[logging.LogRecord]]:
    """The lines of the app from this level on, which go nowhere else."""
    logger = logging.getLogger("components")
    before, propagated = logger.level, logger.propagate
    kept = _Kept()
    logger.addHandler(kept)
    logger.setLevel(level)
    logger.propagate = False
    try:
        yield kept.lines
    finally:
        logger.removeHandler(kept)
        logger.setLevel(before)
        logger.propagate = propagated
