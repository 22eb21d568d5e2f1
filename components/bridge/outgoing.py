"""What waits to be sent to a page that does not take it as fast as it is said.

Rule: of each type, the newest message alone waits; a page that stays behind is given up. The
network keeps whatever it was given for as long as the connection lasts, so it is given little.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

MOST_BUFFERED_BYTES: Final = 16_384
"""Of messages that the network has not taken; a few seconds of levels."""
BEHIND_LIMIT_S: Final = 10.0
"""A page that takes nothing for so long will not take anything more."""


class Outgoing:
    """The messages for one data channel; `give_up` may be called more than once."""

    def __init__(self, channel: Any, give_up: Callable[[], None]) -> None:
        self._channel = channel
        self._give_up = give_up
        self._waiting: dict[str, str] = {}
        self._behind_since: float | None = None
        channel.bufferedAmountLowThreshold = MOST_BUFFERED_BYTES // 2
        channel.on("bufferedamountlow", self._send_waiting)

    def put(self, message: Mapping[str, Any], now: float) -> None:
        """A message with its `type`; at once, or when the page has taken what was before it."""
        if self._channel.readyState != "open":
            return
        text = orjson.dumps(message).decode()
        if not self._waiting and self._channel.bufferedAmount < MOST_BUFFERED_BYTES:
            self._behind_since = None
            self._channel.send(text)
            return
        self._waiting.pop(message["type"], None)  # so that the new one is the last
        self._waiting[message["type"]] = text
        if self._behind_since is None:
            self._behind_since = now
        elif now - self._behind_since > BEHIND_LIMIT_S:
            self._give_up()

    def _send_waiting(self) -> None:
        self._behind_since = None
        waiting, self._waiting = self._waiting, {}
        if self._channel.readyState == "open":
            for text in waiting.values():
                self._channel.send(text)
