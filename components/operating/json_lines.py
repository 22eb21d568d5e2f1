"""The log as JSON: a line for each thing that happened.

Rule: a line is whole JSON, whatever was logged; a traceback stands in it, and not after it.
"""

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Makes one line of JSON of a record: time (UTC), level, logger, message, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a message whose values do not fit is shown as it is."""
        try:
            message = record.getMessage()
        except Exception:  # a mistake in a line must not hide what it tells of
            message = f"{record.msg} {record.args}"
        when = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)  # ASCII, which every stream takes
